# The range in which Google puts Redis, and the peering that leads there.

resource "google_compute_global_address" "services" {
  project       = var.project
  name          = "${var.prefix}-oauth-services"
  description   = "Where Google's managed services of this network have their addresses."
  network       = google_compute_network.this.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = split("/", var.services_cidr)[0]
  prefix_length = tonumber(split("/", var.services_cidr)[1])
  labels        = var.labels
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]

  # Google keeps its end for some days after the last service has gone, and refuses until then: deleting the network ends ours.
  deletion_policy = "ABANDON"
}
