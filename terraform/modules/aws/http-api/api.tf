# The API and its one stage. It has no CORS settings: the functions answer OPTIONS, and say which origins may ask.

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "OAuth Management Service"
  protocol_type = "HTTP"
  # With a name of one's own there is one way in, which the provider's redirect URIs are registered for.
  disable_execute_api_endpoint = var.domain != null
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default" # no stage in the path: redirect URIs are registered without
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode(local.access_log)
  }
}

locals {
  # Neither the query nor the body: the callback's query holds codes and states.
  access_log = {
    time             = "$context.requestTime"
    requestId        = "$context.requestId"
    route            = "$context.routeKey"
    path             = "$context.path"
    status           = "$context.status"
    latencyMs        = "$context.responseLatency"
    functionMs       = "$context.integrationLatency"
    responseBytes    = "$context.responseLength"
    sourceIp         = "$context.identity.sourceIp"
    signedBy         = "$context.identity.userArn"
    error            = "$context.error.message"
    integrationError = "$context.integrationErrorMessage"
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:The access log has no secret in it; CloudWatch encrypts with a key of its own.
  #checkov:skip=CKV_AWS_338:What has to be kept for a year is the audit log, which goes to a bucket of its own.
  # For names that begin so, AWS needs no resource policy, of which an account has few.
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
}
