# What the repository's own list comes to.

run "who_may_do_what_is_as_listed" {
  command = plan

  variables {
    provider_ids = ["slack", "my-provider"]
  }

  assert {
    condition     = !contains(output.kms_users, "authorize") && length(output.kms_users) == 5
    error_message = "authorize may not use the key, and everything else may."
  }
  assert {
    condition     = output.store_users == toset(keys(output.functions))
    error_message = "Every function uses the store."
  }
  assert {
    condition     = output.cache_users == toset(keys(output.functions))
    error_message = "Every function uses the cache."
  }
  assert {
    condition     = output.secret_readers["attempt-key"] == output.endpoints
    error_message = "The attempt key is for endpoints alone: jobs seal no attempts."
  }
  assert {
    condition     = output.secret_readers["audit-key"] == toset(keys(output.functions))
    error_message = "Every function writes the audit log."
  }
  assert {
    condition = alltrue([
      for id in ["slack", "my-provider"] :
      !contains(output.secret_readers["provider-${id}-client-secret"], "authorize") &&
      contains(output.secret_readers["provider-${id}-client-secret"], "callback")
    ])
    error_message = "A client secret is for whom calls the provider; authorize only sends browsers there."
  }
  assert {
    condition     = output.functions["callback"].secrets["PROVIDER_MY_PROVIDER_CLIENT_SECRET"] == "provider-my-provider-client-secret"
    error_message = "A hyphen in an id becomes an underscore in the setting."
  }
}

run "routes_are_split_and_belong_to_their_function" {
  command = plan

  assert {
    condition = contains(output.routes, {
      method = "GET", path = "/api/v1/oauth/callback/{provider}", function = "callback", exposure = "public"
    })
    error_message = "The callback of a provider is a public route of callback."
  }
  assert {
    condition = alltrue([
      for route in output.routes : route.exposure == "internal" if startswith(route.path, "/api/v1/tokens/") || startswith(route.path, "/api/v1/admin/")
    ])
    error_message = "Tokens and administration are internal."
  }
}

run "jobs_have_a_trigger_and_both_clocks_understand_it" {
  command = plan

  assert {
    condition = jsonencode(output.triggers) == jsonencode({
      scheduled-refresh = {
        schedule = "*/30 * * * *", schedule_aws = "cron(0/30 * * * ? *)", interval = 1800, shards = 1, timeout = 600, inputs = [null]
      }
      scheduled-health = {
        schedule = "7 * * * *", schedule_aws = "cron(7 * * * ? *)", interval = 3600, shards = 1, timeout = 600, inputs = [null]
      }
    })
    error_message = "Refreshes run every 30 minutes, checks hourly."
  }
}

run "an_environment_may_size_a_function" {
  command = plan

  variables {
    sizes = {
      scheduled-refresh = { shards = 16, timeout = 900 }
      token-get         = { memory = 1024, cpu = 2, min_instances = 1, max_instances = 50 }
    }
  }

  assert {
    condition = output.triggers["scheduled-refresh"].inputs == tolist([
      for i in range(16) : jsonencode({ shard = i, of = 16 })
    ])
    error_message = "Each shard has a trigger that says which one it is."
  }
  assert {
    condition     = output.functions["scheduled-refresh"].max_instances == 16
    error_message = "All shards run at once."
  }
  assert {
    condition     = output.functions["scheduled-refresh"].deadline == 840
    error_message = "The deadline keeps its distance to the time-out."
  }
  assert {
    condition = (
      output.functions["token-get"].memory == 1024 && output.functions["token-get"].cpu == 2 &&
      output.functions["token-get"].min_instances == 1 && output.functions["token-get"].max_instances == 50
    )
    error_message = "The sizes of the environment count."
  }
  assert {
    condition = alltrue([
      for name, f in output.functions :
      f.cpu == 1 && f.memory <= 512 && f.min_instances == 0 && f.max_instances == 10 if !contains(keys(var.sizes), name)
    ])
    error_message = "What is not sized has 1 CPU, at most 512 MiB and 0 to 10 instances."
  }
}
