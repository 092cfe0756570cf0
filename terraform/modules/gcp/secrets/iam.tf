# Who may read which secret: nobody reads all of them, and nobody is named for the project as a whole.

locals {
  readers = merge([
    for name, readers in local.all : { for reader, member in readers : "${name}/${reader}" => { secret = name, member = member } }
  ]...)
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.readers

  project   = var.project
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}
