# One account a function, named so that everybody can tell what it is for.

mock_provider "google" {}

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
