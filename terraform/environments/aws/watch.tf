# Who is told when something is wrong, and what was done is kept.

module "monitoring" {
  source = "../../modules/aws/monitoring"

  prefix             = var.prefix
  log_groups         = { for name, function in module.function : name => function.log_group }
  job_intervals      = { for name, trigger in module.functions.triggers : name => trigger.interval }
  api_id             = module.api.id
  dead_letter_queues = { for name, schedule in module.schedule : name => schedule.dead_letter_queue }
  host               = module.api.host
  emails             = var.operators_email
  runbook            = var.runbook
  thresholds         = var.alerts.thresholds
  disabled           = var.alerts.disabled
}

module "audit" {
  source = "../../modules/aws/audit"

  prefix           = var.prefix
  log_groups       = { for name, function in module.function : name => function.log_group }
  retention_days   = var.audit.retention_days
  lock_mode        = var.audit.locked ? "COMPLIANCE" : "GOVERNANCE"
  readers          = var.audit.readers
  alarm_topic_arns = [module.monitoring.topic_arn]
  runbook          = var.runbook
}

module "budget" {
  source = "../../modules/aws/budget"
  count  = var.budget == null ? 0 : 1

  prefix      = var.prefix
  monthly_usd = var.budget.amount
  emails      = var.operators_email
}
