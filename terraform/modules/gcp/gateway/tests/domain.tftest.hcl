# What a domain brings.

mock_provider "google" {}

mock_provider "google-beta" {}

variables {
  project         = "demo"
  prefix          = "oauth"
  region          = "us-central1"
  service_account = "oauth-gateway@demo.iam.gserviceaccount.com"
  domain          = "oauth.example.com"
  addresses = {
    authorize = "https://oauth-authorize-123456789012.us-central1.run.app"
    callback  = "https://oauth-callback-123456789012.us-central1.run.app"
  }
}

run "the_domain_leads_to_the_gateway_over_tls_and_asks_no_more_than_wanted" {
  command = plan

  variables {
    requests_per_minute = 600
  }

  # The domain leads to the gateway over tls.
  assert {
    condition     = output.url == "https://oauth.example.com" && output.host == "oauth.example.com"
    error_message = "The domain is what it is reached under."
  }
  assert {
    condition = (
      google_compute_managed_ssl_certificate.this["gateway"].managed[0].domains == tolist(["oauth.example.com"]) &&
      google_compute_ssl_policy.this["gateway"].min_tls_version == "TLS_1_2" &&
      google_compute_ssl_policy.this["gateway"].profile == "MODERN"
    )
    error_message = "Its certificate is for the domain, and TLS is 1.2 or newer."
  }
  assert {
    condition = (
      google_compute_region_network_endpoint_group.this["gateway"].serverless_deployment[0].platform == "apigateway.googleapis.com" &&
      google_compute_region_network_endpoint_group.this["gateway"].serverless_deployment[0].resource == google_api_gateway_gateway.this.gateway_id
    )
    error_message = "Behind the load balancer stands the gateway."
  }

  # Plain http only redirects.
  assert {
    condition = (
      google_compute_url_map.redirect["gateway"].default_url_redirect[0].https_redirect &&
      google_compute_url_map.redirect["gateway"].default_service == null &&
      google_compute_global_forwarding_rule.http["gateway"].port_range == "80"
    )
    error_message = "Port 80 sends to https and serves nothing."
  }

  # Request lines with codes in them are not logged.
  assert {
    condition     = google_compute_backend_service.this["gateway"].log_config[0].enable == false
    error_message = "The load balancer's log would hold the codes and states of callbacks."
  }

  # An address that asks too much is held back if wanted.
  assert {
    condition = [
      for rule in google_compute_security_policy.this[0].rule : rule.rate_limit_options[0].rate_limit_threshold[0].count if rule.action == "throttle"
    ] == [600]
    error_message = "So many requests a minute and address."
  }
}

run "a_limit_without_a_load_balancer_is_refused" {
  command = plan

  variables {
    domain              = null
    requests_per_minute = 600
  }

  expect_failures = [var.requests_per_minute]
}

run "a_url_is_no_domain" {
  command = plan

  variables {
    domain = "https://oauth.example.com"
  }

  expect_failures = [var.domain]
}
