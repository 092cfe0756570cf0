# With a domain: a load balancer of Google's before the gateway, with a certificate that Google renews.
#
# API Gateway has no custom domains of its own. The gateway's own host name goes on answering beside it: there is no
# switch that turns it off, so nothing may rest on requests having come through here.

locals {
  # One key whatever the domain is called: another one replaces the certificate alone, and the address stays.
  domains = var.domain == null ? {} : { gateway = var.domain }
}

resource "google_compute_global_address" "this" {
  for_each = local.domains

  project = var.project
  name    = "${var.prefix}-gateway"
  labels  = var.labels
}

resource "google_compute_region_network_endpoint_group" "this" {
  for_each = local.domains
  provider = google-beta

  project               = var.project
  region                = var.region
  name                  = "${var.prefix}-gateway"
  network_endpoint_type = "SERVERLESS"

  serverless_deployment {
    platform = "apigateway.googleapis.com"
    resource = google_api_gateway_gateway.this.gateway_id
  }
}

resource "google_compute_backend_service" "this" {
  for_each = local.domains

  project               = var.project
  name                  = "${var.prefix}-gateway"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = one(google_compute_security_policy.this[*].id)

  backend {
    group = google_compute_region_network_endpoint_group.this[each.key].id
  }

  # Request lines hold the query, and that of a callback a code and a state: the functions log what is needed.
  log_config {
    enable = false
  }
}

resource "google_compute_security_policy" "this" {
  count = var.requests_per_minute == null ? 0 : 1

  project = var.project
  name    = "${var.prefix}-gateway"

  rule {
    action      = "throttle"
    priority    = 1000
    description = "So many requests a minute and address."

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.requests_per_minute
        interval_sec = 60
      }
    }
  }

  # CVE-2021-44228 and its like: nothing here is Java, but whoever asks for it asks for nothing else either.
  rule {
    action      = "deny(403)"
    priority    = 900
    description = "Attempts at Log4j."

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('cve-canary')"
      }
    }
  }

  rule {
    action      = "allow"
    priority    = 2147483647
    description = "Everybody else: the functions ask who calls."

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_url_map" "this" {
  for_each = local.domains

  project         = var.project
  name            = "${var.prefix}-gateway"
  default_service = google_compute_backend_service.this[each.key].id
}

resource "google_compute_managed_ssl_certificate" "this" {
  for_each = local.domains

  project = var.project
  # Another domain is another certificate, which has to be there before the old one goes.
  name = "${var.prefix}-${substr(sha256(each.value), 0, 8)}"

  managed {
    domains = [each.value]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "this" {
  for_each = local.domains

  project         = var.project
  name            = "${var.prefix}-gateway"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "this" {
  for_each = local.domains

  project          = var.project
  name             = "${var.prefix}-gateway"
  url_map          = google_compute_url_map.this[each.key].id
  ssl_certificates = [google_compute_managed_ssl_certificate.this[each.key].id]
  ssl_policy       = google_compute_ssl_policy.this[each.key].id
}

resource "google_compute_global_forwarding_rule" "https" {
  for_each = local.domains

  project               = var.project
  name                  = "${var.prefix}-gateway-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this[each.key].id
  port_range            = "443"
  target                = google_compute_target_https_proxy.this[each.key].id
  labels                = var.labels
}
