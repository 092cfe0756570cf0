# A Lambda function for each function of terraform/functions.yaml, with the rights that stand there and no others.

module "functions" {
  source = "../../modules/functions"

  provider_ids = keys(var.provider_apps)
  sizes        = var.sizes
}

locals {
  listed = module.functions.functions

  settings = {
    for name, f in local.listed : name => merge(
      {
        STORE_URL          = module.firestore.store_url
        BACKUP_RETENTION   = module.firestore.backup_retention
        KEY_URL            = f.kms == "use" ? module.kms.key_url : "none"
        GOOGLE_CREDENTIALS = module.federation.credentials
        PUBLIC_URL         = module.api.url
        LOG                = var.log
      },
      { for id, app in var.provider_apps : "PROVIDER_${upper(replace(id, "-", "_"))}_CLIENT_ID" => app.client_id },
      f.exposure == "scheduled" ? { AUTH = "platform", DEADLINE = "${f.deadline}s" } : merge(
        length(var.redirect_allow) == 0 ? {} : { REDIRECT_ALLOW = join(",", var.redirect_allow) },
        length(var.cors_origins) == 0 ? {} : { CORS_ORIGINS = join(",", var.cors_origins) },
      ),
      # AWS's signature is in Authorization, so the callers' own tokens arrive in X-Forwarded-Authorization; that the API
      # has checked the signature is sure where nobody else may invoke the function. No other route does that.
      f.exposure == "internal" ? { GATEWAY = "sole-invoker" } : {},
    )
  }

  secrets = {
    for name, f in local.listed : name => merge(
      { for setting, secret in f.secrets : setting => module.secrets.arns[secret] },
      contains(keys(local.vpc), name) ? { CACHE_URL = module.cache[0].url_secret_arn } : {},
    )
  }

  # Another description is another version, whose environments start anew, and read their secrets.
  descriptions = {
    for name in keys(local.listed) : name => "OAuth Management Service, ${name}${var.secrets_changed == "" ? "" : ", with secrets of ${var.secrets_changed}"}"
  }

  # Only Redis needs a VPC.
  vpc = {
    for name in module.functions.cache_users : name => {
      subnet_ids         = module.network[0].private_subnet_ids
      security_group_ids = [module.network[0].function_security_group_id]
    } if var.redis.enabled
  }
}

module "function" {
  source   = "../../modules/aws/function"
  for_each = local.listed

  name        = local.roles[each.key]
  description = local.descriptions[each.key]
  package = {
    bucket = local.artifacts_bucket
    key    = "releases/${var.release}/${var.architecture}/${each.key}.zip"
  }
  architecture         = var.architecture
  memory_mib           = each.value.memory
  timeout_seconds      = each.value.timeout
  reserved_concurrency = try(var.sizes[each.key].max_instances, null) == null ? -1 : each.value.max_instances
  environment          = local.settings[each.key]
  secrets              = local.secrets[each.key]
  vpc                  = lookup(local.vpc, each.key, null)
  log_retention_days   = var.log_retention_days
  alarms               = { topics = [module.monitoring.topic_arn], runbook = var.runbook }
}

module "schedule" {
  source   = "../../modules/aws/schedule"
  for_each = module.functions.triggers

  name = module.function[each.key].name
  function = {
    name      = module.function[each.key].name
    alias     = module.function[each.key].alias
    alias_arn = module.function[each.key].alias_arn
    role_name = module.function[each.key].role_name
  }
  expression = each.value.schedule_aws
  inputs     = each.value.inputs
  after      = module.audit.subscriptions
  # By then the next run is near, and does what this one did not.
  max_age_seconds = floor(each.value.interval * 2 / 3)
}
