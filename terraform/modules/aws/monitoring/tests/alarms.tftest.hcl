# What raises an alarm, whom it tells, and that nothing of alerts.yaml is left out.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:111122223333:oauth-alarms" }
  }
}

variables {
  prefix = "oauth"
  log_groups = {
    authorize         = "/aws/lambda/oauth-authorize"
    callback          = "/aws/lambda/oauth-callback"
    token-get         = "/aws/lambda/oauth-token-get"
    admin             = "/aws/lambda/oauth-admin"
    scheduled-refresh = "/aws/lambda/oauth-scheduled-refresh"
    scheduled-health  = "/aws/lambda/oauth-scheduled-health"
  }
  api_id             = "a1b2c3d4"
  host               = "oauth.example.com"
  dead_letter_queues = { scheduled-refresh = "oauth-scheduled-refresh-failed", scheduled-health = "oauth-scheduled-health-failed" }
  emails             = ["oncall@example.com"]
  runbook            = "https://example.com/operations.md"
}

run "every_alert_of_the_list_is_an_alarm_that_tells_somebody_and_names_its_entry_in_the_runbook" {
  command = apply

  assert {
    condition     = toset([for name in keys(output.alarms) : split(".", name)[0]]) == toset(keys(yamldecode(file("../../../alerts.yaml")).alerts))
    error_message = "Each alert of alerts.yaml has to have an alarm."
  }

  assert {
    condition = alltrue([
      for name, alarm in merge(aws_cloudwatch_metric_alarm.lines, aws_cloudwatch_metric_alarm.shares) :
      endswith(alarm.alarm_description, "https://example.com/operations.md#alert-${name}") && length(alarm.alarm_description) <= 1024
    ])
    error_message = "A notification has to say where its runbook is, in the 1,024 characters that there are."
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.lines), values(aws_cloudwatch_metric_alarm.shares), values(aws_cloudwatch_metric_alarm.silent),
        values(aws_cloudwatch_metric_alarm.trigger_failed), aws_cloudwatch_metric_alarm.unhealthy[*], aws_cloudwatch_metric_alarm.server_errors[*], aws_cloudwatch_metric_alarm.latency[*],
      ) : contains(alarm.alarm_actions, aws_sns_topic.alarms.arn)
    ])
    error_message = "An alarm that tells nobody."
  }

  assert {
    condition     = aws_route53_health_check.health[0].search_string == "\"status\":\"healthy\"" && aws_route53_health_check.health[0].resource_path == "/health"
    error_message = "The check has to look at what /health says."
  }

  assert {
    condition     = contains(one([for statement in data.aws_iam_policy_document.key.statement : statement.principals if statement.sid == "Alarms"])[*].type, "Service") && contains(one([for statement in data.aws_iam_policy_document.key.statement : one(statement.principals).identifiers if statement.sid == "Alarms"]), "cloudwatch.amazonaws.com")
    error_message = "With a key that CloudWatch can't use, every alarm is lost."
  }

  assert {
    condition     = aws_kms_key.alarms.enable_key_rotation
    error_message = "The key has to be rotated."
  }
}

