# The database, and what brings back what was in it: any minute of the last week, and a backup of every day and week.

locals {
  name = coalesce(var.name, "${var.prefix}-oauth")
}

resource "google_firestore_database" "this" {
  project     = var.project
  name        = local.name
  location_id = var.location
  type        = "FIRESTORE_NATIVE"

  app_engine_integration_mode = "DISABLED"

  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"

  # Google refuses to delete it while this is on, whoever asks.
  delete_protection_state = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy         = "ABANDON"

  # Whoever wants it gone deletes it by hand (docs/deploy.md).
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_firestore_backup_schedule" "daily" {
  project   = var.project
  database  = google_firestore_database.this.name
  retention = "${var.backup_days.daily * 86400}s"

  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  project   = var.project
  database  = google_firestore_database.this.name
  retention = "${var.backup_days.weekly * 86400}s"

  weekly_recurrence {
    day = "SUNDAY"
  }
}
