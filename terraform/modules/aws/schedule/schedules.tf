# A schedule for each shard, in a group of the function's own.

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
}

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:A schedule says which shard is due, and nothing secret; AWS encrypts it with a key of its own.
  count = length(var.inputs)

  name        = length(var.inputs) == 1 ? var.name : "${var.name}-${count.index}"
  description = length(var.inputs) == 1 ? "Calls ${var.function.name}." : "Calls ${var.function.name} for shard ${count.index} of ${length(var.inputs)}."
  group_name  = aws_scheduler_schedule_group.this.name
  state       = var.enabled ? "ENABLED" : "DISABLED"

  schedule_expression          = var.expression
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.function.alias_arn
    role_arn = aws_iam_role.trigger.arn
    input    = var.inputs[count.index]

    retry_policy {
      maximum_retry_attempts       = var.retries
      maximum_event_age_in_seconds = var.max_age_seconds
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }

  # EventBridge looks whether the role may call the target when a schedule is made.
  depends_on = [aws_iam_role_policy.trigger, var.after]
}
