# What terraform/alerts.yaml says, in the words of Cloud Logging and Cloud Monitoring.

locals {
  file   = yamldecode(file("${path.module}/../../../alerts.yaml"))
  alerts = { for name, alert in local.file.alerts : name => alert if !contains(var.disabled, name) }

  more_than = { for name, alert in local.alerts : name => lookup(var.thresholds, name, lookup(alert, "more_than", 0)) }
  severity  = { critical = "CRITICAL", error = "ERROR", warning = "WARNING" }

  # How each alert is watched. One line that raises an alert by itself is matched as it comes in; what has to be counted needs a metric.
  lines   = { for name, alert in local.alerts : name => alert if can(alert.lines) && !can(alert.silent) }
  matched = { for name, alert in local.lines : name => alert if local.more_than[name] == 0 }
  counted = { for name, alert in local.lines : name => alert if local.more_than[name] > 0 }
  silent  = { for name, alert in local.alerts : name => alert if can(alert.silent) }
  shares  = { for name, alert in local.alerts : name => alert if can(alert.share) }

  services = { for function in var.functions : function => "${var.prefix}-${function}" }

  # Cloud Logging has our `level` as severity, with WARNING written out. A dot belongs to a field's name, but within `audit`.
  value = {
    for name, what in merge(local.file.counts, local.lines, local.silent) : name => [
      for line in what.lines : join(" AND ", [
        for field, value in line : (
          field == "level" ? "severity=${value == "WARN" ? "WARNING" : value}" : "${local.path[field]}=${jsonencode(value)}"
        )
      ])
    ]
  }
  path = {
    for field in distinct(flatten([
      for what in concat(values(local.file.counts), values(local.file.alerts)) :
      concat(values(try(what.labels, {})), [for line in try(what.lines, []) : keys(line)]...)
    ])) : field => startswith(field, "audit.") ? "jsonPayload.${field}" : "jsonPayload.\"${field}\""
  }
  from = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in values(local.services) : "\"${name}\""])})"
  filter = {
    for name, lines in local.value : name => "${local.from} AND (${join(" OR ", [for line in lines : "(${line})"])})"
  }

  # The same metric in the words of PromQL: the first slash is a colon, and what no name of Prometheus may have an underscore.
  series = {
    for name in keys(local.metrics) :
    name => "logging_googleapis_com:user_${replace("${var.prefix}-${name}", "-", "_")}{monitored_resource=\"cloud_run_revision\"}"
  }
  metrics = merge(local.file.counts, local.counted, local.silent)
}
