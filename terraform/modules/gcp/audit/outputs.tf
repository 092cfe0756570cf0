# What others take from the module.

output "bucket" {
  description = "Resource name of the bucket, `projects/…/locations/…/buckets/…`."
  value       = local.bucket_id
  depends_on  = [google_logging_project_bucket_config.audit]
}

output "filter" {
  description = "What goes into it, as a filter of Cloud Logging."
  value       = local.filter
}
