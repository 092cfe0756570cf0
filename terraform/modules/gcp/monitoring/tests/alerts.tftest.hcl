# What raises an alert, whom it tells, and that nothing of alerts.yaml is left out.

mock_provider "google" {}

variables {
  project   = "shop"
  prefix    = "oauth"
  functions = ["authorize", "callback", "token-get", "admin", "scheduled-refresh", "scheduled-health"]
  host      = "oauth.example.com"
  emails    = ["oncall@example.com"]
  runbook   = "https://example.com/operations.md"
}

run "every_alert_of_the_list_is_a_policy_that_tells_everybody_and_names_its_entry_in_the_runbook" {
  command = apply

  variables {
    emails                = ["oncall@example.com", "lead@example.com"]
    notification_channels = ["projects/shop/notificationChannels/1"]
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.alert)) == toset(keys(yamldecode(file("../../../alerts.yaml")).alerts))
    error_message = "Each alert of alerts.yaml has to have a policy."
  }

  assert {
    condition = alltrue([
      for name, policy in google_monitoring_alert_policy.alert :
      strcontains(policy.documentation[0].content, "https://example.com/operations.md#alert-${name}")
      && policy.documentation[0].links[0].url == "https://example.com/operations.md#alert-${name}"
    ])
    error_message = "A notification has to say where its runbook is."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.alert : length(policy.conditions) > 0 && policy.enabled != false])
    error_message = "A policy without a condition watches nothing."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.alert : length(policy.notification_channels) == 3])
    error_message = "Both addresses and the channel."
  }

  assert {
    condition = (
      google_monitoring_uptime_check_config.health.monitored_resource[0].labels.host == "oauth.example.com"
      && google_monitoring_uptime_check_config.health.http_check[0].path == "/health"
      && google_monitoring_uptime_check_config.health.http_check[0].validate_ssl
      && google_monitoring_uptime_check_config.health.content_matchers[0].content == "\"status\":\"healthy\""
    )
    error_message = "The check has to look at what /health says."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["server-errors"].conditions[0].condition_threshold[0].threshold_value == 0.05 && google_monitoring_alert_policy.alert["server-errors"].conditions[0].condition_threshold[0].denominator_filter != null
    error_message = "5xx are a share of all answers."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.service.dashboard_json).mosaicLayout.tiles) == 13 && !can(jsondecode(google_monitoring_dashboard.service.dashboard_json).mosaicLayout.tiles[0].xPos)
    error_message = "Twelve charts and the log."
  }
}

