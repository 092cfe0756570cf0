# Alarms on what AWS itself measures, and what it sees from outside.

resource "aws_cloudwatch_metric_alarm" "server_errors" {
  count = contains(keys(local.alerts), "server-errors") ? 1 : 0

  alarm_name        = "${var.prefix}-server-errors"
  alarm_description = local.description["server-errors"]

  comparison_operator = "GreaterThanThreshold"
  threshold           = local.more_than["server-errors"]
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    label       = "5xx, share"
    expression  = "FILL(failed, 0) / answered"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "5xx", answered = "Count" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value
        dimensions  = { ApiId = var.api_id }
        stat        = "Sum"
        period      = 600
      }
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  count = contains(keys(local.alerts), "latency") ? 1 : 0

  alarm_name        = "${var.prefix}-latency"
  alarm_description = local.description["latency"]

  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = "${var.prefix}-token-get" }
  extended_statistic  = "p95"
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.more_than["latency"]
  period              = 600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  # A handful of calls has no 95th percentile worth waking anybody for.
  evaluate_low_sample_count_percentiles = "ignore"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# The scheduler puts there what it has tried for the last time.
resource "aws_cloudwatch_metric_alarm" "trigger_failed" {
  for_each = contains(keys(local.alerts), "trigger-failed") ? var.dead_letter_queues : {}

  alarm_name        = "${var.prefix}-trigger-failed-${each.key}"
  alarm_description = local.description["trigger-failed"]

  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.more_than["trigger-failed"]
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# Route 53 asks from outside, every 30 seconds from each of several places, and `degraded` is not healthy.
resource "aws_route53_health_check" "health" {
  count = var.host == null ? 0 : 1

  type              = "HTTPS_STR_MATCH"
  fqdn              = var.host
  port              = 443
  resource_path     = "/health"
  search_string     = "\"status\":\"healthy\""
  request_interval  = 30
  failure_threshold = 3

  tags = { Name = "${var.prefix}-health" }
}

data "aws_region" "current" {}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  count = var.host != null && data.aws_region.current.name == "us-east-1" && contains(keys(local.alerts), "unhealthy") ? 1 : 0

  alarm_name        = "${var.prefix}-unhealthy"
  alarm_description = local.description["unhealthy"]

  namespace           = "AWS/Route53"
  metric_name         = "HealthCheckStatus"
  dimensions          = { HealthCheckId = aws_route53_health_check.health[0].id }
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 2
  treat_missing_data  = "breaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}
