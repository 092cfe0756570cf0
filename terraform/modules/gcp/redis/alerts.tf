# Redis down or refusing, and Redis full: everything goes on without it, slower, so somebody has to be told.

locals {
  series = "resource.type=\"redis_instance\" AND resource.labels.instance_id=\"${google_redis_instance.this.id}\""

  # An alert each; each condition is a metric above a value for some seconds. A rate is a count a second.
  alerts = {
    down = {
      title  = "Redis is down or refuses"
      anchor = "#alert-redis-down"
      text   = "The functions go on without Redis: attempts and tokens come from the database, slower and for more money. Attempts that were in it begin again."
      absent = { "Redis has said nothing for five minutes" = "redis.googleapis.com/server/uptime" }
      above = {
        "Redis refuses connections" = {
          metric = "redis.googleapis.com/stats/reject_connections_count", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", value = 0, seconds = 60
        }
        "There are more than ${var.alert_connections} connections" = {
          metric = "redis.googleapis.com/clients/connected", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", value = var.alert_connections, seconds = 300
        }
      }
    }
    memory = {
      title  = "Redis is full"
      anchor = "#alert-redis-memory"
      text   = "Redis is near its limit or past it. Past it, what would end soonest is forgotten: cached tokens first, then attempts under way, and parked tokens last."
      absent = {}
      above = {
        "Used memory is above ${floor(var.alert_memory_ratio * 100)} % of the limit" = {
          metric = "redis.googleapis.com/stats/memory/usage_ratio", aligner = "ALIGN_MEAN", reducer = "REDUCE_MAX", value = var.alert_memory_ratio, seconds = 300
        }
        "Memory of the machine is above ${floor(var.alert_memory_ratio * 100)} %" = {
          metric = "redis.googleapis.com/stats/memory/system_memory_usage_ratio", aligner = "ALIGN_MEAN", reducer = "REDUCE_MAX", value = var.alert_memory_ratio, seconds = 300
        }
        "Keys are evicted before their time" = {
          metric = "redis.googleapis.com/stats/evicted_keys", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", value = 0, seconds = 300
        }
      }
    }
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  project               = var.project
  display_name          = "${var.prefix} OAuth: ${each.value.title}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  dynamic "conditions" {
    for_each = each.value.absent

    content {
      display_name = conditions.key

      condition_absent {
        filter   = "${local.series} AND metric.type=\"${conditions.value}\""
        duration = "300s"

        aggregations {
          alignment_period     = "60s"
          per_series_aligner   = "ALIGN_MAX"
          cross_series_reducer = "REDUCE_MAX"
        }
      }
    }
  }

  dynamic "conditions" {
    for_each = each.value.above

    content {
      display_name = conditions.key

      condition_threshold {
        filter          = "${local.series} AND metric.type=\"${conditions.value.metric}\""
        comparison      = "COMPARISON_GT"
        threshold_value = conditions.value.value
        duration        = "${conditions.value.seconds}s"

        aggregations {
          alignment_period     = "60s"
          per_series_aligner   = conditions.value.aligner
          cross_series_reducer = conditions.value.reducer
        }
      }
    }
  }

  documentation {
    subject   = "${var.prefix} OAuth: ${each.value.title}"
    mime_type = "text/markdown"
    content   = "${each.value.text}\n\n[What to do](${var.runbook}${each.value.anchor})"

    links {
      display_name = "Runbook"
      url          = "${var.runbook}${each.value.anchor}"
    }
  }
}
