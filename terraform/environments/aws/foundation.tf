# What functions stand on at AWS: packages, secrets, and where there is Redis, a network with it.

module "artifacts" {
  source = "../../modules/aws/artifacts"
  count  = var.artifacts_bucket == null ? 1 : 0

  prefix = var.prefix
}

locals {
  artifacts_bucket = var.artifacts_bucket == null ? one(module.artifacts[*].bucket) : var.artifacts_bucket

  # A word on each secret, for the console.
  about = merge(
    {
      attempt-key = "Seals attempts and connect sessions: 32 random bytes in base64"
      audit-key   = "Chains the audit log: 32 random bytes in base64"
      callers     = "The callers file: who may call what"
    },
    { for id in keys(var.provider_apps) : "provider-${id}-client-secret" => "Client secret of the app at ${id}" },
    var.redis.enabled ? {
      cache-auth = "Password of Redis; a change is followed by make deploy"
      cache-url  = "URL of Redis with its password, made by Terraform"
    } : {},
  )
}

module "secrets" {
  source = "../../modules/aws/secrets"

  prefix        = var.prefix
  secrets       = local.about
  recovery_days = var.secrets.recovery_days
  customer_key  = var.secrets.customer_key
}

# Which letters there are differs by region and by account. To be sure that the VPC stays where it is, name them in network.zones.
data "aws_availability_zones" "here" {
  #checkov:skip=CKV_AWS_394:Two are taken however many there are, the first by their letters, and new zones have later letters.
  count = var.redis.enabled ? 1 : 0

  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.names) >= 2 && alltrue([for zone in coalesce(var.network.zones, []) : contains(self.names, "${var.region}${zone}")])
      error_message = "${var.region} has the zones ${join(", ", self.names)} for this account: name two or three of them in network.zones, by their letters, or choose another region."
    }
  }
}

locals {
  zones = var.network.zones == null ? try(slice(sort(data.aws_availability_zones.here[0].names), 0, 2), []) : [for zone in var.network.zones : "${var.region}${zone}"]
}

module "network" {
  source = "../../modules/aws/network"
  count  = var.redis.enabled ? 1 : 0

  prefix = var.prefix
  cidr   = var.network.cidr
  azs    = local.zones
  nat    = var.network.nat
}

# `make secrets` makes it. It is in the state, as the provider takes it no other way.
data "aws_secretsmanager_secret_version" "cache_auth" {
  count = var.redis.enabled ? 1 : 0

  secret_id = module.secrets.arns["cache-auth"]
}

module "cache" {
  source = "../../modules/aws/cache"
  count  = var.redis.enabled ? 1 : 0

  prefix                     = var.prefix
  subnet_ids                 = module.network[0].private_subnet_ids
  security_group_id          = module.network[0].cache_security_group_id
  node_type                  = var.redis.node_type
  engine_version             = var.redis.engine_version
  ha                         = var.redis.ha
  auth_token                 = data.aws_secretsmanager_secret_version.cache_auth[0].secret_string
  auth_token_update_strategy = var.redis.auth_token_update_strategy
  url_secret_id              = module.secrets.arns["cache-url"]
  alarm_topic_arns           = [module.monitoring.topic_arn]
  runbook                    = var.runbook
}
