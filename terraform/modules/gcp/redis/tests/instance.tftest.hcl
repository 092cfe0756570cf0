# Nobody reads along, nobody gets in without the password, and the functions get the URL that they need.

mock_provider "google" {
  mock_resource "google_redis_instance" {
    defaults = {
      id          = "projects/demo-project/locations/us-central1/instances/dev-redis"
      host        = "10.9.0.4"
      port        = 6378
      auth_string = "0f8fad5b-d9cb-469f-a165-70867728950e"
      server_ca_certs = [
        { cert = "-----BEGIN CERTIFICATE-----\nold\n-----END CERTIFICATE-----\n", create_time = "", expire_time = "", serial_number = "", sha1_fingerprint = "" },
        { cert = "-----BEGIN CERTIFICATE-----\nnew\n-----END CERTIFICATE-----\n", create_time = "", expire_time = "", serial_number = "", sha1_fingerprint = "" },
      ]
    }
  }
}

variables {
  project    = "demo-project"
  prefix     = "dev"
  network_id = "projects/demo-project/global/networks/dev-oauth"
  runbook    = "https://git.example.com/oauth/docs/operations.md"
}

run "asks_for_a_password_speaks_tls_and_lets_parked_tokens_go_last" {
  command = plan

  assert {
    condition     = google_redis_instance.this.auth_enabled && google_redis_instance.this.transit_encryption_mode == "SERVER_AUTHENTICATION"
    error_message = "Redis takes connections without password or TLS."
  }

  assert {
    condition     = google_redis_instance.this.connect_mode == "PRIVATE_SERVICE_ACCESS" && google_redis_instance.this.authorized_network == var.network_id
    error_message = "Redis is reached from another network."
  }

  assert {
    condition     = google_redis_instance.this.redis_configs["maxmemory-policy"] == "volatile-ttl"
    error_message = "A full Redis would refuse writes, or forget parked tokens before cached ones."
  }

  assert {
    condition     = google_redis_instance.this.tier == "BASIC" && google_redis_instance.this.memory_size_gb == 1
    error_message = "The default is not the smallest."
  }
}

run "survives_a_zone_with_ha" {
  command = plan

  variables {
    ha         = true
    memory_gib = 5
  }

  assert {
    condition     = google_redis_instance.this.tier == "STANDARD_HA" && google_redis_instance.this.memory_size_gb == 5
    error_message = "There is no second node, or another size."
  }
}

run "functions_get_a_url_with_the_password_and_the_authorities" {
  # Applied to the mock, which has the values that Google would compute.
  command = apply

  assert {
    condition     = nonsensitive(output.url) == "rediss://:0f8fad5b-d9cb-469f-a165-70867728950e@10.9.0.4:6378"
    error_message = "CACHE_URL is not that of the instance."
  }

  assert {
    condition     = output.ca == "-----BEGIN CERTIFICATE-----\nnew\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nold\n-----END CERTIFICATE-----"
    error_message = "CACHE_CA depends on the order that Google answers in, or lacks an authority while one is replaced by the other."
  }

  assert {
    condition     = issensitive(output.url) && issensitive(output.auth_string)
    error_message = "The password would be shown."
  }
}

run "refuses_half_a_gib_and_a_day_that_google_does_not_know" {
  command = plan

  variables {
    memory_gib  = 0.5
    maintenance = { day = "Sunday" }
  }

  expect_failures = [var.memory_gib, var.maintenance]
}
