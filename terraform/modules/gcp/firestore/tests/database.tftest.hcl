# What keeps the documents, who may use them, and for how long they can be brought back.

mock_provider "google" {}

variables {
  project = "demo-project"
  prefix  = "dev"
  users = {
    admin  = { member = "serviceAccount:dev-admin@demo-project.iam.gserviceaccount.com" }
    report = { member = "serviceAccount:report@demo-project.iam.gserviceaccount.com", role = "read" }
  }
}

run "nobody_deletes_the_database_and_rights_end_at_it" {
  command = plan

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.this.deletion_policy == "ABANDON"
    error_message = "Google would delete the database when asked."
  }

  # The flag is not in a plan, so it is looked for where it is written.
  assert {
    condition     = length(regexall("prevent_destroy = true", file("${path.module}/database.tf"))) == 1
    error_message = "Terraform would delete the database."
  }

  assert {
    condition = alltrue([
      for grant in google_project_iam_member.user :
      length(grant.condition) == 1 && grant.condition[0].expression == "resource.name == \"projects/demo-project/databases/dev-oauth\""
    ]) && length(google_project_iam_member.user) == 2
    error_message = "Somebody may use other databases of the project."
  }

  assert {
    condition = (
      google_project_iam_member.user["admin"].role == "roles/datastore.user" &&
      google_project_iam_member.user["report"].role == "roles/datastore.viewer"
    )
    error_message = "Who only reads may write, or who writes may not."
  }
}

run "protection_can_be_taken_off_and_functions_are_told_where_the_store_is" {
  command = plan

  variables {
    deletion_protection = false
    name                = "(default)"
  }

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_DISABLED"
    error_message = "A database that nobody needs can't be deleted."
  }

  assert {
    condition     = output.store_url == "firestore://demo-project/(default)" && google_firestore_database.this.name == "(default)"
    error_message = "STORE_URL does not name the database."
  }

  assert {
    condition     = alltrue([for grant in google_project_iam_member.user : strcontains(grant.condition[0].expression, "/databases/(default)\"")])
    error_message = "Rights are for another database."
  }
}

run "any_minute_and_every_day_and_week_can_be_brought_back" {
  command = plan

  variables {
    backup_days = { daily = 3, weekly = 98 }
  }

  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "A minute of last week can't be brought back."
  }

  assert {
    condition = (
      google_firestore_backup_schedule.daily.retention == "259200s" && length(google_firestore_backup_schedule.daily.daily_recurrence) == 1 &&
      google_firestore_backup_schedule.weekly.retention == "8467200s" && length(google_firestore_backup_schedule.weekly.weekly_recurrence) == 1
    )
    error_message = "Backups are not made daily and weekly, or not kept as long as told."
  }

  assert {
    condition     = output.backup_retention == "98d"
    error_message = "Whoever erases a tenant is told another time than that of the last backup."
  }
}

run "refuses_everybody_and_backups_that_google_would_not_keep" {
  command = plan

  variables {
    users       = { world = { member = "allUsers", role = "read" } }
    backup_days = { weekly = 365 }
  }

  expect_failures = [var.users, var.backup_days]
}

run "refuses_a_role_of_its_own" {
  command = plan

  variables {
    users = { admin = { member = "serviceAccount:a@demo-project.iam.gserviceaccount.com", role = "owner" } }
  }

  expect_failures = [var.users]
}
