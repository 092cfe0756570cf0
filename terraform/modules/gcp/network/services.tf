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

  # Google refuses to end the connection for some days after the last service has gone, so it is left. The peering that belongs to
  # it stays too, and no network with a peering can be deleted: `make destroy` deletes the peering first (docs/deploy.md).
  deletion_policy = "ABANDON"

  # What was left still knows the range of the network that had this name before; that is brought up to date then.
  update_on_creation_fail = true
}
