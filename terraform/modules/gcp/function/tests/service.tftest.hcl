# What a function's service promises.

mock_provider "google" {}

variables {
  project         = "demo"
  project_number  = "123456789012"
  region          = "us-central1"
  name            = "oauth-token-get"
  image           = "us-central1-docker.pkg.dev/demo/oauth/token-get:v1"
  service_account = "oauth-token-get@demo.iam.gserviceaccount.com"
  timeout_seconds = 35
  env             = { LOG = "info" }
  secret_env      = { AUDIT_KEY = { secret = "oauth-audit-key" }, CACHE_URL = { secret = "oauth-cache-url", version = "3" } }
  secret_files    = { "/etc/oauth/callers.toml" = "oauth-callers" }
  invokers        = { billing = "serviceAccount:billing@demo.iam.gserviceaccount.com", ops = "group:ops@example.com" }
}

run "it_is_what_it_was_told_and_its_invokers_alone_reach_it" {
  command = plan

  # Only its invokers may invoke it.
  assert {
    condition = (
      google_cloud_run_v2_service_iam_binding.invokers[0].role == "roles/run.invoker" &&
      google_cloud_run_v2_service_iam_binding.invokers[0].members == toset(values(var.invokers))
    )
    error_message = "The binding names the invokers, all of them and nobody else."
  }
  assert {
    condition     = google_cloud_run_v2_service.this.invoker_iam_disabled != true
    error_message = "The invoker check is on."
  }

  # It runs as its own account from a release.
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].service_account == var.service_account
    error_message = "It runs as the account that it was given."
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].image == var.image
    error_message = "It runs the image that it was given."
  }

  # A secret is named and never copied.
  assert {
    condition = {
      for env in google_cloud_run_v2_service.this.template[0].containers[0].env :
      env.name => "${env.value_source[0].secret_key_ref[0].secret} ${env.value_source[0].secret_key_ref[0].version}" if env.name != "LOG"
    } == { AUDIT_KEY = "oauth-audit-key latest", CACHE_URL = "oauth-cache-url 3" }
    error_message = "Settings come from their secrets, of the latest version or of the one that is named."
  }
  assert {
    condition = (
      google_cloud_run_v2_service.this.template[0].containers[0].volume_mounts[0].mount_path == "/etc/oauth" &&
      google_cloud_run_v2_service.this.template[0].volumes[0].secret[0].secret == "oauth-callers" &&
      google_cloud_run_v2_service.this.template[0].volumes[0].secret[0].items[0].path == "callers.toml"
    )
    error_message = "The callers file is mounted from its secret, at its path."
  }

  # It scales to zero and is small unless told otherwise.
  assert {
    condition = (
      google_cloud_run_v2_service.this.template[0].scaling[0].min_instance_count == 0 &&
      google_cloud_run_v2_service.this.template[0].scaling[0].max_instance_count == 10 &&
      google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "512Mi" })
    )
    error_message = "0 to 10 instances of 1 CPU and 512 MiB."
  }
  assert {
    condition = (
      google_cloud_run_v2_service.this.template[0].timeout == "35s" &&
      google_cloud_run_v2_service.this.template[0].containers[0].startup_probe[0].tcp_socket[0].port == 8080
    )
    error_message = "The time-out is the given one, and the start-up probe is TCP."
  }

  # Its url is known before it is.
  assert {
    condition = (
      output.url == "https://oauth-token-get-123456789012.us-central1.run.app" &&
      google_cloud_run_v2_service.this.custom_audiences == tolist([output.url])
    )
    error_message = "The URL is made of name, number and region, and a token for it is taken."
  }
}

run "without_invokers_inside_by_the_connector" {
  command = plan

  variables {
    invokers   = {}
    ingress    = "internal"
    vpc_access = { connector = "projects/demo/locations/us-central1/connectors/oauth-redis-connector" }
  }

  # Nobody is an invoker unless named.
  assert {
    condition     = length(google_cloud_run_v2_service_iam_binding.invokers) == 0
    error_message = "Without invokers there is no binding."
  }

  # It takes the connector.
  assert {
    condition = (
      google_cloud_run_v2_service.this.template[0].vpc_access[0].connector == var.vpc_access.connector &&
      google_cloud_run_v2_service.this.template[0].vpc_access[0].egress == "PRIVATE_RANGES_ONLY" &&
      length(google_cloud_run_v2_service.this.template[0].vpc_access[0].network_interfaces) == 0
    )
    error_message = "What is private goes through the connector, and nothing else does."
  }

  # Internal means internal.
  assert {
    condition     = google_cloud_run_v2_service.this.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "Internal ingress leaves the internet out."
  }
}

run "or_it_stands_in_the_network" {
  command = plan

  variables {
    vpc_access = { network = "oauth", subnetwork = "oauth-run" }
  }

  assert {
    condition = (
      google_cloud_run_v2_service.this.template[0].vpc_access[0].network_interfaces[0].subnetwork == "oauth-run"
    )
    error_message = "Direct egress has an interface in the subnetwork."
  }
}
