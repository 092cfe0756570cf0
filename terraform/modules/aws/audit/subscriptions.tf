# The functions' side of the way: each function's log group sends its audit lines, and no others, to the stream.

locals {
  # `target` stands beside the record in every audit line; other log lines have the path of the code there, platform lines have none.
  pattern   = "{ $.target = \"audit\" }"
  namespace = "${var.prefix}/audit"
}

resource "aws_cloudwatch_log_subscription_filter" "this" {
  for_each = var.log_groups

  name            = "${var.prefix}-audit"
  log_group_name  = each.value
  filter_pattern  = local.pattern
  destination_arn = aws_kinesis_firehose_delivery_stream.this.arn
  role_arn        = aws_iam_role.subscription.arn

  # CloudWatch Logs sends a test message when it is made, and refuses it when that fails.
  depends_on = [aws_iam_role_policy.subscription]
}

# Counts the lines where they come from, to be held against what arrives.
resource "aws_cloudwatch_log_metric_filter" "lines" {
  for_each = var.log_groups

  name           = "${var.prefix}-audit-lines"
  log_group_name = each.value
  pattern        = local.pattern

  metric_transformation {
    namespace     = local.namespace
    name          = "Lines"
    value         = "1"
    default_value = "0"
  }
}
