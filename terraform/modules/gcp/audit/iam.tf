# Who may read the bucket, and what Google writes down of the use of the key and the secrets.

# Without the condition this role would show every log of the project.
resource "google_project_iam_member" "reader" {
  for_each = var.readers

  project = var.project
  role    = "roles/logging.viewAccessor"
  member  = each.value

  condition {
    title       = "${local.bucket} only"
    description = "The audit log of the OAuth Management Service."
    expression  = "resource.name == \"${local.bucket_id}/views/_AllLogs\""
  }
}

# Google's own record of who encrypted, decrypted and read a secret, which is off by default. It is small: data keys are unwrapped
# every 15 minutes, secrets are read when an instance starts.
resource "google_project_iam_audit_config" "data_access" {
  for_each = var.data_access

  project = var.project
  service = each.value

  audit_log_config {
    log_type = "DATA_READ"
  }

  audit_log_config {
    log_type = "DATA_WRITE"
  }
}
