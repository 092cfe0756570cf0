# What can be pushed and pulled, and what is kept.

mock_provider "google" {}

variables {
  project = "demo-project"
  prefix  = "dev"
}

run "a_tag_names_one_image_for_good_and_nobody_else_reads_by_default" {
  command = plan

  assert {
    condition     = google_artifact_registry_repository.this.docker_config[0].immutable_tags
    error_message = "A tag can be moved to another image."
  }

  assert {
    condition     = length(google_artifact_registry_repository_iam_member.reader) == 0
    error_message = "Somebody may read who was not named."
  }
}

run "keeps_what_a_rollback_needs_and_deletes_the_rest" {
  command = plan

  variables {
    keep_releases     = 3
    delete_after_days = 2
  }

  assert {
    condition = anytrue([
      for policy in google_artifact_registry_repository.this.cleanup_policies :
      policy.action == "KEEP" && try(policy.most_recent_versions[0].keep_count == 3, false)
    ])
    error_message = "The newest releases are not kept."
  }

  assert {
    condition = anytrue([
      for policy in google_artifact_registry_repository.this.cleanup_policies :
      policy.action == "DELETE" && try(policy.condition[0].older_than == "172800s", false)
    ])
    error_message = "Old images are not deleted."
  }
}

run "says_where_images_go_and_lets_readers_read_and_not_write" {
  command = plan

  variables {
    region  = "europe-west1"
    readers = { scanner = "serviceAccount:scanner@other-project.iam.gserviceaccount.com" }
  }

  assert {
    condition     = output.url == "europe-west1-docker.pkg.dev/demo-project/dev-oauth"
    error_message = "The address is not that of the repository."
  }

  assert {
    condition = (
      google_artifact_registry_repository_iam_member.reader["scanner"].role == "roles/artifactregistry.reader" &&
      google_artifact_registry_repository_iam_member.reader["scanner"].member == "serviceAccount:scanner@other-project.iam.gserviceaccount.com"
    )
    error_message = "A reader has another role, or another has it."
  }
}

run "refuses_everybody_as_a_reader_and_to_keep_nothing_to_go_back_to" {
  command = plan

  variables {
    readers       = { world = "allUsers" }
    keep_releases = 1
  }

  expect_failures = [var.readers, var.keep_releases]
}