run "lines_are_known_by_severity_and_message_and_one_of_what_must_not_happen_raises_it_at_once" {
  command = plan

  assert {
    condition = alltrue([
      for name in ["audit-loss", "foreign-connection", "tokens-unsaved", "tokens-unreadable", "provider-misconfigured", "connect-lured"] :
      length(google_monitoring_alert_policy.alert[name].conditions[0].condition_matched_log) == 1
      && length(google_monitoring_alert_policy.alert[name].alert_strategy[0].notification_rate_limit) == 1
    ])
    error_message = "These are raised by one line, not counted."
  }

  assert {
    condition = (
      google_monitoring_alert_policy.alert["callers-unusable"].conditions[0].condition_matched_log[0].filter
      == "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"oauth-admin\" OR \"oauth-authorize\" OR \"oauth-callback\" OR \"oauth-scheduled-health\" OR \"oauth-scheduled-refresh\" OR \"oauth-token-get\") AND ((severity=ERROR AND jsonPayload.\"message\"=\"the callers file has changed and can't be used; who could call before still can\"))"
    )
    error_message = "A line is known by its severity and its whole message, of our services alone."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["connect-lured"].conditions[0].condition_matched_log[0].label_extractors["tenant"] == "EXTRACT(jsonPayload.\"tenant.id\")"
    error_message = "Whose consent it was about stands in the notification."
  }

  assert {
    condition     = strcontains(google_logging_metric.lines["refresh-failed"].filter, "(severity=WARNING AND jsonPayload.\"message\"=\"a refresh has failed\")")
    error_message = "Our WARN is Cloud Logging's WARNING."
  }

  assert {
    condition     = strcontains(google_logging_metric.lines["refreshed"].filter, "jsonPayload.audit.call=\"change.refreshed\"") && strcontains(google_logging_metric.lines["refreshed"].filter, "jsonPayload.\"target\"=\"audit\"")
    error_message = "A field of the audit log stands within `audit`."
  }

  assert {
    condition     = strcontains(google_logging_metric.lines["run-incomplete"].filter, "jsonPayload.\"complete\"=false")
    error_message = "A truth value is no text."
  }

  assert {
    condition     = google_logging_metric.lines["refresh-failed"].label_extractors == tomap({ provider = "EXTRACT(jsonPayload.\"provider.id\")", outcome = "EXTRACT(jsonPayload.\"outcome\")" })
    error_message = "Refreshes that fail are told apart by provider and class."
  }

  assert {
    condition = (
      strcontains(google_monitoring_alert_policy.alert["refresh-failures"].conditions[0].condition_prometheus_query_language[0].query, "(sum by (provider) (increase(logging_googleapis_com:user_oauth_refreshed{monitored_resource=\"cloud_run_revision\"}[1800s])) or 0 * sum by (provider) (increase(logging_googleapis_com:user_oauth_refresh_failed{")
      && endswith(google_monitoring_alert_policy.alert["refresh-failures"].conditions[0].condition_prometheus_query_language[0].query, ">= 20")
    )
    error_message = "Without any that went well there is nothing to divide by."
  }
}

run "what_is_counted_has_its_threshold_and_window_and_what_is_silent_its_interval" {
  command = plan

  variables {
    thresholds    = { provider-failing = 9 }
    job_intervals = { scheduled-refresh = 1800 }
    disabled      = ["grants-ending", "unhealthy"]
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["store-failing"].conditions[0].condition_prometheus_query_language[0].query == "sum by () (increase(logging_googleapis_com:user_oauth_store_failing{monitored_resource=\"cloud_run_revision\"}[300s])) > 5"
    error_message = "More than five lines in five minutes."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["provider-failing"].conditions[0].condition_prometheus_query_language[0].query == "sum by (provider) (increase(logging_googleapis_com:user_oauth_provider_failing{monitored_resource=\"cloud_run_revision\"}[900s])) > 9"
    error_message = "The threshold of `thresholds` counts, for each provider."
  }

  assert {
    condition = alltrue(flatten([
      for policy in google_monitoring_alert_policy.alert : [
        for condition in policy.conditions : [
          for promql in condition.condition_prometheus_query_language : promql.disable_metric_validation
        ]
      ]
    ]))
    error_message = "A metric that has just been made is not known yet; the first apply would fail."
  }

  assert {
    condition = (
      length(google_monitoring_alert_policy.alert["run-missing"].conditions) == 1
      && google_monitoring_alert_policy.alert["run-missing"].conditions[0].condition_prometheus_query_language[0].query == "absent_over_time(logging_googleapis_com:user_oauth_run_missing{monitored_resource=\"cloud_run_revision\",job=\"scheduled-refresh\"}[2100s])"
      && google_monitoring_alert_policy.alert["run-missing"].conditions[0].condition_prometheus_query_language[0].duration == "2400s"
    )
    error_message = "Absent for an interval, and for another: two, and time for a first run after an apply."
  }

  assert {
    condition     = !contains(keys(google_monitoring_alert_policy.alert), "grants-ending") && !contains(keys(google_monitoring_alert_policy.alert), "unhealthy") && !contains(keys(google_logging_metric.lines), "grants-ending")
    error_message = "Neither policy nor metric."
  }
}

run "alerts_that_are_not_there_and_a_host_with_a_scheme_are_refused" {
  command = plan

  variables {
    thresholds = { provider-fialing = 9 }
    disabled   = ["unhelthy"]
    host       = "https://oauth.example.com/"
  }

  expect_failures = [var.thresholds, var.disabled, var.host]
}
