# What other modules and operators need of it.

output "topic_arn" {
  description = "ARN of the topic that alarms are sent to, for the alarms of other modules."
  value       = aws_sns_topic.alarms.arn
}

output "alarms" {
  description = "ARN of the alarm, by the name of the alert; of those that are watched for each function or job, NAME.FUNCTION."
  value       = local.alarms
}

output "namespace" {
  description = "Namespace of the metrics that are counted from log lines."
  value       = local.namespace
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.service.dashboard_name
}
