# What others take from the module. The password stands in the state, as Google makes it: keep the state private.

output "host" {
  description = "Private address of Redis."
  value       = google_redis_instance.this.host
}

output "port" {
  description = "Port of Redis, with TLS."
  value       = google_redis_instance.this.port
}

output "auth_string" {
  description = "The password."
  value       = google_redis_instance.this.auth_string
  sensitive   = true
}

output "ca" {
  description = "What the functions get as CACHE_CA: the instance's own authorities in PEM, both while Google replaces one. Not secret; sorted, so that another order is no change."
  value       = join("\n", sort([for authority in google_redis_instance.this.server_ca_certs : trimspace(authority.cert)]))
}

output "url" {
  description = "What the functions get as CACHE_URL; it has the password in it."
  value       = "rediss://:${urlencode(google_redis_instance.this.auth_string)}@${google_redis_instance.this.host}:${google_redis_instance.this.port}"
  sensitive   = true
}
