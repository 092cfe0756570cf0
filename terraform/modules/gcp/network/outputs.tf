# What others take from the module.

output "network_id" {
  description = "Id of the network, for Redis; whoever uses it waits until Google can put something into it."
  value       = google_compute_network.this.id
  depends_on  = [google_service_networking_connection.services]
}

output "subnet_id" {
  description = "Id of the subnetwork that the functions' traffic comes from."
  value       = google_compute_subnetwork.functions[var.egress].id
}

output "vpc_access" {
  description = "How a function gets in, for the module `function`: the id of a `connector`, or `network` and `subnetwork`; what does not apply is null."
  value = {
    connector  = var.egress == "connector" ? google_vpc_access_connector.redis[0].id : null
    network    = var.egress == "direct" ? google_compute_network.this.id : null
    subnetwork = var.egress == "direct" ? google_compute_subnetwork.functions[var.egress].id : null
  }
}
