# The function, a version of it for every change, and the alias that callers know.

locals {
  # What the binary does the same everywhere; a caller of the module may say otherwise.
  environment = merge(
    # Without it the certificates are looked for at every start.
    { SSL_CERT_FILE = "/etc/pki/tls/certs/ca-bundle.crt" },
    var.environment,
    { for name, arn in var.secrets : "${name}_SECRET" => arn },
  )
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:The service writes its own spans (OTEL_EXPORTER_OTLP_ENDPOINT), and X-Ray would need rights on every resource.
  #checkov:skip=CKV_AWS_115:Reserving takes invocations from the rest of the account, so it is the variable reserved_concurrency.
  #checkov:skip=CKV_AWS_116:Endpoints are called synchronously and have nothing to put into a queue; the schedule module sends what a job fails at to its own.
  #checkov:skip=CKV_AWS_117:Only Redis needs a VPC; without it a function outside of one is smaller and has no NAT to fail.
  #checkov:skip=CKV_AWS_173:No secret stands in the environment, which AWS encrypts with a key of its own.
  #checkov:skip=CKV_AWS_272:Packages come from a bucket that only the release may write; signing them needs a profile of the company's.
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.architecture]
  s3_bucket     = var.package.bucket
  s3_key        = var.package.key
  publish       = true # a version that the alias names, so that going back is naming the one before

  memory_size                    = var.memory_mib
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = local.environment
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
    # The setting LOG decides which lines there are. Lambda must not filter them again: lines of the audit log have no level.
    application_log_level = "TRACE"
    system_log_level      = "INFO"
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      # Lambda measures them as JSON, with its quotes and what they escape.
      condition     = length(jsonencode(local.environment)) <= 4096
      error_message = "The settings of ${var.name}, with the ARNs of its secrets, are longer than the 4 KB that Lambda takes: shorten a list, such as redirect_allow."
    }
  }

  # A function without its rights starts, and fails.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy.vpc]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What the API and the schedules call."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:No secret is ever logged; CloudWatch encrypts with a key of its own.
  #checkov:skip=CKV_AWS_338:What has to be kept for a year is the audit log, which goes to a bucket of its own.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}
