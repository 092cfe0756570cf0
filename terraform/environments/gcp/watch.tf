# Who is told what: alerts and dashboard, the audit log, and the bill.

module "monitoring" {
  source = "../../modules/gcp/monitoring"

  project       = module.project.id
  prefix        = var.prefix
  functions     = keys(local.listed)
  job_intervals = { for name, trigger in module.functions.triggers : name => trigger.interval }
  host          = module.gateway.host
  emails        = var.operators_email
  runbook       = var.runbook
  thresholds    = var.alerts.thresholds
  disabled      = var.alerts.disabled
  labels        = local.labels
}

module "audit" {
  source = "../../modules/gcp/audit"

  project        = module.project.id
  prefix         = var.prefix
  region         = var.region
  services       = [for name in keys(local.listed) : "${var.prefix}-${name}"]
  retention_days = var.audit.retention_days
  locked         = var.audit.locked
  readers        = { for member in var.audit.readers : member => member }
}

module "budget" {
  source = "../../modules/gcp/budget"
  count  = var.budget == null ? 0 : 1

  providers = { google = google.billing }

  prefix                = var.prefix
  billing_account       = var.budget.billing_account
  project_number        = module.project.number
  monthly_amount        = var.budget.amount
  currency              = var.budget.currency
  notification_channels = slice(module.monitoring.notification_channels, 0, min(5, length(module.monitoring.notification_channels)))
}
