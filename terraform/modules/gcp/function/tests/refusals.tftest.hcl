# What a function's service refuses.

mock_provider "google" {}

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

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    # Everybody is no invoker.
    invokers = { everybody = "all${"Users"}" }
    # An image without a release is refused.
    image = "us-central1-docker.pkg.dev/demo/oauth/token-get"
    # A default account is refused.
    service_account = "123456789012-compute@developer.gserviceaccount.com"
    # A name too long for its url is refused.
    name = "oauth-of-a-rather-long-name-that-goes-on-for-quite-a-while"
    # A setting that stands twice is refused.
    env        = { AUDIT_KEY = "x" }
    secret_env = { AUDIT_KEY = { secret = "oauth-audit-key" } }
    # Two secret files in one directory are refused.
    secret_files = { "/etc/oauth/a" = "a", "/etc/oauth/b" = "b" }
    # A time out beyond the schedulers patience is refused.
    timeout_seconds = 1800
    # Fewer instances at most than at least are refused.
    min_instances = 11
  }

  expect_failures = [var.invokers, var.image, var.service_account, var.name, var.secret_env, var.secret_files, var.timeout_seconds, var.max_instances]
}

run "latest_is_no_release" {
  command = plan

  variables {
    image = "us-central1-docker.pkg.dev/demo/oauth/token-get:latest"
  }

  expect_failures = [var.image]
}

run "little_memory_for_four_cpus_is_refused" {
  command = plan

  variables {
    cpu        = 4
    memory_mib = 1024
  }

  expect_failures = [var.memory_mib]
}

run "much_memory_for_one_cpu_is_refused" {
  command = plan

  variables {
    memory_mib = 4097
  }

  expect_failures = [var.memory_mib]
}

run "as_much_as_cloud_run_gives_is_taken" {
  command = plan

  variables {
    cpu        = 2
    memory_mib = 8192
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits["memory"] == "8192Mi"
    error_message = "An instance has another size than it was told."
  }
}
