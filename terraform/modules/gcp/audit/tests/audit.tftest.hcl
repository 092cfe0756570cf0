# Every audit line goes into a bucket that keeps it, is nowhere else, and is read by whom it is for.

mock_provider "google" {}

variables {
  project  = "demo-project"
  prefix   = "dev"
  services = ["dev-token-get", "dev-admin"]
  locked   = false
}

run "keeps_the_audit_lines_of_the_services_and_nothing_else" {
  command = plan

  variables {
    data_access = []
  }

  assert {
    condition = google_logging_project_sink.audit.filter == join(" AND ", [
      "resource.type=\"cloud_run_revision\"",
      "resource.labels.service_name=(\"dev-admin\" OR \"dev-token-get\")",
      "log_id(\"run.googleapis.com/stdout\")",
      "jsonPayload.target=\"audit\"",
    ])
    error_message = "The sink takes other lines than the audit lines of the services."
  }

  assert {
    condition     = google_logging_project_sink.audit.destination == "logging.googleapis.com/projects/demo-project/locations/us-central1/buckets/dev-oauth-audit"
    error_message = "The sink leads to another bucket."
  }

  assert {
    condition     = google_logging_project_bucket_config.audit.bucket_id == "dev-oauth-audit" && google_logging_project_bucket_config.audit.location == "us-central1"
    error_message = "The bucket is not where the sink leads."
  }

  assert {
    condition     = length(google_project_iam_audit_config.data_access) == 0
    error_message = "What the project records is changed although nobody asked for it."
  }
}

run "keeps_who_used_the_key_and_the_secrets_nowhere_else_and_for_400_days" {
  command = plan

  assert {
    condition = alltrue([
      for service in ["cloudkms.googleapis.com", "secretmanager.googleapis.com"] :
      strcontains(google_logging_project_sink.audit.filter, "\"${service}\"") &&
      toset([for log in google_project_iam_audit_config.data_access[service].audit_log_config : log.log_type]) == toset(["DATA_READ", "DATA_WRITE"])
    ])
    error_message = "The use of the key or of secrets is not recorded, or not kept."
  }

  assert {
    condition     = google_logging_project_exclusion.audit.filter == google_logging_project_sink.audit.filter
    error_message = "Audit lines are in the default bucket too, or other lines are missing there."
  }

  assert {
    condition     = google_logging_project_bucket_config.audit.retention_days == 400 && google_logging_project_bucket_config.audit.locked == false
    error_message = "The default is another time, or locks what can't be unlocked."
  }

  # The flag is not in a plan, so it is looked for where it is written.
  assert {
    condition     = length(regexall("prevent_destroy = true", file("${path.module}/bucket.tf"))) == 1
    error_message = "Terraform would delete the audit log."
  }
}

run "nobody_shortens_what_is_locked_and_readers_read_this_bucket_only" {
  command = plan

  variables {
    locked         = true
    retention_days = 3650
    readers        = { auditors = "group:auditors@example.com" }
  }

  assert {
    condition     = google_logging_project_bucket_config.audit.locked && google_logging_project_bucket_config.audit.retention_days == 3650
    error_message = "The bucket is not locked, or not for as long as told."
  }

  assert {
    condition = (
      google_project_iam_member.reader["auditors"].role == "roles/logging.viewAccessor" && google_project_iam_member.reader["auditors"].member == "group:auditors@example.com" &&
      google_project_iam_member.reader["auditors"].condition[0].expression == "resource.name == \"projects/demo-project/locations/us-central1/buckets/dev-oauth-audit/views/_AllLogs\""
    )
    error_message = "A reader sees other logs, or not this one."
  }
}

run "refuses_everybody_as_a_reader_no_service_and_more_days_than_google_keeps" {
  command = plan

  variables {
    readers        = { world = "allAuthenticatedUsers" }
    services       = []
    retention_days = 4000
  }

  expect_failures = [var.readers, var.services, var.retention_days]
}
