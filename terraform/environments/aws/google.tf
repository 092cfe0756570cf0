# What is at Google: the database, the key that wraps keys, and who of AWS may use them, without a key to keep.

data "aws_caller_identity" "current" {}

locals {
  # Names are known before the roles are, so that rights at Google wait for nothing at AWS.
  roles = { for name in keys(local.listed) : name => "${var.prefix}-${name}" }

  kms_users   = { for name in module.functions.kms_users : name => module.federation.members[name] }
  store_users = { for name in module.functions.store_users : name => { member = module.federation.members[name], role = "write" } }
}

module "project" {
  source = "../../modules/gcp/project"

  project = var.google_project
  services = [
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "monitoring.googleapis.com",
    "sts.googleapis.com",
  ]
}

module "federation" {
  source = "../../modules/gcp/federation"

  project        = module.project.id
  project_number = module.project.number
  prefix         = var.prefix
  aws_account    = data.aws_caller_identity.current.account_id
  role_names     = { for name in setunion(module.functions.store_users, module.functions.kms_users) : name => local.roles[name] }
}

module "kms" {
  source = "../../modules/gcp/kms"

  project               = module.project.id
  prefix                = var.prefix
  region                = var.google_region
  users                 = local.kms_users
  runbook               = var.runbook
  notification_channels = [for channel in google_monitoring_notification_channel.operators : channel.id]
}

module "firestore" {
  source = "../../modules/gcp/firestore"

  project             = module.project.id
  prefix              = var.prefix
  name                = var.firestore.name
  location            = coalesce(var.firestore.location, var.google_region)
  users               = local.store_users
  backup_days         = var.firestore.backup_days
  deletion_protection = var.deletion_protection
}

# That somebody destroys the key is noticed at Google, and said by Google.
resource "google_monitoring_notification_channel" "operators" {
  for_each = var.operators_email

  project      = module.project.id
  display_name = "${var.prefix} ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
}
