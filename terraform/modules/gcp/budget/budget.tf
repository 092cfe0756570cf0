# Tells when the project costs more than was meant, or is going to. It stops nothing.

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = "${var.prefix} OAuth"

  budget_filter {
    # By number: the API answers with numbers, and an id would be a change in every plan.
    projects               = ["projects/${var.project_number}"]
    calendar_period        = "MONTH"
    credit_types_treatment = "EXCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      currency_code = var.currency
      units         = tostring(var.monthly_amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = var.thresholds

    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  # Before the month is over.
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = var.notification_channels

    # Whoever administers the billing account is told as well.
    disable_default_iam_recipients = false
  }
}
