# When somebody has to look at this function; each alarm names its entry in the runbook.

locals {
  # What no log line tells, as the process is gone or was never there. How long calls take, the monitoring watches.
  alarms = {
    errors = {
      metric    = "Errors"
      threshold = var.alarms.errors
      anchor    = "alert-function-errors"
      text      = "Invocations of ${var.name} failed: it crashed, ran out of time or memory, could not start, or, if it is a job, could not do its work."
    }
    throttles = {
      metric    = "Throttles"
      threshold = 1
      anchor    = "alert-function-throttled"
      text      = "Lambda turned away invocations of ${var.name}: its concurrency, or the account's, is used up."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.text} What to do: ${var.alarms.runbook}#${each.value.anchor}"

  namespace   = "AWS/Lambda"
  metric_name = each.value.metric
  statistic   = "Sum"
  # Of all versions together: a new version must not begin without a past.
  dimensions = { FunctionName = aws_lambda_function.this.function_name }

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # nobody called

  alarm_actions = var.alarms.topics
  ok_actions    = var.alarms.topics
}
