# Who may do what: at Google, with secrets, and on routes that are not for everybody.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}
mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  google_project  = "my-project"
  release         = "v1.2.3"
  provider_apps   = { slack = { client_id = "slack-id" }, my-provider = { client_id = "other-id" } }
  operators_email = ["oncall@example.com"]
  runbook         = "https://git.example.com/oauth/docs/operations.md"
  token_invokers  = ["billing", "portal"]
  admin_invokers  = ["operators"]
}

run "key_and_secrets_are_for_whom_the_list_says" {
  command = plan

  assert {
    condition     = toset(keys(local.kms_users)) == toset(["callback", "token-get", "admin", "scheduled-refresh", "scheduled-health"])
    error_message = "The key is for those that seal or open tokens, and authorize does neither."
  }

  assert {
    condition = alltrue([
      for name, member in local.kms_users :
      member == "principalSet://iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/oauth-aws/attribute.role/oauth-${name}"
    ])
    error_message = "A member is the role of one function, and no whole pool."
  }

  assert {
    condition     = local.settings["authorize"]["KEY_URL"] == "none" && startswith(local.settings["callback"]["KEY_URL"], "gcpkms://projects/my-project/locations/us-east4/")
    error_message = "authorize is told that there is no key for it; callback is told which."
  }

  assert {
    condition     = { for name, function in module.function : name => function.role_name } == local.roles
    error_message = "Google's rights are given to roles that the functions do not have."
  }

  assert {
    condition = { for name, secrets in local.secrets : name => sort(keys(secrets)) if name == "authorize" || name == "scheduled-refresh" } == {
      authorize         = sort(["ATTEMPT_KEY", "AUDIT_KEY", "CACHE_URL", "CALLERS"])
      scheduled-refresh = sort(["AUDIT_KEY", "CACHE_URL", "PROVIDER_MY_PROVIDER_CLIENT_SECRET", "PROVIDER_SLACK_CLIENT_SECRET"])
    }
    error_message = "authorize reads no client secret, and a job neither the attempt key nor the callers."
  }

  assert {
    condition     = alltrue(flatten([for name, settings in local.settings : [for setting in keys(settings) : !can(regex("(_SECRET|_KEY|^CALLERS|^CACHE_URL)$", setting))]]))
    error_message = "A secret stands among the settings."
  }

  assert {
    condition     = toset(output.secrets_to_set) == toset(["oauth-attempt-key", "oauth-audit-key", "oauth-callers", "oauth-cache-auth", "oauth-provider-slack-client-secret", "oauth-provider-my-provider-client-secret"])
    error_message = "The secrets that want a value are not those that functions read."
  }
}

run "what_is_not_for_everybody_wants_a_signature_of_a_role_that_may" {
  command = plan

  assert {
    condition     = length(output.routes) == length(module.functions.routes) && alltrue([for route in output.routes : route.auth == (startswith(route.path, "/api/v1/tokens/") || startswith(route.path, "/api/v1/admin/") || contains(["/docs", "/openapi.json"], route.path) ? "AWS_IAM" : "NONE")])
    error_message = "A route is open that should not be, or the other way around."
  }

  assert {
    condition = { for name, settings in local.settings : name => lookup(settings, "GATEWAY", null) } == {
      authorize = null, callback = null, token-get = "sole-invoker", admin = "sole-invoker", scheduled-refresh = null, scheduled-health = null
    }
    error_message = "X-Forwarded-Authorization counts only where every request was signed."
  }

  assert {
    condition     = { for name, settings in local.settings : name => lookup(settings, "AUTH", null) if lookup(settings, "AUTH", null) != null } == { scheduled-refresh = "platform", scheduled-health = "platform" }
    error_message = "Only jobs leave it to the platform who may call."
  }

  assert {
    condition = jsondecode(aws_iam_policy.invoke["token-get"].policy).Statement == [{
      Sid    = "CallItsRoutes"
      Effect = "Allow"
      Action = ["execute-api:Invoke"]
      Resource = [
        "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/$default/POST/api/v1/tokens/get",
        "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/$default/POST/api/v1/tokens/refresh/*",
        "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/$default/POST/api/v1/tokens/revoke/*",
      ]
    }]
    error_message = "The policy of token-get has other routes than its own."
  }

  assert {
    condition     = toset(keys(aws_iam_policy.invoke)) == toset(["token-get", "admin"])
    error_message = "There is a policy for each function that is not for everybody, and no other."
  }

  assert {
    condition     = toset([for attachment in aws_iam_role_policy_attachment.invoke : attachment.role]) == toset(["billing", "portal", "operators"]) && length(aws_iam_role_policy_attachment.invoke) == 3
    error_message = "Each role is given what it was named for."
  }
}
