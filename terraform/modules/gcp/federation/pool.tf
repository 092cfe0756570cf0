# Lets named roles of one AWS account call Google without a key: Google asks AWS who signed the request.

locals {
  pool_id     = "${var.prefix}-aws"
  provider_id = "aws-roles" # Google wants 4 to 32 characters

  # Computed, not read back, so that every plan can show who gets which right before the pool exists.
  pool     = "projects/${var.project_number}/locations/global/workloadIdentityPools/${local.pool_id}"
  provider = "${local.pool}/providers/${local.provider_id}"
}

resource "google_iam_workload_identity_pool" "aws" {
  project                   = var.project
  workload_identity_pool_id = local.pool_id
  display_name              = "${var.prefix} OAuth on AWS"
  description               = "Roles of Lambda functions of the OAuth Management Service."
}

resource "google_iam_workload_identity_pool_provider" "aws" {
  #checkov:skip=CKV_GCP_125:It asks for GitHub's issuer and a condition on its repository; this provider takes roles of AWS, and its condition names each.
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws.workload_identity_pool_id
  workload_identity_pool_provider_id = local.provider_id
  display_name                       = "AWS account ${var.aws_account}"

  aws {
    account_id = var.aws_account
  }

  attribute_mapping = {
    "google.subject" = "assertion.arn"
    "attribute.role" = "assertion.arn.extract('assumed-role/{role}/')"
  }

  # The beginning matters as much as the name: a user may be made with the path /assumed-role/…/, and its ARN would give a role too.
  attribute_condition = join(" && ", [
    "assertion.arn.startsWith('arn:aws:sts::${var.aws_account}:assumed-role/')",
    "attribute.role in [${join(", ", [for role in sort(values(var.role_names)) : "'${role}'"])}]",
  ])
}
