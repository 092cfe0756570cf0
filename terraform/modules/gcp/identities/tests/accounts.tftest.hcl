# One account a function, named so that everybody can tell what it is for.

mock_provider "google" {}
mock_provider "google-beta" {
  mock_resource "google_project_service_identity" {
    defaults = { member = "serviceAccount:service-123456789012@gcp-sa-apigateway.iam.gserviceaccount.com" }
  }
}

variables {
  project   = "demo-project"
  prefix    = "dev"
  functions = ["authorize", "scheduled-refresh"]
}

run "gives_every_function_an_account_of_its_own_with_a_member_that_is_known_before" {
  command = plan

  assert {
    condition     = toset(keys(google_service_account.this)) == toset(["authorize", "gateway", "scheduled-refresh", "scheduler"])
    error_message = "The accounts are not those of the functions, the gateway and the scheduler."
  }

  assert {
    condition     = length(distinct([for account in google_service_account.this : account.account_id])) == 4
    error_message = "Two share an account."
  }

  assert {
    condition     = output.emails["scheduled-refresh"] == "dev-scheduled-refresh@demo-project.iam.gserviceaccount.com"
    error_message = "An email is not that of the account."
  }

  assert {
    condition     = output.members["gateway"] == "serviceAccount:dev-gateway@demo-project.iam.gserviceaccount.com"
    error_message = "A member is not that of the account."
  }
}

run "takes_the_longest_prefix_with_the_longest_name" {
  command = plan

  variables {
    prefix    = "staging-2"
    functions = ["a-name-of-20-letters"]
  }

  assert {
    condition     = alltrue([for account in google_service_account.this : length(account.account_id) <= 30])
    error_message = "An account id is longer than Google allows."
  }
}

run "refuses_a_prefix_that_is_too_long_and_a_function_with_the_name_of_another_account" {
  command = plan

  variables {
    prefix    = "production"
    functions = ["gateway"]
  }

  expect_failures = [var.prefix, var.functions]
}

run "the_agent_of_api_gateway_has_its_role_and_no_other_account_has_any" {
  # Applied to the mock, which has the member that Google would compute.
  command = apply

  assert {
    condition = (
      google_project_iam_member.api_gateway.member == "serviceAccount:service-123456789012@gcp-sa-apigateway.iam.gserviceaccount.com" &&
      google_project_iam_member.api_gateway.role == "roles/apigateway.serviceAgent" && google_project_service_identity.api_gateway.service == "apigateway.googleapis.com"
    )
    error_message = "The gateway could not call the functions, or somebody else has its agent's role."
  }
}
