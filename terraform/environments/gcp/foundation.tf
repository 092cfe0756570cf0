# What functions stand on: APIs, accounts, images, key, secrets.

module "project" {
  source = "../../modules/gcp/project"

  project = var.project
}

module "identities" {
  source = "../../modules/gcp/identities"

  project   = module.project.id
  prefix    = var.prefix
  functions = keys(local.listed)
}

module "registry" {
  source = "../../modules/gcp/registry"

  project = module.project.id
  prefix  = var.prefix
  region  = var.region
  labels  = local.labels
}

module "kms" {
  source = "../../modules/gcp/kms"

  project               = module.project.id
  prefix                = var.prefix
  region                = var.region
  users                 = { for name in module.functions.kms_users : name => module.identities.members[name] }
  runbook               = var.runbook
  notification_channels = module.monitoring.notification_channels
  labels                = local.labels
}

module "firestore" {
  source = "../../modules/gcp/firestore"

  project             = module.project.id
  prefix              = var.prefix
  name                = var.firestore.name
  location            = coalesce(var.firestore.location, var.region)
  users               = { for name in module.functions.store_users : name => { member = module.identities.members[name], role = "write" } }
  backup_days         = var.firestore.backup_days
  deletion_protection = var.deletion_protection
}

module "secrets" {
  source = "../../modules/gcp/secrets"

  project = module.project.id
  prefix  = var.prefix
  region  = var.region
  secrets = {
    for secret, readers in module.functions.secret_readers : secret => {
      readers = { for name in readers : name => module.identities.members[name] }
    }
  }
  cache_url         = var.redis.enabled ? module.redis[0].url : null
  cache_url_readers = var.redis.enabled ? { for name in module.functions.cache_users : name => module.identities.members[name] } : {}
  labels            = local.labels
}
