# One alert policy for each alert, whose notification says what it means and links to its entry in the runbook.
#
# Conditions on log-based metrics are in PromQL, because that alone can be created in the same run as its metric: for the others
# Cloud Monitoring wants to have seen the metric before, which takes up to ten minutes.

locals {
  condition = merge(
    {
      for name, alert in local.counted : name => {
        query    = "sum by (${join(", ", keys(try(alert.labels, {})))}) (increase(${local.series[name]}[${alert.within}s])) > ${local.more_than[name]}"
        duration = 0
      }
    },
    {
      # What has failed beside nothing that went well counts as all of it: without `or` there would be no share, and no alert.
      for name, alert in local.shares : name => {
        query    = "${local.sums[name].of} / (${local.sums[name].of} + (${local.sums[name].beside} or 0 * ${local.sums[name].of})) > ${local.more_than[name]} and ${local.sums[name].of} >= ${alert.share.at_least}"
        duration = 0
      }
    },
    merge([
      for name, alert in local.silent : {
        # It has to last for one interval, so a service that has just been set up has time for its first run.
        for job, seconds in var.job_intervals : "${name}.${job}" => {
          query    = "absent_over_time(${trimsuffix(local.series[name], "}")},job=\"${job}\"}[${seconds + 300}s])"
          duration = seconds + 600
        }
      }
    ]...),
  )

  sums = {
    for name, alert in local.shares : name => {
      for part in ["of", "beside"] : part => "sum by (provider) (increase(${local.series[alert.share[part]]}[${alert.within}s]))"
    }
  }

  conditions = {
    for name in keys(local.alerts) : name => {
      for key, condition in local.condition : key => condition if key == name || startswith(key, "${name}.")
    }
  }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  project      = var.project
  display_name = "${var.prefix}: ${each.value.title}"
  combiner     = "OR"
  severity     = local.severity[each.value.severity]
  user_labels  = merge(var.labels, { alert = each.key })

  notification_channels = local.channels

  dynamic "conditions" {
    for_each = contains(keys(local.matched), each.key) ? { (each.key) = local.filter[each.key] } : {}

    content {
      display_name = "A line says so"

      condition_matched_log {
        filter           = conditions.value
        label_extractors = { for label, field in try(each.value.labels, {}) : label => "EXTRACT(${local.path[field]})" }
      }
    }
  }

  dynamic "conditions" {
    for_each = local.conditions[each.key]

    content {
      display_name = conditions.key

      condition_prometheus_query_language {
        query                     = conditions.value.query
        duration                  = "${conditions.value.duration}s"
        evaluation_interval       = "60s"
        disable_metric_validation = true
      }
    }
  }

  dynamic "conditions" {
    for_each = contains(keys(local.platform), each.key) ? [local.platform[each.key]] : []

    content {
      display_name = each.value.platform

      dynamic "condition_matched_log" {
        for_each = can(conditions.value.log) ? [conditions.value.log] : []

        content {
          filter           = condition_matched_log.value
          label_extractors = { job = "EXTRACT(resource.labels.job_id)" }
        }
      }

      dynamic "condition_threshold" {
        for_each = can(conditions.value.filter) ? [conditions.value] : []

        content {
          filter             = condition_threshold.value.filter
          denominator_filter = try(condition_threshold.value.among, null)
          comparison         = "COMPARISON_GT"
          threshold_value    = local.more_than[each.key]
          duration           = "${condition_threshold.value.duration}s"

          aggregations {
            alignment_period     = "${condition_threshold.value.period}s"
            per_series_aligner   = condition_threshold.value.aligner
            cross_series_reducer = condition_threshold.value.reducer
            group_by_fields      = condition_threshold.value.by
          }

          dynamic "denominator_aggregations" {
            for_each = can(condition_threshold.value.among) ? [condition_threshold.value] : []

            content {
              alignment_period     = "${denominator_aggregations.value.period}s"
              per_series_aligner   = denominator_aggregations.value.aligner
              cross_series_reducer = denominator_aggregations.value.reducer
              group_by_fields      = denominator_aggregations.value.by
            }
          }
        }
      }
    }
  }

  alert_strategy {
    auto_close = "3600s"

    # Only alerts that match lines may be limited, and they have to be.
    dynamic "notification_rate_limit" {
      for_each = contains(keys(local.matched), each.key) || can(local.platform[each.key].log) ? [1] : []

      content {
        period = "${max(300, try(each.value.within, 300))}s"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "[${each.value.severity}] ${var.prefix}: ${each.value.title}"
    content   = "${each.value.means}\n\nWhat to do: ${var.runbook}#alert-${each.key}"

    # Only an address can be linked to.
    dynamic "links" {
      for_each = startswith(var.runbook, "https://") ? ["${var.runbook}#alert-${each.key}"] : []

      content {
        display_name = "Runbook"
        url          = links.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = contains(keys(local.matched), each.key) || length(local.conditions[each.key]) > 0 || contains(keys(local.platform), each.key)
      error_message = "The alert ${each.key} of alerts.yaml is watched by nothing here: give it lines, or a place in platform.tf."
    }
  }

  depends_on = [google_logging_metric.lines]
}