run "lines_are_found_in_every_log_and_counted_as_the_list_says" {
  command = plan

  variables {
    thresholds = { provider-failing = 9 }
  }

  assert {
    condition = alltrue([
      for function, group in var.log_groups :
      aws_cloudwatch_log_metric_filter.lines["audit-loss.${function}"].log_group_name == group
    ])
    error_message = "Any function may write any of these lines."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.lines["callers-unusable.admin"].pattern == "{ ($.level = \"ERROR\" && $.message = \"the callers file has changed and can't be used; who could call before still can\") }"
    error_message = "A line is known by its level and its whole message."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.lines["refreshed.token-get"].pattern == "{ ($.audit.call = \"change.refreshed\" && $.target = \"audit\") }"
    error_message = "A field of the audit log stands within `audit`."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.lines["run-incomplete.scheduled-refresh"].pattern == "{ ($.complete IS FALSE && $.level = \"INFO\" && $.message = \"a run has ended\") }"
    error_message = "A truth value is no text."
  }

  assert {
    condition     = alltrue([for filter in aws_cloudwatch_log_metric_filter.lines : length(filter.pattern) <= 1024])
    error_message = "CloudWatch takes a pattern of at most 1,024 characters."
  }

  assert {
    condition     = length(aws_cloudwatch_log_metric_filter.lines) / length(var.log_groups) <= 95
    error_message = "A log group can have 100 filters."
  }

  assert {
    condition = alltrue([
      for name in ["audit-loss", "foreign-connection", "tokens-unsaved", "tokens-unreadable", "provider-misconfigured", "connect-lured"] :
      aws_cloudwatch_metric_alarm.lines[name].threshold == 0
      && aws_cloudwatch_metric_alarm.lines[name].period == 300
      && aws_cloudwatch_metric_alarm.lines[name].datapoints_to_alarm == 1
      && aws_cloudwatch_metric_alarm.lines[name].treat_missing_data == "notBreaching"
    ])
    error_message = "These are raised by one line, not counted."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.lines["store-failing"].threshold == 5 && aws_cloudwatch_metric_alarm.lines["store-failing"].period == 300
    error_message = "More than five lines in five minutes."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.lines["provider-failing"].threshold == 9 && aws_cloudwatch_metric_alarm.lines["provider-failing"].period == 900
    error_message = "The threshold of `thresholds` counts."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.lines : alarm.period % 60 == 0])
    error_message = "CloudWatch counts in whole minutes."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.lines["refreshed.token-get"].metric_transformation[0].default_value == "0" && one([for query in aws_cloudwatch_metric_alarm.shares["refresh-failures"].metric_query : query.expression if query.id == "share"]) == "IF(of >= 20, of / (of + FILL(beside, 0)), 0)"
    error_message = "Without any that went well there is nothing to divide by."
  }

  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.runs["run-missing.scheduled-refresh"].log_group_name == "/aws/lambda/oauth-scheduled-refresh"
      && one([for query in aws_cloudwatch_metric_alarm.silent["run-missing.scheduled-refresh"].metric_query : query.metric[0].period if query.id == "runs"]) == 1800
      && [for query in aws_cloudwatch_metric_alarm.silent["run-missing.scheduled-refresh"].metric_query : query.expression if query.return_data == true] == ["FILL(runs, 0)"]
      && aws_cloudwatch_metric_alarm.silent["run-missing.scheduled-refresh"].evaluation_periods == 2
      && aws_cloudwatch_metric_alarm.silent["run-missing.scheduled-refresh"].treat_missing_data == "breaching"
    )
    error_message = "No data is what silence looks like."
  }
}

run "an_alarm_that_counts_over_hours_ends_by_lines_that_say_none" {
  command = plan

  assert {
    condition = length(local.slow) > 0 && alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.lines :
      (alarm.period >= 3600) == (aws_cloudwatch_log_metric_filter.lines["${name}.token-get"].metric_transformation[0].default_value == "0")
    ])
    error_message = "Where hours are counted, every line counts, if only as none."
  }
}

run "where_route_53_keeps_no_metrics_there_is_no_alarm_that_could_never_be_raised" {
  command = plan

  variables {
    disabled = ["grants-ending"]
  }

  override_data {
    target = data.aws_region.current
    values = { name = "eu-central-1" }
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.lines), "grants-ending")
    error_message = "What is disabled is not there."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.unhealthy) == 0 && length(aws_route53_health_check.health) == 1
    error_message = "An alarm outside of us-east-1 sees nothing."
  }
}

run "alerts_that_are_not_there_and_a_function_without_a_log_group_are_refused" {
  command = plan

  variables {
    thresholds = { provider-fialing = 9 }
    log_groups = { scheduled-refresh = "a", scheduled-health = "b" }
  }

  expect_failures = [var.thresholds, var.log_groups]
}
