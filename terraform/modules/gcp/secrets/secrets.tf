# Places for secrets, without their values: those are put in by `make secrets` and never come near the state.

locals {
  # The URL of Redis is the one value that Terraform knows, as Google makes its password.
  all = merge(
    { for name, secret in var.secrets : name => secret.readers },
    length(var.cache_url_readers) > 0 ? { cache-url = var.cache_url_readers } : {},
  )
}

resource "google_secret_manager_secret" "this" {
  for_each = local.all

  project   = var.project
  secret_id = "${var.prefix}-${each.key}"
  labels    = var.labels

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  # A version that was destroyed by mistake can be switched on again for a week.
  version_destroy_ttl = "604800s"
}

resource "google_secret_manager_secret_version" "cache_url" {
  count = length(var.cache_url_readers) > 0 ? 1 : 0

  secret = google_secret_manager_secret.this["cache-url"].id

  # Write-only: it is sent and forgotten, and the number is how Terraform knows that it is another one.
  secret_data_wo         = var.cache_url
  secret_data_wo_version = parseint(substr(nonsensitive(sha256(coalesce(var.cache_url, "-"))), 0, 12), 16)

  # Instances that start in between find the new version or the old one.
  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.cache_url != null
      error_message = "cache_url_readers may read a secret that has no value: set cache_url too."
    }
  }
}
