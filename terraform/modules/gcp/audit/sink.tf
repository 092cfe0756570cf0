# What goes into the bucket, and into no other.

locals {
  # A line `{"audit":{…},"mac":"…","target":"audit"}` on standard output arrives as jsonPayload.audit.…, jsonPayload.mac and
  # jsonPayload.target. Other log lines have a target too, a Rust module's, but are written to standard error.
  lines = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=(${join(" OR ", formatlist("%q", sort(var.services)))})",
    "log_id(\"run.googleapis.com/stdout\")",
    "jsonPayload.target=\"audit\"",
  ])

  uses = join(" AND ", [
    "log_id(\"cloudaudit.googleapis.com/data_access\")",
    "protoPayload.serviceName=(${join(" OR ", formatlist("%q", sort(var.data_access)))})",
  ])

  filter = length(var.data_access) > 0 ? "(${local.lines}) OR (${local.uses})" : local.lines
}

# Into a bucket of the same project a sink writes without an account of its own, so there is none to give rights to.
resource "google_logging_project_sink" "audit" {
  project     = var.project
  name        = local.bucket
  description = "The audit log, into a bucket of its own."
  destination = "logging.googleapis.com/${local.bucket_id}"
  filter      = local.filter

  depends_on = [google_logging_project_bucket_config.audit]
}

# Not a second time into the project's default bucket, where everybody who reads logs would see who was served what.
resource "google_logging_project_exclusion" "audit" {
  project     = var.project
  name        = local.bucket
  description = "The audit log has a bucket of its own."
  filter      = local.filter

  depends_on = [google_logging_project_sink.audit]
}
