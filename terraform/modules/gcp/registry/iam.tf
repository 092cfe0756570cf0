# Who may pull. Cloud Run of the same project may anyway, by its service agent; these are others, such as a scanner.

resource "google_artifact_registry_repository_iam_member" "reader" {
  for_each = var.readers

  project    = var.project
  location   = google_artifact_registry_repository.this.location
  repository = google_artifact_registry_repository.this.repository_id
  role       = "roles/artifactregistry.reader"
  member     = each.value
}
