# Whoever is told that Redis is in trouble is told what to do.

mock_provider "google" {
  mock_resource "google_redis_instance" {
    defaults = {
      id = "projects/demo-project/locations/us-central1/instances/dev-redis"
    }
  }
}

variables {
  project               = "demo-project"
  prefix                = "dev"
  network_id            = "projects/demo-project/global/networks/dev-oauth"
  runbook               = "https://git.example.com/oauth/docs/operations.md"
  notification_channels = ["projects/demo-project/notificationChannels/1"]
}

run "tells_when_redis_is_gone_refuses_or_is_full" {
  # Applied to the mock, so that filters have the instance's id.
  command = apply

  variables {
    alert_memory_ratio = 0.5
  }

  assert {
    condition = anytrue([
      for condition in google_monitoring_alert_policy.this["down"].conditions :
      try(strcontains(condition.condition_absent[0].filter, "server/uptime") && condition.condition_absent[0].duration == "300s", false)
    ])
    error_message = "Nobody is told when Redis says nothing."
  }

  assert {
    condition = anytrue([
      for condition in google_monitoring_alert_policy.this["down"].conditions :
      try(strcontains(condition.condition_threshold[0].filter, "stats/reject_connections_count"), false)
    ])
    error_message = "Nobody is told when Redis refuses."
  }

  assert {
    condition = anytrue([
      for condition in google_monitoring_alert_policy.this["memory"].conditions :
      try(strcontains(condition.condition_threshold[0].filter, "stats/memory/usage_ratio") && condition.condition_threshold[0].threshold_value == 0.5, false)
      ]) && anytrue([
      for condition in google_monitoring_alert_policy.this["memory"].conditions :
      try(strcontains(condition.condition_threshold[0].filter, "stats/evicted_keys") && condition.condition_threshold[0].threshold_value == 0, false)
    ])
    error_message = "Nobody is told when Redis is full."
  }

  assert {
    condition = alltrue([
      for condition in concat(google_monitoring_alert_policy.this["down"].conditions, google_monitoring_alert_policy.this["memory"].conditions) :
      strcontains(
        try(condition.condition_absent[0].filter, condition.condition_threshold[0].filter),
        "resource.labels.instance_id=\"projects/demo-project/locations/us-central1/instances/dev-redis\"",
      )
    ])
    error_message = "A condition looks at other instances too."
  }
}

run "every_alert_leads_to_its_entry_in_the_runbook" {
  command = plan

  assert {
    condition = (
      google_monitoring_alert_policy.this["down"].documentation[0].links[0].url == "https://git.example.com/oauth/docs/operations.md#alert-redis-down" &&
      google_monitoring_alert_policy.this["memory"].documentation[0].links[0].url == "https://git.example.com/oauth/docs/operations.md#alert-redis-memory"
    )
    error_message = "An alert does not lead to its entry."
  }

  assert {
    condition = alltrue([
      for policy in [google_monitoring_alert_policy.this["down"], google_monitoring_alert_policy.this["memory"]] :
      policy.notification_channels == tolist(["projects/demo-project/notificationChannels/1"])
    ])
    error_message = "An alert goes to nobody."
  }
}

run "refuses_a_runbook_with_an_anchor_and_a_percentage_for_a_ratio" {
  command = plan

  variables {
    runbook            = "https://git.example.com/oauth/docs/operations.md#runbook"
    alert_memory_ratio = 80
  }

  expect_failures = [var.runbook, var.alert_memory_ratio]
}
