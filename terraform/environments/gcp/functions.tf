# A Cloud Run service for each function of terraform/functions.yaml, with the rights that stand there and no others.

module "functions" {
  source = "../../modules/functions"

  provider_ids = keys(var.provider_apps)
  sizes        = var.sizes
}

locals {
  listed = module.functions.functions
  labels = merge(var.labels, { service = "oauth-management-service", environment = var.prefix })

  # Known before the services are, so that the gateway needs nothing of them and they may be told its URL.
  urls = { for name in keys(local.listed) : name => "https://${var.prefix}-${name}-${module.project.number}.${var.region}.run.app" }

  invokers = {
    for name, f in local.listed : name => (
      f.exposure == "public" ? { gateway = module.identities.members["gateway"] } :
      f.exposure == "scheduled" ? { scheduler = module.identities.members["scheduler"] } :
      { for member in lookup(local.internal_invokers, name, []) : member => member }
    )
  }
  internal_invokers = { token-get = var.token_invokers, admin = var.admin_invokers }

  # Whose addresses stand behind the caller's in X-Forwarded-For: Cloud Run's front end alone; the gateway's as well;
  # and, with a domain, a load balancer's: as many as its audit log has shown (domain_hops).
  hops = { internal = 1, public = var.domain == null ? 2 : var.domain_hops }

  settings = {
    for name, f in local.listed : name => merge(
      {
        STORE_URL        = module.firestore.store_url
        BACKUP_RETENTION = module.firestore.backup_retention
        KEY_URL          = f.kms == "use" ? module.kms.key_url : "none"
        PUBLIC_URL       = module.gateway.url
        LOG              = var.log
      },
      { for id, app in var.provider_apps : "PROVIDER_${upper(replace(id, "-", "_"))}_CLIENT_ID" => app.client_id },
      f.cache == "use" && var.redis.enabled ? { CACHE_CA = module.redis[0].ca } : {},
      f.exposure == "scheduled" ? { AUTH = "platform", DEADLINE = "${f.deadline}s" } : merge(
        {
          TRUSTED_PROXIES = "hops:${local.hops[f.exposure]}"
          # Whether what the caller itself sent is in X-Forwarded-Authorization: the gateway puts its own token before it.
          GATEWAY = f.exposure == "public" ? "sole-invoker" : "none"
        },
        length(var.redirect_allow) == 0 ? {} : { REDIRECT_ALLOW = join(",", var.redirect_allow) },
        length(var.cors_origins) == 0 ? {} : { CORS_ORIGINS = join(",", var.cors_origins) },
        contains(values(f.secrets), "callers") ? { CALLERS_FILE = local.callers_file } : {},
      ),
    )
  }

  callers_file = "/etc/oauth/callers.toml"
  secret_env = {
    for name, f in local.listed : name => merge(
      { for setting, secret in f.secrets : setting => { secret = module.secrets.ids[secret], version = "latest" } if secret != "callers" },
      # By its version: it is there before whoever reads it, and another password is another revision.
      f.cache == "use" && var.redis.enabled ? {
        CACHE_URL = { secret = module.secrets.ids["cache-url"], version = basename(module.secrets.versions_ready["cache-url"]) }
      } : {},
    )
  }
}

module "function" {
  source   = "../../modules/gcp/function"
  for_each = local.listed

  project         = module.project.id
  project_number  = module.project.number
  region          = var.region
  name            = "${var.prefix}-${each.key}"
  image           = "${module.registry.url}/${each.key}:${var.release}"
  service_account = module.identities.emails[each.key]
  env             = local.settings[each.key]
  secret_env      = local.secret_env[each.key]
  secret_files    = contains(values(each.value.secrets), "callers") ? { (local.callers_file) = module.secrets.ids["callers"] } : {}
  invokers        = local.invokers[each.key]
  ingress         = { public = "all", internal = var.internal_ingress, scheduled = "internal" }[each.value.exposure]
  vpc_access      = each.value.cache == "use" && var.redis.enabled ? module.network[0].vpc_access : null
  cpu             = each.value.cpu
  memory_mib      = each.value.memory
  concurrency     = each.value.concurrency
  timeout_seconds = each.value.timeout
  min_instances   = each.value.min_instances
  max_instances   = each.value.max_instances
  # Of the revision too: another one starts instances that read their secrets anew.
  labels = merge(local.labels, { function = each.key }, var.secrets_changed == "" ? {} : { secrets-changed = var.secrets_changed })
}

module "schedule" {
  source   = "../../modules/gcp/schedule"
  for_each = module.functions.triggers

  project         = module.project.id
  region          = var.region
  name            = module.function[each.key].name
  url             = module.function[each.key].url
  service_account = module.identities.emails["scheduler"]
  schedule        = each.value.schedule
  inputs          = each.value.inputs
  timeout_seconds = each.value.timeout
}
