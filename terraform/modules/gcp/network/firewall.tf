# Nothing comes in, and what tries is logged. The rules that a connector needs are made by Google, with a higher priority.

resource "google_compute_firewall" "deny_ingress" {
  project       = var.project
  name          = "${var.prefix}-oauth-deny-ingress"
  description   = "Nothing in this network is called from outside of it; what tries is logged."
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65000
  source_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}
