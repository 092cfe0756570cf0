# What others take from the module.

output "url" {
  description = "Where images are pushed to and pulled from; add `/FUNCTION:TAG`."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${local.repository}"
  depends_on  = [google_artifact_registry_repository.this]
}
