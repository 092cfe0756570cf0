# Where the function is.

output "name" {
  description = "Name of the service."
  value       = google_cloud_run_v2_service.this.name
}

output "url" {
  description = "Predictable URL of the service, and an audience of tokens for it: https://NAME-NUMBER.REGION.run.app."
  value       = local.url
}

output "uri" {
  description = "URL that Cloud Run itself gives for the service, once it runs."
  value       = google_cloud_run_v2_service.this.uri
}
