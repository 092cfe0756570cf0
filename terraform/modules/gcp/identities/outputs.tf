# What others take from the module. Whoever uses these waits until the accounts exist.

output "emails" {
  description = "Email of each account by name: the functions, `gateway` and `scheduler`."
  value       = local.emails
  depends_on  = [google_service_account.this]
}

output "members" {
  description = "The same as members for IAM: `serviceAccount:` and the email."
  value       = { for name, email in local.emails : name => "serviceAccount:${email}" }
  depends_on  = [google_service_account.this]
}
