# Redis, and the functions' way to it.

module "network" {
  source = "../../modules/gcp/network"
  count  = var.redis.enabled ? 1 : 0

  project = module.project.id
  prefix  = var.prefix
  region  = var.region
  egress  = var.egress
  labels  = local.labels
}

module "redis" {
  source = "../../modules/gcp/redis"
  count  = var.redis.enabled ? 1 : 0

  project               = module.project.id
  prefix                = var.prefix
  region                = var.region
  network_id            = module.network[0].network_id
  memory_gib            = var.redis.memory_gib
  ha                    = var.redis.ha
  runbook               = var.runbook
  notification_channels = module.monitoring.notification_channels
  labels                = local.labels
}
