# What others take from the module.

output "id" {
  description = "Resource name of the budget."
  value       = google_billing_budget.this.id
}
