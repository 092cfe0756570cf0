# What other modules and operators need of it.

output "notification_channels" {
  description = "Names of all channels, for the alerts of other modules."
  value       = local.channels
}

output "alert_policies" {
  description = "Name of the alert policy in Cloud Monitoring, by the name of the alert."
  value       = { for name, policy in google_monitoring_alert_policy.alert : name => policy.name }
}

output "metrics" {
  description = "Type of the log-based metric, by the name of what it counts."
  value       = { for name, metric in google_logging_metric.lines : name => "logging.googleapis.com/user/${metric.name}" }
}

output "dashboard" {
  description = "Id of the dashboard."
  value       = google_monitoring_dashboard.service.id
}
