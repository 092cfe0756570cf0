# What terraform/alerts.yaml says, in the words of CloudWatch.

locals {
  file      = yamldecode(file("${path.module}/../../../alerts.yaml"))
  alerts    = { for name, alert in local.file.alerts : name => alert if !contains(var.disabled, name) }
  more_than = { for name, alert in local.alerts : name => lookup(var.thresholds, name, lookup(alert, "more_than", 0)) }

  counted = { for name, alert in local.alerts : name => alert if can(alert.lines) && !can(alert.silent) }
  silent  = { for name, alert in local.alerts : name => alert if can(alert.silent) }
  shares  = { for name, alert in local.alerts : name => alert if can(alert.share) }

  namespace = "${var.prefix}/oauth"

  # A line is JSON: a dot in a pattern leads into an object, so no alert looks at a field with a dot in its name, but within `audit`.
  pattern = {
    for name, what in merge(local.file.counts, local.counted, local.silent) : name => format("{ %s }", join(" || ", [
      for line in what.lines : format("(%s)", join(" && ", [
        for field, value in line : (
          can(tobool(value)) ? "$.${field} IS ${upper(value)}" : "$.${field} = ${jsonencode(value)}"
        )
      ]))
    ]))
  }

  description = {
    for name, alert in local.alerts : name => "[${alert.severity}] ${alert.title}. ${alert.means} What to do: ${var.runbook}#alert-${name}"
  }
}
