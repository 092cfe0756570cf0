# For whoever looks the budget up.

output "name" {
  description = "Name of the budget."
  value       = aws_budgets_budget.this.name
}
