# What others take from the module. Whoever uses the first two waits until rights, indexes and policies are there, as a query without its index is refused.

output "store_url" {
  description = "What the functions get as STORE_URL."
  value       = "firestore://${var.project}/${local.name}"
  depends_on  = [google_firestore_index.this, google_firestore_field.this, google_project_iam_member.user]
}

output "database" {
  description = "The database's name."
  value       = local.name
  depends_on  = [google_firestore_index.this, google_firestore_field.this, google_project_iam_member.user]
}

output "backup_retention" {
  description = "How long the last backup of something lives, such as `28d`: what the functions get as BACKUP_RETENTION."
  value       = "${max(var.backup_days.daily, var.backup_days.weekly)}d"
}
