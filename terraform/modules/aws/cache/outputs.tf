# Where the cache is.

output "host" {
  description = "Host that takes writes; it stays the same after a failover."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "port" {
  description = "Port, TLS only."
  value       = local.port
}

output "url" {
  description = "CACHE_URL, with the password. Functions have it from the secret."
  value       = local.url
  sensitive   = true
}
