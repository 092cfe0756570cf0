# Where the audit log is kept: a bucket of its own, which the functions can't reach and, once locked, nobody can change.

locals {
  bucket = "${var.prefix}-oauth-audit"

  # Computed, not read back, so that rights and sink can be shown before the bucket exists.
  bucket_id = "projects/${var.project}/locations/${var.region}/buckets/${local.bucket}"
}

resource "google_logging_project_bucket_config" "audit" {
  project        = var.project
  location       = var.region
  bucket_id      = local.bucket
  description    = "Audit log of the OAuth Management Service, and who used its key and read its secrets."
  retention_days = var.retention_days

  # There is no way back from locked, not for owners either: no setting can be changed any more, not even for a longer time, and
  # it is not deleted before its time.
  locked = var.locked

  # What an auditor asks by. Once indexed, a field is searched with upper and lower case told apart.
  dynamic "index_configs" {
    for_each = toset(["caller", "connectionId", "tenantId"])

    content {
      field_path = "jsonPayload.audit.${index_configs.value}"
      type       = "INDEX_TYPE_STRING"
    }
  }

  # Whoever wants it gone deletes it by hand (docs/deploy.md).
  lifecycle {
    prevent_destroy = true
  }
}
