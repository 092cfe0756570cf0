# How the gateway is reached, and by which paths.

output "hostname" {
  description = "The gateway's own host name."
  value       = google_api_gateway_gateway.this.default_hostname
}

output "host" {
  description = "The host that it is to be reached under: the domain, or the gateway's own."
  value       = var.domain == null ? google_api_gateway_gateway.this.default_hostname : var.domain
}

output "url" {
  description = "The URL that it is to be reached under, without a slash at its end."
  value       = "https://${var.domain == null ? google_api_gateway_gateway.this.default_hostname : var.domain}"
}

output "address" {
  description = "Address that the domain's A record has to name. Null without a domain."
  value       = one([for address in google_compute_global_address.this : address.address])
}

output "routes" {
  description = "What the definition lets through: method, path, function, address."
  value = flatten([
    for path, operations in local.paths : [
      for method, operation in operations : {
        method   = upper(method)
        path     = path
        function = operation["x-google-backend"]
        address  = jsondecode(local.definition)["x-google-api-management"].backends[operation["x-google-backend"]].address
      }
    ]
  ])
}

output "config_id" {
  description = "Name of the definition that is in use; another definition has another."
  value       = google_api_gateway_api_config.this.api_config_id
}
