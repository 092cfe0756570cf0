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

output "url_secret_arn" {
  description = "`url_secret_id`, for whoever reads the URL: what is given this waits until the URL is in the secret."
  value       = var.url_secret_id

  # Not the version's own attribute, which a plan does not know yet.
  depends_on = [aws_secretsmanager_secret_version.url]
}
