# What others take from the module. Whoever uses `ids` waits until readers may read.

output "ids" {
  description = "Id of each secret by its short name; `cache-url` is among them where there is one."
  value       = { for name in keys(local.all) : name => "${var.prefix}-${name}" }
  depends_on  = [google_secret_manager_secret.this, google_secret_manager_secret_iam_member.reader]
}

output "unset" {
  description = "Ids of the secrets whose values are put in by hand: `make secrets` asks for each."
  value       = sort([for name in keys(var.secrets) : "${var.prefix}-${name}"])
}

output "versions_ready" {
  description = "Name of the version that Terraform wrote, by short name: `cache-url`, where there is one. Another name means another value, which instances read when they start."
  value       = { for version in google_secret_manager_secret_version.cache_url : "cache-url" => version.name }
}
