# What others take from the module. Whoever uses these waits until the exchange works.

output "members" {
  description = "Member for IAM of each function, by its name: `principalSet://…` of its Lambda role."
  value       = { for name, role in var.role_names : name => "principalSet://iam.googleapis.com/${local.pool}/attribute.role/${role}" }
  depends_on  = [google_iam_workload_identity_pool_provider.aws]
}

output "credentials" {
  description = "What the functions get as GOOGLE_CREDENTIALS; there is no secret in it."

  # Lambda gives region and keys of the role in the environment. No URL of EC2's metadata service is named, least of all
  # `imdsv2_session_token_url`: where one is, the library asks there first, and Lambda has none.
  value = jsonencode({
    type               = "external_account"
    audience           = "//iam.googleapis.com/${local.provider}"
    subject_token_type = "urn:ietf:params:aws:token-type:aws4_request"
    token_url          = "https://sts.googleapis.com/v1/token"
    universe_domain    = "googleapis.com"
    credential_source = {
      environment_id                 = "aws1"
      regional_cred_verification_url = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
    }
  })
  depends_on = [google_iam_workload_identity_pool_provider.aws]
}
