# What is called, with what, who may, and what becomes of a run that fails.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/oauth-scheduled-refresh-trigger" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:oauth-scheduled-refresh-dead-letters" }
  }
  mock_resource "aws_scheduler_schedule_group" {
    defaults = { arn = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/oauth-scheduled-refresh" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name = "oauth-scheduled-refresh"
  function = {
    name      = "oauth-scheduled-refresh"
    alias     = "live"
    alias_arn = "arn:aws:lambda:us-east-1:123456789012:function:oauth-scheduled-refresh:live"
    role_name = "oauth-scheduled-refresh"
  }
  expression = "cron(0/30 * * * ? *)"
}

run "calls_the_alias_of_one_function_at_its_time_and_may_do_nothing_else" {
  command = plan

  assert {
    condition     = length(aws_scheduler_schedule.this) == 1 && aws_scheduler_schedule.this[0].target[0].arn == var.function.alias_arn
    error_message = "There is one schedule, and it calls the function's alias."
  }

  assert {
    condition     = aws_scheduler_schedule.this[0].schedule_expression == "cron(0/30 * * * ? *)" && aws_scheduler_schedule.this[0].schedule_expression_timezone == "UTC"
    error_message = "The schedule is not the one that was asked for, in UTC."
  }

  assert {
    condition     = aws_scheduler_schedule.this[0].target[0].input == null && aws_scheduler_schedule.this[0].state == "ENABLED"
    error_message = "Without shards EventBridge's own event is sent."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.trigger.policy).Statement : one(statement.Action) => one(statement.Resource) } == {
      "lambda:InvokeFunction" = var.function.alias_arn
      "sqs:SendMessage"       = "arn:aws:sqs:us-east-1:123456789012:oauth-scheduled-refresh-dead-letters"
    }
    error_message = "The schedules' role may do more than call the function and keep what failed."
  }

  assert {
    condition     = jsondecode(aws_iam_role.trigger.assume_role_policy).Statement[0].Condition.StringEquals == { "aws:SourceAccount" = "123456789012", "aws:SourceArn" = aws_scheduler_schedule_group.this.arn }
    error_message = "Schedules of other groups may take the role."
  }

  assert {
    condition     = aws_iam_role_policy.function.role == "oauth-scheduled-refresh" && length(jsondecode(aws_iam_role_policy.function.policy).Statement) == 1
    error_message = "The function's role gets the queue and no more."
  }
}

run "sends_each_shard_its_own_input" {
  command = plan

  variables {
    inputs = [for shard in range(3) : jsonencode({ shard = shard, of = 3 })]
  }

  assert {
    condition     = [for schedule in aws_scheduler_schedule.this : jsondecode(schedule.target[0].input).shard] == [0, 1, 2]
    error_message = "Each shard has a schedule."
  }

  assert {
    condition     = [for schedule in aws_scheduler_schedule.this : schedule.name] == [for shard in range(3) : "oauth-scheduled-refresh-${shard}"]
    error_message = "The schedules are numbered."
  }
}

run "keeps_what_failed_on_both_ways_and_stands_still_when_told_to" {
  command = plan

  variables {
    retries         = 1
    max_age_seconds = 600
    enabled         = false
  }

  assert {
    condition     = aws_scheduler_schedule.this[0].target[0].dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn
    error_message = "What the schedule could not hand over is lost."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination == aws_sqs_queue.dead_letters.arn && aws_lambda_function_event_invoke_config.this.qualifier == "live"
    error_message = "What the function failed at is lost."
  }

  assert {
    condition = (
      aws_scheduler_schedule.this[0].target[0].retry_policy[0].maximum_retry_attempts == 1 && aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 1 &&
      aws_scheduler_schedule.this[0].target[0].retry_policy[0].maximum_event_age_in_seconds == 600 && aws_lambda_function_event_invoke_config.this.maximum_event_age_in_seconds == 600
    )
    error_message = "Both try again as often and as long as they are told."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "Dead letters are encrypted and kept for two weeks."
  }

  assert {
    condition     = aws_scheduler_schedule.this[0].state == "DISABLED"
    error_message = "A schedule that is off must not run."
  }
}

run "refuses_what_eventbridge_would_refuse_later" {
  command = plan

  variables {
    name            = "Oauth"
    expression      = "*/30 * * * *"
    inputs          = ["shard 0"]
    retries         = 3
    max_age_seconds = 30
  }

  expect_failures = [var.name, var.expression, var.inputs, var.retries, var.max_age_seconds]
}
