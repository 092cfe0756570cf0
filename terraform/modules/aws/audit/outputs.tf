# Where the audit log is.

output "bucket" {
  description = "Name of the bucket; lines are under lines/YYYY/MM/DD/HH/, packed, one a line."
  value       = aws_s3_bucket.this.id
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "stream" {
  description = "Name of the delivery stream, for dashboards."
  value       = aws_kinesis_firehose_delivery_stream.this.name
}

output "subscriptions" {
  description = "Name of the subscription by function. What is told to wait for it lets nobody call before audit lines are taken."
  value       = { for name, filter in aws_cloudwatch_log_subscription_filter.this : name => filter.name }
}
