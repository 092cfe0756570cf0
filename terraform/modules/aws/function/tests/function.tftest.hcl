# What the role may do, what the function is told, and which variables are refused.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/oauth-token-get" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/oauth-token-get" }
  }
  mock_resource "aws_lambda_function" {
    defaults = {
      arn     = "arn:aws:lambda:us-east-1:123456789012:function:oauth-token-get"
      version = "7"
    }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name    = "oauth-token-get"
  package = { bucket = "packages", key = "releases/1.2.3/arm64/token-get.zip" }
  environment = {
    PUBLIC_URL = "https://oauth.example.com"
  }
  secrets = {
    AUDIT_KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:oauth-audit-key-AbCdEf"
    CALLERS   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:oauth-callers-AbCdEf"
  }
}

run "has_rights_to_its_own_log_and_secrets_and_no_secret_in_its_settings" {
  command = plan

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid] == [
      "WriteItsLog", "ReadItsSecrets",
    ]
    error_message = "The role has other rights than to its log and secrets."
  }

  assert {
    condition     = tolist(jsondecode(aws_iam_role_policy.this.policy).Statement[1].Resource) == tolist(sort(values(var.secrets)))
    error_message = "The role may read other secrets than those of the function."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource == "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/oauth-token-get:*"
    error_message = "The role writes to another log than that of the function."
  }

  assert {
    condition     = length(aws_iam_role_policy.vpc) == 0
    error_message = "A function outside of a VPC has no rights on network interfaces."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Others than Lambda may take the role."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["CALLERS_SECRET"] == var.secrets["CALLERS"]
    error_message = "A secret setting is given by the ARN of its secret."
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.this.environment[0].variables), "CALLERS")
    error_message = "The setting itself must not be set."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["PUBLIC_URL"] == "https://oauth.example.com"
    error_message = "Settings do not reach the function."
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].application_log_level == "TRACE"
    error_message = "Lines of the audit log have no level: with a filter Lambda may drop them."
  }

  assert {
    condition     = aws_lambda_function.this.s3_key == "releases/1.2.3/arm64/token-get.zip" && aws_lambda_function.this.publish
    error_message = "Each change publishes a version."
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "7"
    error_message = "The alias names the version that was published last."
  }

  assert {
    condition     = aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.runtime == "provided.al2023"
    error_message = "arm64 on provided.al2023 is what is packaged by default."
  }
}

run "takes_from_the_code_what_lambda_needs_in_a_vpc_and_names_the_runbook_in_each_alarm" {
  command = plan

  variables {
    vpc    = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    alarms = { topics = ["arn:aws:sns:us-east-1:123456789012:oauth-alarms"], runbook = "https://example.com/operations.md" }
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.vpc[0].policy).Statement[1].Effect == "Deny" && jsondecode(aws_iam_role_policy.vpc[0].policy).Statement[1].Action == jsondecode(aws_iam_role_policy.vpc[0].policy).Statement[0].Action
    error_message = "The function's code could make network interfaces."
  }

  assert {
    condition     = aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1"])
    error_message = "The function is not in the VPC."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors", "throttles"])
    error_message = "Errors and throttles have an alarm."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      strcontains(alarm.alarm_description, "https://example.com/operations.md#alert-") && alarm.alarm_actions == toset(var.alarms.topics)
    ])
    error_message = "Each alarm says what to do, to somebody."
  }
}

run "refuses_what_lambda_would_refuse_later" {
  command = plan

  variables {
    name                 = "Oauth"
    architecture         = "x86-64"
    timeout_seconds      = 901
    reserved_concurrency = 0
    log_retention_days   = 31
    environment          = { REDIRECT_ALLOW = join(",", [for number in range(200) : "https://app${number}.example.com/connected"]) }
  }

  expect_failures = [
    var.name, var.architecture, var.timeout_seconds, var.reserved_concurrency, var.log_retention_days, var.environment,
  ]
}

run "refuses_settings_that_only_with_the_secrets_and_as_json_are_too_long" {
  command = plan

  variables {
    # 3,500 characters of JSON; 1,800 without what JSON escapes.
    environment = { GOOGLE_CREDENTIALS = join("", [for number in range(865) : "\"\""]) }
    secrets     = { for number in range(8) : "SECRET_${number}" => "arn:aws:secretsmanager:us-east-1:123456789012:secret:oauth-secret-${number}-AbCdEf" }
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_a_setting_that_is_given_twice" {
  command = plan

  variables {
    environment = { CALLERS = "" }
  }

  expect_failures = [var.secrets]
}
