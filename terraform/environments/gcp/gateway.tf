# The gateway before the public functions.

module "gateway" {
  source = "../../modules/gcp/gateway"

  project             = module.project.id
  prefix              = var.prefix
  region              = coalesce(var.gateway_region, var.region)
  addresses           = { for name, f in local.listed : name => local.urls[name] if f.exposure == "public" }
  service_account     = module.identities.emails["gateway"]
  domain              = var.domain
  requests_per_minute = var.requests_per_minute
  labels              = local.labels
}
