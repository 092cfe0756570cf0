# With a domain: who comes over http:// is sent to https://, and to nothing else.

resource "google_compute_url_map" "redirect" {
  for_each = local.domains

  project = var.project
  name    = "${var.prefix}-gateway-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "PERMANENT_REDIRECT" # 308: a POST stays one
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "redirect" {
  for_each = local.domains

  project = var.project
  name    = "${var.prefix}-gateway-redirect"
  url_map = google_compute_url_map.redirect[each.key].id
}

resource "google_compute_global_forwarding_rule" "http" {
  for_each = local.domains

  project               = var.project
  name                  = "${var.prefix}-gateway-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this[each.key].id
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect[each.key].id
  labels                = var.labels
}
