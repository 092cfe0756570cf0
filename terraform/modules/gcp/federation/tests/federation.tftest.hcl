# Which roles of AWS are taken for whom, and that no other is.

mock_provider "google" {}

variables {
  project        = "demo-project"
  project_number = "123456789012"
  prefix         = "dev"
  aws_account    = "210987654321"
  role_names     = { token-get = "dev-token-get", callback = "dev-callback" }
}

run "takes_the_named_roles_of_the_account_tells_them_apart_and_holds_no_secret" {
  command = plan

  assert {
    condition = google_iam_workload_identity_pool_provider.aws.attribute_condition == join(" && ", [
      "assertion.arn.startsWith('arn:aws:sts::210987654321:assumed-role/')",
      "attribute.role in ['dev-callback', 'dev-token-get']",
    ])
    error_message = "Other roles are taken too, or users that only look like a role."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.aws.aws[0].account_id == "210987654321"
    error_message = "Another account's roles are taken."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.aws.attribute_mapping["attribute.role"] == "assertion.arn.extract('assumed-role/{role}/')"
    error_message = "The attribute is not the role."
  }

  assert {
    condition = jsonencode(output.members) == jsonencode({
      callback  = "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dev-aws/attribute.role/dev-callback"
      token-get = "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dev-aws/attribute.role/dev-token-get"
    })
    error_message = "A function's member is another role, or the whole pool."
  }

  assert {
    condition = (
      jsondecode(output.credentials).type == "external_account" &&
      jsondecode(output.credentials).audience == "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dev-aws/providers/aws-roles"
    )
    error_message = "The credentials are for another provider."
  }

  assert {
    condition     = toset(keys(jsondecode(output.credentials).credential_source)) == toset(["environment_id", "regional_cred_verification_url"])
    error_message = "The library would ask EC2's metadata service, which Lambda does not have."
  }

  assert {
    condition     = !strcontains(output.credentials, "169.254.169.254") && !strcontains(output.credentials, "secret") && !strcontains(output.credentials, "private_key")
    error_message = "The credentials hold a secret or lead to a metadata service."
  }
}

run "google_takes_the_ids_even_with_the_shortest_prefix" {
  command = plan

  variables {
    prefix = "ab"
  }

  assert {
    condition = alltrue([
      for id in [
        google_iam_workload_identity_pool.aws.workload_identity_pool_id,
        google_iam_workload_identity_pool_provider.aws.workload_identity_pool_provider_id,
      ] : can(regex("^[a-z0-9-]{4,32}$", id)) && !startswith(id, "gcp-")
    ])
    error_message = "An id is not 4 to 32 lower-case letters, digits and hyphens, or begins with what Google keeps for itself."
  }
}

run "refuses_two_functions_with_one_role_and_an_account_that_is_none" {
  command = plan

  variables {
    role_names  = { token-get = "dev-all", callback = "dev-all" }
    aws_account = "1234"
  }

  expect_failures = [var.role_names, var.aws_account]
}

run "refuses_an_arn_for_a_name" {
  command = plan

  variables {
    role_names = { token-get = "arn:aws:iam::210987654321:role/dev-token-get" }
  }

  expect_failures = [var.role_names]
}

run "refuses_what_would_break_out_of_the_condition" {
  command = plan

  variables {
    role_names = { token-get = "x'] || true || attribute.role in ['y" }
  }

  expect_failures = [var.role_names]
}
