# What the budget promises: somebody is told, before the month is over.

mock_provider "aws" {}

variables {
  prefix      = "oauth"
  monthly_usd = 120
  emails      = ["operators@example.com"]
}

run "somebody_is_told_at_each_per_cent_and_of_the_forecast" {
  command = plan

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "120" && aws_budgets_budget.this.limit_unit == "USD" && aws_budgets_budget.this.time_unit == "MONTHLY"
    error_message = "The budget must be the given dollars a month."
  }
  assert {
    condition     = toset([for notification in aws_budgets_budget.this.notification : "${notification.notification_type} ${notification.threshold}"]) == toset(["ACTUAL 80", "ACTUAL 100", "FORECASTED 100"])
    error_message = "Somebody must be told at 80 and 100 per cent, and of the forecast."
  }
  assert {
    condition     = alltrue([for notification in aws_budgets_budget.this.notification : notification.subscriber_email_addresses == toset(var.emails)])
    error_message = "Every notification must reach the addresses."
  }
  assert {
    condition     = length(aws_budgets_budget.this.cost_filter) == 0
    error_message = "Without a tag the whole account counts."
  }
}

run "with_a_tag_only_its_costs_count" {
  command = plan

  variables {
    tag = { key = "service", value = "oauth" }
  }

  assert {
    condition     = one(aws_budgets_budget.this.cost_filter).name == "TagKeyValue" && one(aws_budgets_budget.this.cost_filter).values[0] == "user:service$oauth"
    error_message = "Costs must be those of the tag, in AWS's spelling."
  }
}

run "what_can_not_work_is_refused_by_name" {
  command = plan

  variables {
    prefix          = "9oauth"
    monthly_usd     = 0
    emails          = []
    actual_percents = [10, 20, 30, 40, 50]
  }

  expect_failures = [var.prefix, var.monthly_usd, var.emails, var.actual_percents]
}
