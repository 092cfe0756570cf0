# What others take from the module. Whoever uses these waits until the accounts exist, and API Gateway may call with one.

output "emails" {
  description = "Email of each account by name: the functions, `gateway` and `scheduler`."
  value       = local.emails
  depends_on  = [google_service_account.this, google_project_iam_member.api_gateway]
}

output "members" {
  description = "The same as members for IAM: `serviceAccount:` and the email."
  value       = { for name, email in local.emails : name => "serviceAccount:${email}" }
  depends_on  = [google_service_account.this, google_project_iam_member.api_gateway]
}
