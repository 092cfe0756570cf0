# When somebody has to look at this function; each alarm names its entry in the runbook.

locals {
  alarms = merge(
    {
      errors = {
        metric     = "Errors"
        statistic  = "Sum"
        percentile = null
        threshold  = var.alarms.errors
        anchor     = "alert-function-errors"
        text       = "Invocations of ${var.name} failed: it crashed, ran out of time, or could not do its work."
      }
      throttles = {
        metric     = "Throttles"
        statistic  = "Sum"
        percentile = null
        threshold  = 1
        anchor     = "alert-function-throttled"
        text       = "Lambda turned away invocations of ${var.name}: its concurrency, or the account's, is used up."
      }
    },
    var.alarms.duration_ms == null ? {} : {
      duration = {
        metric     = "Duration"
        statistic  = null
        percentile = "p95"
        threshold  = var.alarms.duration_ms
        anchor     = "alert-latency"
        text       = "One invocation in twenty of ${var.name} takes longer than ${var.alarms.duration_ms} ms."
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.text} ${var.alarms.runbook}#${each.value.anchor}"

  namespace          = "AWS/Lambda"
  metric_name        = each.value.metric
  statistic          = each.value.statistic
  extended_statistic = each.value.percentile
  # Of all versions together: a new version must not begin without a past.
  dimensions = { FunctionName = aws_lambda_function.this.function_name }

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = each.key == "duration" ? 3 : 1
  treat_missing_data  = "notBreaching" # nobody called

  alarm_actions = var.alarms.topics
  ok_actions    = var.alarms.topics
}
