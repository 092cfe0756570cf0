# What a month may cost, and who is told before and when it costs more. It stops nothing.

resource "aws_budgets_budget" "this" {
  name        = "${var.prefix}-monthly"
  budget_type = "COST"
  time_unit   = "MONTHLY"

  limit_amount = tostring(var.monthly_usd)
  limit_unit   = "USD"

  # Costs of what has the tag, once it is activated as a cost allocation tag; without one, of the whole account.
  dynamic "cost_filter" {
    for_each = var.tag == null ? [] : [var.tag]

    content {
      name   = "TagKeyValue"
      values = [format("user:%s$%s", cost_filter.value.key, cost_filter.value.value)]
    }
  }

  dynamic "notification" {
    for_each = var.actual_percents

    content {
      notification_type          = "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold_type             = "PERCENTAGE"
      threshold                  = notification.value
      subscriber_email_addresses = var.emails
    }
  }

  # While there is still time to do something about it.
  notification {
    notification_type          = "FORECASTED"
    comparison_operator        = "GREATER_THAN"
    threshold_type             = "PERCENTAGE"
    threshold                  = 100
    subscriber_email_addresses = var.emails
  }
}
