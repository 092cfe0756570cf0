# What an API, a schedule and the monitoring need to know of the function.

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "alias" {
  description = "Name of the alias that callers use."
  value       = aws_lambda_alias.live.name
}

output "alias_arn" {
  description = "ARN of the alias: what a schedule calls."
  value       = aws_lambda_alias.live.arn
}

output "alias_invoke_arn" {
  description = "The alias as API Gateway addresses it."
  value       = aws_lambda_alias.live.invoke_arn
}

output "role_name" {
  description = "Name of the function's role, by which Google knows it."
  value       = aws_iam_role.this.name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "log_group" {
  description = "Name of the log group; the audit log is in it too."
  value       = aws_cloudwatch_log_group.this.name
}

output "version" {
  description = "The version that the alias names."
  value       = aws_lambda_alias.live.function_version
}
