# What there is: schedules, settings, with Redis and without. That both variable files make a plan, infra/terraform/apply-aws.sh shows.

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
  provider_apps   = { slack = { client_id = "slack-id" } }
  operators_email = ["oncall@example.com"]
  runbook         = "https://git.example.com/oauth/docs/operations.md"
}

run "functions_are_told_where_everything_is_and_each_shard_which_it_is" {
  command = plan

  variables {
    sizes           = { scheduled-refresh = { shards = 3 } }
    secrets_changed = "20260101T000000Z"
  }

  assert {
    condition = jsonencode([for trigger in output.triggers : [trigger.name, trigger.cron, trigger.input] if trigger.function == "scheduled-refresh"]) == jsonencode([
      for shard in range(3) : ["oauth-scheduled-refresh-${shard}", "cron(0/30 * * * ? *)", jsonencode({ shard = shard, of = 3 })]
    ])
    error_message = "Three shards are three schedules, every 30 minutes."
  }

  assert {
    condition     = jsonencode([for trigger in output.triggers : [trigger.name, trigger.cron, trigger.input] if trigger.function == "scheduled-health"]) == jsonencode([["oauth-scheduled-health", "cron(7 * * * ? *)", null]])
    error_message = "The health check runs hourly, as a whole."
  }

  assert {
    condition     = toset(keys(output.dead_letter_queues)) == toset(["scheduled-refresh", "scheduled-health"])
    error_message = "Each job has a place for what it failed at."
  }

  assert {
    condition = alltrue([
      for settings in local.settings :
      settings["PUBLIC_URL"] == "https://a1b2c3.execute-api.us-east-1.amazonaws.com" && settings["STORE_URL"] == "firestore://my-project/oauth-oauth" && jsondecode(settings["GOOGLE_CREDENTIALS"]).type == "external_account"
    ])
    error_message = "Address, database or Google's credentials are missing."
  }

  assert {
    condition     = local.settings["scheduled-refresh"]["DEADLINE"] == "540s"
    error_message = "A job ends by itself before Lambda ends it."
  }

  assert {
    condition     = output.callback_urls == { slack = "https://a1b2c3.execute-api.us-east-1.amazonaws.com/api/v1/oauth/callback/slack" }
    error_message = "The redirect URI to register is not the one that is answered."
  }

  assert {
    condition     = alltrue([for description in local.descriptions : endswith(description, "with secrets of 20260101T000000Z")])
    error_message = "Functions go on with the secret that they read at their start."
  }

  assert {
    condition     = length(module.network) == 1 && length(module.cache) == 1 && alltrue([for vpc in local.vpc : length(vpc.subnet_ids) == 2])
    error_message = "Redis is enabled, and the functions can't reach it."
  }

  assert {
    condition     = startswith(nonsensitive(module.cache[0].url), "rediss://:")
    error_message = "The cache is reached with TLS and a password, or not at all."
  }
}

run "the_vpc_is_in_the_first_zones_that_there_are_or_in_those_that_are_named" {
  command = plan

  assert {
    condition     = local.zones == tolist(["us-east-1b", "us-east-1c"])
    error_message = "The zones are not the first two of this account."
  }
}

run "zones_that_are_named_are_taken" {
  command = plan

  variables {
    network = { zones = ["c", "d"] }
    redis   = { auth_token_update_strategy = "SET", engine_version = "8.1" }
  }

  assert {
    condition     = local.zones == tolist(["us-east-1c", "us-east-1d"])
    error_message = "Other zones are taken than those that were named."
  }
}

run "a_zone_that_there_is_not_is_refused" {
  command = plan

  variables {
    network = { zones = ["a", "b"] }
  }

  expect_failures = [data.aws_availability_zones.here]
}

run "without_redis_there_is_no_vpc_and_packages_may_lie_elsewhere" {
  command = plan

  variables {
    redis            = { enabled = false }
    artifacts_bucket = "company-packages"
  }

  assert {
    condition     = length(module.network) == 0 && length(module.cache) == 0 && length(output.nat_ips) == 0
    error_message = "What costs by the hour is there although nobody needs it."
  }

  assert {
    condition     = alltrue([for secrets in local.secrets : !contains(keys(secrets), "CACHE_URL")]) && !contains(output.secrets_to_set, "oauth-cache-auth")
    error_message = "Functions are told of a cache that is not there."
  }

  assert {
    condition     = length(module.artifacts) == 0 && output.artifacts == "company-packages"
    error_message = "A bucket was named, and another one is made."
  }
}

run "refuses_a_release_that_says_nothing" {
  command = plan

  variables {
    release = "latest"
  }

  expect_failures = [var.release]
}
