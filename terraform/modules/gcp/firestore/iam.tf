# Who may read and write documents, in this database and in no other of the project.

locals {
  roles = {
    read  = "roles/datastore.viewer"
    write = "roles/datastore.user"
  }
}

resource "google_project_iam_member" "user" {
  for_each = var.users

  project = var.project
  role    = local.roles[each.value.role]
  member  = each.value.member

  # Firestore has no policies of its own: rights are the project's, and this narrows them to one database.
  condition {
    title       = "${local.name} only"
    description = "The database of the OAuth Management Service."
    expression  = "resource.name == \"projects/${var.project}/databases/${local.name}\""
  }
}
