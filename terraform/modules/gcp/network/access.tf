# How functions get into the network: through a connector's instances, or with interfaces of their own.

resource "google_vpc_access_connector" "redis" {
  count = var.egress == "connector" ? 1 : 0

  project      = var.project
  region       = var.region
  name         = "${var.prefix}-redis-connector"
  machine_type = var.connector.machine_type

  # It grows under load, and never shrinks again by itself.
  min_instances = var.connector.min_instances
  max_instances = var.connector.max_instances

  subnet {
    name = google_compute_subnetwork.functions["connector"].name
  }

  # Functions leave it before it goes, when direct egress takes its place. With a name that is fixed it can't be replaced by
  # another connector, though: its other ranges are had by way of direct egress (README).
  lifecycle {
    create_before_destroy = true
  }
}
