# What a function's service refuses.

provider "google" {
  project = "demo"
  region  = "us-central1"
}

variables {
  project         = "demo"
  project_number  = "123456789012"
  region          = "us-central1"
  name            = "oauth-token-get"
  image           = "us-central1-docker.pkg.dev/demo/oauth/token-get:v1"
  service_account = "oauth-token-get@demo.iam.gserviceaccount.com"
  timeout_seconds = 35
  invokers        = {}
}

run "everybody_is_no_invoker" {
  command = plan

  variables {
    invokers = { everybody = "all${"Users"}" }
  }

  expect_failures = [var.invokers]
}

run "an_image_without_a_release_is_refused" {
  command = plan

  variables {
    image = "us-central1-docker.pkg.dev/demo/oauth/token-get"
  }

  expect_failures = [var.image]
}

run "latest_is_no_release" {
  command = plan

  variables {
    image = "us-central1-docker.pkg.dev/demo/oauth/token-get:latest"
  }

  expect_failures = [var.image]
}

run "a_default_account_is_refused" {
  command = plan

  variables {
    service_account = "123456789012-compute@developer.gserviceaccount.com"
  }

  expect_failures = [var.service_account]
}

run "a_name_too_long_for_its_url_is_refused" {
  command = plan

  variables {
    name = "oauth-of-a-rather-long-name-that-goes-on-for-quite-a-while"
  }

  expect_failures = [var.name]
}

run "a_setting_that_stands_twice_is_refused" {
  command = plan

  variables {
    env        = { AUDIT_KEY = "x" }
    secret_env = { AUDIT_KEY = "oauth-audit-key" }
  }

  expect_failures = [var.secret_env]
}

run "two_secret_files_in_one_directory_are_refused" {
  command = plan

  variables {
    secret_files = { "/etc/oauth/a" = "a", "/etc/oauth/b" = "b" }
  }

  expect_failures = [var.secret_files]
}

run "a_time_out_beyond_the_schedulers_patience_is_refused" {
  command = plan

  variables {
    timeout_seconds = 1800
  }

  expect_failures = [var.timeout_seconds]
}

run "fewer_instances_at_most_than_at_least_are_refused" {
  command = plan

  variables {
    min_instances = 11
  }

  expect_failures = [var.max_instances]
}
