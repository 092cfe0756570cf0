# Where a run ends up that nobody began, or that failed each time: the message says which shard, and why.

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 1209600 # two weeks, as long as SQS keeps anything
  sqs_managed_sse_enabled   = true
}

# A schedule counts a run as done when Lambda has taken the event. What becomes of it is said here.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = var.function.name
  qualifier                    = var.function.alias
  maximum_retry_attempts       = var.retries
  maximum_event_age_in_seconds = var.max_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }

  # Lambda looks whether the function's role may write there.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OverTlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.dead_letters.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
