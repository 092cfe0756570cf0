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

output "invokers" {
  description = "Who may invoke the service."
  value       = length(var.invokers) == 0 ? toset([]) : google_cloud_run_v2_service_iam_binding.invokers[0].members
}

output "settings" {
  description = "What the function is told, by name: the value, or `secret:` and the secret's id."
  value = merge(
    {
      for env in google_cloud_run_v2_service.this.template[0].containers[0].env :
      env.name => try("secret:${env.value_source[0].secret_key_ref[0].secret}", env.value)
    },
    {
      for volume in google_cloud_run_v2_service.this.template[0].volumes :
      volume.secret[0].items[0].path => "secret:${volume.secret[0].secret}"
    },
  )
}
