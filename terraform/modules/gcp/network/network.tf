# A network for one purpose: the way from the functions to Redis, which has no public address. All else that they call goes straight to the internet.

locals {
  # A connector takes a /28, neither more nor less; instances with interfaces of their own want room, as a new revision runs beside
  # the old one. The two do not overlap, so that there can be both while one way takes the place of the other.
  subnet_cidr = coalesce(var.subnet_cidr, var.egress == "connector" ? "10.8.0.0/28" : "10.8.1.0/24")
}

resource "google_compute_network" "this" {
  project                 = var.project
  name                    = "${var.prefix}-oauth"
  description             = "From the functions of the OAuth Management Service to Redis."
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

resource "google_compute_subnetwork" "functions" {
  #checkov:skip=CKV_GCP_76:The subnetwork has IPv4 addresses only, so there is nothing that IPv6 could reach privately.
  for_each = { (var.egress) = local.subnet_cidr }

  project       = var.project
  region        = var.region
  name          = "${var.prefix}-${each.key}"
  description   = each.key == "connector" ? "The instances of the Serverless VPC Access connector." : "The functions' own interfaces."
  network       = google_compute_network.this.id
  ip_cidr_range = each.value

  private_ip_google_access = true

  # Who has spoken with Redis; a tenth of the flows is enough to see that and cheap.
  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }

  # The old way goes when the functions have the new one.
  lifecycle {
    create_before_destroy = true
  }
}
