# The repository that the functions' images are pushed to: a tag names one image for good, and what is old goes by itself.

locals {
  repository = "${var.prefix}-oauth"
}

resource "google_artifact_registry_repository" "this" {
  #checkov:skip=CKV_GCP_84:Images hold nothing secret (the same binaries as the sources), so Google's own encryption at rest is enough.
  project       = var.project
  location      = var.region
  repository_id = local.repository
  format        = "DOCKER"
  description   = "Images of the OAuth Management Service."
  labels        = var.labels

  docker_config {
    # A rollback gets what ran then, not what was pushed under that name since.
    immutable_tags = true
  }

  # Keeping wins over deleting. Counted by image, and each function is an image.
  cleanup_policies {
    id     = "keep-releases"
    action = "KEEP"

    most_recent_versions {
      keep_count = var.keep_releases
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "${var.delete_after_days * 86400}s"
    }
  }
}
