# When audit lines do not arrive: late, refused, or without anybody having said so. All lead to one entry in the runbook.

locals {
  stream_name = aws_kinesis_firehose_delivery_stream.this.name
  entry       = "What to do: ${var.runbook}#alert-audit-loss"
}

# The bucket refuses: rights, key, lock. The stream tries again for a day, then the lines are lost to the bucket.
resource "aws_cloudwatch_metric_alarm" "refused" {
  alarm_name        = "${var.prefix}-audit-refused"
  alarm_description = "The bucket refuses audit lines; tried again for 24 hours. ${local.entry}"

  namespace           = "AWS/Firehose"
  metric_name         = "DeliveryToS3.Success"
  dimensions          = { DeliveryStreamName = local.stream_name }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 2
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching" # nothing to deliver

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# AWS's own advice: older than the longest that a stream may wait.
resource "aws_cloudwatch_metric_alarm" "late" {
  alarm_name        = "${var.prefix}-audit-late"
  alarm_description = "Audit lines have waited for the bucket for more than a quarter of an hour and the buffering time. ${local.entry}"

  namespace           = "AWS/Firehose"
  metric_name         = "DeliveryToS3.DataFreshness"
  dimensions          = { DeliveryStreamName = local.stream_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 900 + var.buffering_seconds
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# A batch that could not be unpacked lies under failed/, not under lines/.
resource "aws_cloudwatch_metric_alarm" "unpacked" {
  alarm_name        = "${var.prefix}-audit-unpacked"
  alarm_description = "Audit lines could not be unpacked, and lie under failed/ in the bucket. ${local.entry}"

  namespace           = "AWS/Firehose"
  metric_name         = "OutputDecompressedRecords.Failed"
  dimensions          = { DeliveryStreamName = local.stream_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# A log group can't send: what is refused for want of a right is not tried again. One alarm for all groups, as each costs.
resource "aws_cloudwatch_metric_alarm" "unsent" {
  alarm_name        = "${var.prefix}-audit-unsent"
  alarm_description = "A log group could not send audit lines to their stream. ${local.entry}"

  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "unsent"
    expression  = "SUM(METRICS())"
    label       = "Lines that were not sent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = sort(keys(var.log_groups))

    content {
      id = "m${metric_query.key}"
      metric {
        namespace   = "AWS/Logs"
        metric_name = "DeliveryErrors"
        period      = 300
        stat        = "Sum"
        dimensions = {
          LogGroupName    = var.log_groups[metric_query.value]
          DestinationType = "Firehose"
          FilterName      = "${var.prefix}-audit"
        }
      }
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# Whatever else it may be, a filter or the stream gone among it: lines are written, and nothing arrives. Twice in a row, since a line
# at the end of one quarter of an hour arrives in the next.
resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name        = "${var.prefix}-audit-silent"
  alarm_description = "Audit lines are written, and none arrives in the bucket. ${local.entry}"

  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "silent"
    expression  = "IF(lines > 0 AND FILL(delivered, 0) == 0, 1, 0)"
    label       = "Lines are written and none arrives"
    return_data = true
  }
  metric_query {
    id = "lines"
    metric {
      namespace   = local.namespace
      metric_name = "Lines"
      period      = 900
      stat        = "Sum"
    }
  }
  metric_query {
    id = "delivered"
    metric {
      namespace   = "AWS/Firehose"
      metric_name = "DeliveryToS3.Records"
      period      = 900
      stat        = "Sum"
      dimensions  = { DeliveryStreamName = local.stream_name }
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}
