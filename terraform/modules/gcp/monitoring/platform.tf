# What Google itself measures, and what it sees from outside.

resource "google_monitoring_uptime_check_config" "health" {
  project      = var.project
  display_name = "${var.prefix}: GET /health"
  timeout      = "10s"
  period       = "60s"
  user_labels  = var.labels

  http_check {
    path         = "/health"
    port         = 443
    use_ssl      = true
    validate_ssl = true

    accepted_response_status_codes {
      status_value = 200
    }
  }

  # `degraded` is a 200 as well.
  content_matchers {
    content = "\"status\":\"healthy\""
    matcher = "CONTAINS_STRING"
  }

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project, host = var.host }
  }
}

locals {
  of_services = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${join(",", [for name in values(local.services) : "\"${name}\""])})"

  platform = {
    for name, watched in {
      server-errors = {
        filter   = "${local.of_services} AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
        among    = "${local.of_services} AND metric.type=\"run.googleapis.com/request_count\""
        period   = 600
        duration = 0
        aligner  = "ALIGN_DELTA"
        reducer  = "REDUCE_SUM"
        by       = ["resource.label.service_name"]
      }
      latency = {
        filter   = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.prefix}-token-get\" AND metric.type=\"run.googleapis.com/request_latencies\""
        period   = 600
        duration = 0
        aligner  = "ALIGN_DELTA"
        reducer  = "REDUCE_PERCENTILE_95"
        by       = ["resource.label.service_name"]
      }
      unhealthy = {
        filter   = "resource.type=\"uptime_url\" AND metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.health.uptime_check_id}\""
        period   = 300
        duration = 60
        aligner  = "ALIGN_NEXT_OLDER"
        reducer  = "REDUCE_COUNT_FALSE"
        by       = ["resource.label.host"]
      }
      trigger-failed = {
        log = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=~\"^${var.prefix}-(${join("|", keys(var.job_intervals))})(-[0-9]+)?$\" AND severity>=ERROR"
      }
    } : name => watched if contains(keys(local.alerts), name)
  }
}
