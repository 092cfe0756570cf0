# Redis with the way to it, and its URL in a secret that one function may read.

provider "google" {
  project = var.project
  region  = "us-central1"
}

# For the agent of API Gateway, which comes with the accounts.
provider "google-beta" {
  project = var.project
  region  = "us-central1"
}

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

locals {
  prefix = "example"
}

module "project" {
  source = "../../../project"

  project = var.project
  services = [
    "apigateway.googleapis.com", "compute.googleapis.com", "redis.googleapis.com", "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com", "vpcaccess.googleapis.com",
  ]
}

module "identities" {
  source = "../../../identities"

  project   = module.project.id
  prefix    = local.prefix
  functions = ["token-get"]
}

module "network" {
  source = "../../../network"

  project = module.project.id
  prefix  = local.prefix
}

module "redis" {
  source = "../.."

  project    = module.project.id
  prefix     = local.prefix
  network_id = module.network.network_id
  runbook    = "https://git.example.com/oauth/docs/operations.md"
}

module "secrets" {
  source = "../../../secrets"

  project           = module.project.id
  prefix            = local.prefix
  secrets           = {}
  cache_url         = module.redis.url
  cache_url_readers = { token-get = module.identities.members["token-get"] }
}

output "settings" {
  description = "What the module `function` takes: plain settings, the secret to read, and the way to Redis."
  value = {
    env        = { CACHE_CA = module.redis.ca }
    secret_env = { CACHE_URL = { secret = module.secrets.ids["cache-url"] } }
    vpc_access = module.network.vpc_access
  }
}
