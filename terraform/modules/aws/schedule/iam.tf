# The schedules may call this one function, and they and the function may put what failed into the queue.

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "trigger" {
  name        = "${var.name}-trigger"
  description = "What the schedules of ${var.function.name} may do: call it."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      # For schedules of this group alone, not for whoever gets EventBridge to take a role.
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = data.aws_caller_identity.current.account_id
          "aws:SourceArn"     = aws_scheduler_schedule_group.this.arn
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "trigger" {
  name = "trigger"
  role = aws_iam_role.trigger.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CallTheFunction"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = [var.function.alias_arn]
      },
      local.put_dead_letters,
    ]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "dead-letters"
  role = var.function.role_name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.put_dead_letters]
  })
}

locals {
  put_dead_letters = {
    Sid      = "PutDeadLetters"
    Effect   = "Allow"
    Action   = ["sqs:SendMessage"]
    Resource = [aws_sqs_queue.dead_letters.arn]
  }
}
