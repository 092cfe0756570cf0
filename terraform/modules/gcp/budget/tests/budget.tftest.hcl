# Somebody is told in time, about this project only.

mock_provider "google" {}

variables {
  prefix          = "dev"
  billing_account = "012345-6789AB-CDEF01"
  project_number  = "123456789012"
  monthly_amount  = 50
}

run "looks_at_this_project_only" {
  command = plan

  assert {
    condition     = google_billing_budget.this.budget_filter[0].projects == toset(["projects/123456789012"])
    error_message = "Other projects are counted too."
  }

  assert {
    condition     = google_billing_budget.this.amount[0].specified_amount[0].units == "50"
    error_message = "The amount is another one."
  }
}

run "tells_before_the_money_is_spent" {
  command = plan

  variables {
    thresholds = [0.25]
  }

  assert {
    condition = toset([for rule in google_billing_budget.this.threshold_rules : "${rule.spend_basis} ${rule.threshold_percent}"]) == toset([
      "CURRENT_SPEND 0.25", "FORECASTED_SPEND 1",
    ])
    error_message = "Nobody is told at the thresholds, or of what a month is going to cost."
  }
}

run "refuses_thresholds_that_do_not_ascend" {
  command = plan

  variables {
    thresholds = [0.9, 0.5]
  }

  expect_failures = [var.thresholds]
}

run "refuses_ids_that_are_none_and_more_channels_than_google_takes" {
  command = plan

  variables {
    project_number        = "demo-project"
    notification_channels = ["a", "b", "c", "d", "e", "f"]
    billing_account       = "My Billing Account"
  }

  expect_failures = [var.project_number, var.notification_channels, var.billing_account]
}
