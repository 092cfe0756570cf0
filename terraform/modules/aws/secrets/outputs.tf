# What functions are told, and what a role may read.

output "arns" {
  description = "Short name to ARN, for policies and for settings such as ATTEMPT_KEY_SECRET."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "names" {
  description = "Short name to name in Secrets Manager: what `make secrets` puts values into."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.name }
}

output "kms_key_arn" {
  description = "The key of one's own, or null. Who reads a secret needs no right on it."
  value       = one(aws_kms_key.this[*].arn)
}
