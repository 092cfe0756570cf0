# What others take from the module. Whoever uses these waits until the APIs are on.

output "id" {
  description = "The project's id."
  value       = var.project
  depends_on  = [google_project_service.this]
}

output "number" {
  description = "The project's number."
  value       = data.google_project.this.number
  depends_on  = [google_project_service.this]
}
