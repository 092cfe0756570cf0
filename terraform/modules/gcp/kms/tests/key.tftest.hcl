# Who may decrypt, and that what was encrypted can be decrypted for ever.

mock_provider "google" {}

variables {
  project = "demo-project"
  prefix  = "dev"
  runbook = "https://git.example.com/oauth/docs/operations.md"
  users = {
    callback  = "serviceAccount:dev-callback@demo-project.iam.gserviceaccount.com"
    token-get = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/dev-aws/attribute.role/dev-token-get"
  }
}

run "nobody_but_the_users_may_decrypt" {
  command = plan

  assert {
    condition = google_kms_crypto_key_iam_binding.users.members == toset([
      "serviceAccount:dev-callback@demo-project.iam.gserviceaccount.com",
      "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/dev-aws/attribute.role/dev-token-get",
    ])
    error_message = "Others than the users may use the key, or one of them may not."
  }

  assert {
    condition     = google_kms_crypto_key_iam_binding.users.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    error_message = "The users have another role than to encrypt and decrypt."
  }
}

run "rotates_every_90_days_is_where_key_url_says_and_is_never_deleted" {
  command = plan

  assert {
    condition     = google_kms_crypto_key.token.rotation_period == "7776000s"
    error_message = "The key is not rotated every 90 days."
  }

  assert {
    condition = (
      google_kms_crypto_key.token.purpose == "ENCRYPT_DECRYPT" &&
      google_kms_crypto_key.token.version_template[0].algorithm == "GOOGLE_SYMMETRIC_ENCRYPTION"
    )
    error_message = "The key is not a symmetric one."
  }

  assert {
    condition     = output.key_url == "gcpkms://projects/demo-project/locations/us-central1/keyRings/dev-oauth-keys/cryptoKeys/oauth-token-key"
    error_message = "KEY_URL does not name the key."
  }

  assert {
    condition     = google_kms_key_ring.this.name == "dev-oauth-keys" && google_kms_crypto_key.token.name == "oauth-token-key" && google_kms_key_ring.this.location == "us-central1"
    error_message = "The key is not where KEY_URL says."
  }

  # The flag is not in a plan, so it is looked for where it is written.
  assert {
    condition     = length(regexall("prevent_destroy = true", file("${path.module}/key.tf"))) == 2
    error_message = "Terraform would delete the key or its ring."
  }
}

run "tells_of_a_version_that_is_being_destroyed_while_it_can_be_restored" {
  command = plan

  assert {
    condition     = google_kms_crypto_key.token.destroy_scheduled_duration == "2592000s"
    error_message = "A destroyed version can't be restored for 30 days."
  }

  assert {
    condition = (
      strcontains(google_monitoring_alert_policy.key_destroyed.conditions[0].condition_matched_log[0].filter, "DestroyCryptoKeyVersion") &&
      strcontains(google_monitoring_alert_policy.key_destroyed.conditions[0].condition_matched_log[0].filter, "keyRings/dev-oauth-keys/cryptoKeys/oauth-token-key/")
    )
    error_message = "The alert does not look for versions of this key that are destroyed."
  }

  assert {
    condition = (
      google_monitoring_alert_policy.key_destroyed.documentation[0].links[0].url == "https://git.example.com/oauth/docs/operations.md#alert-key-destroyed" &&
      strcontains(google_monitoring_alert_policy.key_destroyed.documentation[0].content, "#alert-key-destroyed")
    )
    error_message = "The alert does not lead to its entry in the runbook."
  }
}

run "refuses_a_key_that_nobody_may_use_and_to_destroy_before_anybody_notices" {
  command = plan

  variables {
    users              = {}
    destroy_after_days = 1
  }

  expect_failures = [var.users, var.destroy_after_days]
}

run "refuses_people" {
  command = plan

  variables {
    users = { ann = "user:ann@example.com" }
  }

  expect_failures = [var.users]
}

run "refuses_everybody" {
  command = plan

  variables {
    users = { world = "allAuthenticatedUsers" }
  }

  expect_failures = [var.users]
}
