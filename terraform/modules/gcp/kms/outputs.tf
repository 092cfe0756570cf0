# What others take from the module. Whoever uses these waits until the users may use the key.

output "key_id" {
  description = "The key's resource name."
  value       = local.key_id
  depends_on  = [google_kms_crypto_key_iam_binding.users]
}

output "key_url" {
  description = "What the functions get as KEY_URL."
  value       = "gcpkms://${local.key_id}"
  depends_on  = [google_kms_crypto_key_iam_binding.users]
}
