# One alarm for each alert on log lines, whose description says what it means and where its entry in the runbook is.

# Any one line: an alarm within five minutes, which lasts for the alert's window. Several: counted over the whole window.
resource "aws_cloudwatch_metric_alarm" "lines" {
  for_each = local.counted

  alarm_name        = "${var.prefix}-${each.key}"
  alarm_description = local.description[each.key]

  namespace           = local.namespace
  metric_name         = each.key
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.more_than[each.key]
  period              = local.more_than[each.key] == 0 ? 300 : each.value.within
  evaluation_periods  = local.more_than[each.key] == 0 ? ceil(each.value.within / 300) : 1
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "shares" {
  for_each = local.shares

  alarm_name        = "${var.prefix}-${each.key}"
  alarm_description = local.description[each.key]

  comparison_operator = "GreaterThanThreshold"
  threshold           = local.more_than[each.key]
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    label       = "${each.value.share.of}, share"
    expression  = "IF(of >= ${each.value.share.at_least}, of / (of + FILL(beside, 0)), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = ["of", "beside"]

    content {
      id = metric_query.value

      metric {
        namespace   = local.namespace
        metric_name = each.value.share[metric_query.value]
        stat        = "Sum"
        period      = each.value.within
      }
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# Silence is what raises it: where no line comes there is no data at all.
resource "aws_cloudwatch_metric_alarm" "silent" {
  for_each = local.jobs

  alarm_name        = "${var.prefix}-${each.value.name}-${each.value.job}"
  alarm_description = local.description[each.value.name]

  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 2
  treat_missing_data  = "breaching"

  # A period without data is a 0 here: left out, it would make the alarm look further back, at runs that are long over.
  metric_query {
    id          = "ended"
    label       = "Runs that have ended"
    expression  = "FILL(runs, 0)"
    return_data = true
  }
  metric_query {
    id = "runs"
    metric {
      namespace   = local.namespace
      metric_name = each.key
      stat        = "Sum"
      period      = ceil(each.value.seconds / 60) * 60
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

locals {
  alarms = merge(
    { for name, alarm in aws_cloudwatch_metric_alarm.lines : name => alarm.arn },
    { for name, alarm in aws_cloudwatch_metric_alarm.shares : name => alarm.arn },
    { for name, alarm in aws_cloudwatch_metric_alarm.silent : name => alarm.arn },
    { for alarm in aws_cloudwatch_metric_alarm.server_errors : "server-errors" => alarm.arn },
    { for alarm in aws_cloudwatch_metric_alarm.latency : "latency" => alarm.arn },
    { for alarm in aws_cloudwatch_metric_alarm.unhealthy : "unhealthy" => alarm.arn },
    { for job, alarm in aws_cloudwatch_metric_alarm.trigger_failed : "trigger-failed.${job}" => alarm.arn },
  )
}
