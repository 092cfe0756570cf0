# Who may read what, and that no value comes near the state.

mock_provider "google" {}

variables {
  project = "demo-project"
  prefix  = "dev"
  secrets = {
    attempt-key = { readers = { authorize = "serviceAccount:dev-authorize@demo-project.iam.gserviceaccount.com" } }
    provider-slack-client-secret = {
      readers = {
        callback  = "serviceAccount:dev-callback@demo-project.iam.gserviceaccount.com"
        token-get = "serviceAccount:dev-token-get@demo-project.iam.gserviceaccount.com"
      }
    }
  }
}

run "readers_read_their_secrets_and_no_other_and_values_are_put_in_elsewhere" {
  command = plan

  assert {
    condition = toset([for grant in google_secret_manager_secret_iam_member.reader : "${grant.secret_id} ${grant.member}"]) == toset([
      "dev-attempt-key serviceAccount:dev-authorize@demo-project.iam.gserviceaccount.com",
      "dev-provider-slack-client-secret serviceAccount:dev-callback@demo-project.iam.gserviceaccount.com",
      "dev-provider-slack-client-secret serviceAccount:dev-token-get@demo-project.iam.gserviceaccount.com",
    ])
    error_message = "Somebody may read a secret that is not theirs, or may not read one that is."
  }

  assert {
    condition     = alltrue([for grant in google_secret_manager_secret_iam_member.reader : grant.role == "roles/secretmanager.secretAccessor"])
    error_message = "A reader may do more than read."
  }

  assert {
    condition     = length(google_secret_manager_secret_version.cache_url) == 0
    error_message = "A value is written that Terraform should not know."
  }

  assert {
    condition     = output.unset == tolist(["dev-attempt-key", "dev-provider-slack-client-secret"]) && output.ids["attempt-key"] == "dev-attempt-key"
    error_message = "Who puts values in is not told where."
  }
}

run "values_stay_in_their_region" {
  command = plan

  variables {
    region = "europe-west1"
  }

  assert {
    condition = alltrue([
      for secret in google_secret_manager_secret.this :
      [for replica in secret.replication[0].user_managed[0].replicas : replica.location] == ["europe-west1"] && length(secret.replication[0].auto) == 0
    ])
    error_message = "A value is kept elsewhere."
  }
}

run "the_url_of_redis_is_written_and_not_kept" {
  # Applied to the mock, so that there is a state to look at.
  command = apply

  variables {
    cache_url         = "rediss://:0f8fad5b-d9cb-469f-a165-70867728950e@10.9.0.4:6378"
    cache_url_readers = { authorize = "serviceAccount:dev-authorize@demo-project.iam.gserviceaccount.com" }
  }

  assert {
    condition     = !strcontains(jsonencode(google_secret_manager_secret_version.cache_url[0]), "0f8fad5b-d9cb-469f-a165-70867728950e")
    error_message = "The password of Redis is in the state of the secret's version."
  }

  assert {
    condition     = output.ids["cache-url"] == "dev-cache-url" && toset(keys(output.versions_ready)) == toset(["cache-url"])
    error_message = "Functions are not told where CACHE_URL is."
  }

  assert {
    condition     = google_secret_manager_secret_iam_member.reader["cache-url/authorize"].secret_id == "dev-cache-url"
    error_message = "A function that uses Redis may not read its URL."
  }
}

run "another_url_is_written_anew" {
  command = apply

  variables {
    cache_url         = "rediss://:7c9e6679-7425-40de-944b-e07fc1f90ae7@10.9.0.4:6378"
    cache_url_readers = { authorize = "serviceAccount:dev-authorize@demo-project.iam.gserviceaccount.com" }
  }

  assert {
    condition = (
      google_secret_manager_secret_version.cache_url[0].secret_data_wo_version ==
      parseint(substr(sha256("rediss://:7c9e6679-7425-40de-944b-e07fc1f90ae7@10.9.0.4:6378"), 0, 12), 16)
    )
    error_message = "A new password would not reach the functions."
  }
}

run "refuses_readers_without_a_url" {
  command = plan

  variables {
    cache_url_readers = { authorize = "serviceAccount:dev-authorize@demo-project.iam.gserviceaccount.com" }
  }

  expect_failures = [google_secret_manager_secret_version.cache_url]
}

run "refuses_people_and_everybody" {
  command = plan

  variables {
    secrets = { attempt-key = { readers = { world = "allUsers" } } }
  }

  expect_failures = [var.secrets]
}

run "refuses_two_ways_to_one_secret" {
  command = plan

  variables {
    secrets = { cache-url = { readers = {} } }
  }

  expect_failures = [var.secrets]
}
