# The key that wraps the keys that seal tokens. Nothing that it wrapped can be opened without it, ever, so nothing here deletes it.

locals {
  ring = "${var.prefix}-oauth-keys"
  name = "oauth-token-key"

  # Computed, not read back, so that every plan can show what it is about before the key exists.
  key_id = "projects/${var.project}/locations/${var.region}/keyRings/${local.ring}/cryptoKeys/${local.name}"
}

resource "google_kms_key_ring" "this" {
  project  = var.project
  location = var.region
  name     = local.ring

  # Google keeps a ring and its name for ever.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key" "token" {
  key_ring = google_kms_key_ring.this.id
  name     = local.name
  purpose  = "ENCRYPT_DECRYPT"
  labels   = var.labels

  # Ninety days. Earlier versions go on opening what they wrapped: data keys are not wrapped anew, so none may be destroyed.
  rotation_period = "7776000s"

  # How long a version that somebody has destroyed can still be restored.
  destroy_scheduled_duration = "${var.destroy_after_days * 86400}s"

  version_template {
    algorithm        = "GOOGLE_SYMMETRIC_ENCRYPTION"
    protection_level = var.protection_level
  }

  # Terraform would destroy every version of it.
  lifecycle {
    prevent_destroy = true
  }
}
