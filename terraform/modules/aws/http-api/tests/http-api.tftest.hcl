# Which routes there are, who may call them, and what the access log leaves out.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      id            = "a1b2c3"
      api_endpoint  = "https://a1b2c3.execute-api.us-east-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3"
    }
  }
  mock_resource "aws_apigatewayv2_integration" {
    defaults = { id = "i1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/apigateway/oauth" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/made"
      domain_validation_options = [{
        domain_name           = "oauth.example.com"
        resource_record_name  = "_1.oauth.example.com"
        resource_record_type  = "CNAME"
        resource_record_value = "_2.acm-validations.aws"
      }]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/made" }
  }
}

variables {
  name = "oauth"
  routes = [
    { method = "GET", path = "/health", function = "callback", auth = "NONE" },
    { method = "GET", path = "/api/v1/oauth/callback/{provider}", function = "callback", auth = "NONE" },
    { method = "POST", path = "/api/v1/tokens/get", function = "token-get", auth = "AWS_IAM" },
  ]
  functions = {
    callback  = { name = "oauth-callback", alias = "live", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:oauth-callback:live/invocations" }
    token-get = { name = "oauth-token-get", alias = "live", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:oauth-token-get:live/invocations" }
    idle      = { name = "oauth-idle", alias = "live", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:oauth-idle:live/invocations" }
  }
}

run "has_the_routes_that_are_listed_and_no_others_and_logs_no_codes" {
  command = plan

  assert {
    condition = { for route in aws_apigatewayv2_route.this : route.route_key => route.authorization_type } == {
      "GET /health"                           = "NONE"
      "GET /api/v1/oauth/callback/{provider}" = "NONE"
      "POST /api/v1/tokens/get"               = "AWS_IAM"
    }
    error_message = "The routes or who may call them are not those that are listed."
  }

  assert {
    condition     = { for function, integration in aws_apigatewayv2_integration.this : function => integration.integration_uri } == { for name in ["callback", "token-get"] : name => var.functions[name].invoke_arn }
    error_message = "A function is called that no route names, or not by its alias."
  }

  assert {
    condition     = alltrue([for integration in aws_apigatewayv2_integration.this : integration.payload_format_version == "2.0" && integration.timeout_milliseconds == 30000])
    error_message = "Functions read payload format 2.0 and have 30 s."
  }

  assert {
    condition = alltrue([
      for permission in aws_lambda_permission.api : permission.principal == "apigateway.amazonaws.com" &&
      permission.qualifier == "live" && permission.source_arn == "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/*/*"
    ])
    error_message = "Another API could call the functions, or another version than that of the alias."
  }

  assert {
    condition     = !strcontains(lower(aws_apigatewayv2_stage.default.access_log_settings[0].format), "query") && !strcontains(aws_apigatewayv2_stage.default.access_log_settings[0].format, "$context.authorizer")
    error_message = "The callback's query holds codes."
  }
}

run "takes_no_more_than_it_is_told_under_the_name_that_aws_gives" {
  command = plan

  variables {
    throttle = { rate = 20, burst = 40 }
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 20 && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_burst_limit == 40
    error_message = "The stage is not throttled as told."
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.name == "$default" && aws_apigatewayv2_stage.default.auto_deploy
    error_message = "A stage in the path would be in every redirect URI."
  }

  assert {
    condition     = output.url == "https://a1b2c3.execute-api.us-east-1.amazonaws.com" && output.host == "a1b2c3.execute-api.us-east-1.amazonaws.com" && !aws_apigatewayv2_api.this.disable_execute_api_endpoint
    error_message = "Without a domain the API's own endpoint is the address."
  }
}

run "makes_certificate_and_records_in_a_zone" {
  command = plan

  variables {
    domain = { name = "oauth.example.com", zone_id = "Z123" }
  }

  assert {
    condition     = output.url == "https://oauth.example.com" && aws_apigatewayv2_api.this.disable_execute_api_endpoint
    error_message = "With a domain it is the only way in."
  }

  assert {
    condition     = aws_acm_certificate.this[0].validation_method == "DNS" && aws_route53_record.this[*].type == ["A"] && aws_route53_record.validation[0].type == "CNAME"
    error_message = "The certificate, its proof and the records are made."
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "Nothing older than TLS 1.2."
  }
}

run "takes_a_certificate_that_is_there" {
  command = plan

  variables {
    domain = { name = "oauth.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/mine" }
  }

  assert {
    condition     = length(aws_acm_certificate.this) == 0 && length(aws_route53_record.this) == 0 && aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].certificate_arn == var.domain.certificate_arn
    error_message = "With a certificate neither another one nor records are made."
  }
}

run "refuses_catch_all_routes_and_unknown_functions" {
  command = plan

  variables {
    routes = [{ method = "ANY", path = "/{proxy+}", function = "nobody", auth = "JWT" }]
  }

  expect_failures = [var.routes]
}

run "refuses_a_domain_without_a_certificate" {
  command = plan

  variables {
    domain = { name = "https://oauth.example.com" }
  }

  expect_failures = [var.domain]
}
