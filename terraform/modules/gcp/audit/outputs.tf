# What others take from the module.

output "bucket_id" {
  description = "Resource name of the bucket: where to look with `gcloud logging read --bucket`."
  value       = local.bucket_id
  depends_on  = [google_logging_project_bucket_config.audit]
}

output "filter" {
  description = "What goes into it, as a filter of Cloud Logging."
  value       = local.filter
}
