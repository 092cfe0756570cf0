# When the cache is away, or too small. Both have an entry in the runbook.

locals {
  # ElastiCache's own names of the nodes, which count from 001; metrics are by node. Not `member_clusters`, which a plan does not know yet.
  # A node that was removed and added by hand may have another number: its alarm says `down` until the name is right again.
  nodes = toset([for i in range(var.ha ? 2 : 1) : format("%s-%03d", local.name, i + 1)])
}

# A node that lives says so every minute, whatever it has to do.
resource "aws_cloudwatch_metric_alarm" "down" {
  for_each = local.nodes

  alarm_name        = "${each.key}-down"
  alarm_description = "A node of the cache says nothing: the service is slower, connects under way may fail. What to do: ${var.runbook}#alert-redis-down"

  namespace           = "AWS/ElastiCache"
  metric_name         = "CurrConnections"
  dimensions          = { CacheClusterId = each.key }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns

  depends_on = [aws_elasticache_replication_group.this]
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  for_each = local.nodes

  alarm_name        = "${each.key}-memory"
  alarm_description = "A node of the cache has used ${var.memory_alarm_percent} % of its memory; soon it evicts. What to do: ${var.runbook}#alert-redis-memory"

  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  dimensions          = { CacheClusterId = each.key }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.memory_alarm_percent
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# What is evicted before its time may be a token that waits to be saved.
resource "aws_cloudwatch_metric_alarm" "evictions" {
  for_each = local.nodes

  alarm_name        = "${each.key}-evictions"
  alarm_description = "A node of the cache evicts entries before their time. What to do: ${var.runbook}#alert-redis-memory"

  namespace           = "AWS/ElastiCache"
  metric_name         = "Evictions"
  dimensions          = { CacheClusterId = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}
