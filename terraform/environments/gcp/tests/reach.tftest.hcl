# What can be reached from where, and what the options change.

mock_provider "google" {}
mock_provider "google" {
  alias = "billing"
}
mock_provider "google-beta" {}

variables {
  project         = "demo-project"
  release         = "v1.2.3"
  provider_apps   = { slack = { client_id = "1.2" } }
  operators_email = ["operators@example.com"]
  runbook         = "https://git.example.com/docs/operations.md"
}

run "the_gateway_has_the_public_routes_and_no_others" {
  command = plan

  assert {
    condition = toset([for route in module.gateway.routes : "${route.method} ${route.path} ${route.function}"]) == toset([
      for route in module.functions.routes : "${route.method} ${route.path} ${route.function}" if route.exposure == "public"
    ])
    error_message = "The gateway's definition and terraform/functions.yaml differ: run make gateway."
  }
  assert {
    condition     = alltrue([for route in module.gateway.routes : route.address == module.function[route.function].url])
    error_message = "A route leads to another address than its function's."
  }
  assert {
    condition     = length(output.routes) == length(module.functions.routes)
    error_message = "The output lists every route once."
  }
}

run "with_a_domain_and_shards" {
  command = plan

  variables {
    domain = "oauth.example.com"
    sizes  = { scheduled-refresh = { shards = 4 } }
  }

  assert {
    condition = (
      output.public_url == "https://oauth.example.com" &&
      output.callback_urls == { slack = "https://oauth.example.com/api/v1/oauth/callback/slack" } &&
      alltrue([for function in module.function : function.settings["PUBLIC_URL"] == output.public_url])
    )
    error_message = "Functions and providers are told the domain."
  }
  assert {
    condition     = module.function["authorize"].settings["TRUSTED_PROXIES"] == "hops:3"
    error_message = "The load balancer's address stands in between."
  }
  assert {
    condition = [for trigger in output.triggers : jsondecode(trigger.body) if trigger.function == "scheduled-refresh"] == [
      for i in range(4) : { shard = i, of = 4 }
    ]
    error_message = "Each of four triggers says which shard it is."
  }
  assert {
    condition     = [for trigger in output.triggers : trigger.body if trigger.function == "scheduled-health"] == [null]
    error_message = "What is not sharded sends nothing."
  }
}

run "with_a_domain_whose_load_balancer_adds_one_address_only" {
  command = plan

  variables {
    domain      = "oauth.example.com"
    domain_hops = 2
  }

  assert {
    condition     = module.function["callback"].settings["TRUSTED_PROXIES"] == "hops:2" && module.function["admin"].settings["TRUSTED_PROXIES"] == "hops:1"
    error_message = "What the audit log has shown counts for what stands behind the domain, and for nothing else."
  }
}

run "without_redis_without_invokers_under_another_prefix" {
  command = plan

  variables {
    redis  = { enabled = false }
    prefix = "oauth-two"
  }

  assert {
    condition = length(module.redis) == 0 && length(module.network) == 0 && alltrue([
      for function in module.function : !contains(keys(function.settings), "CACHE_URL") && !contains(keys(function.settings), "CACHE_CA")
    ])
    error_message = "Functions are told of a cache that is not there."
  }
  assert {
    condition     = length(module.function["token-get"].invokers) == 0 && length(module.function["admin"].invokers) == 0
    error_message = "Nobody was named, and somebody may invoke what is internal."
  }
  assert {
    condition     = alltrue([for name, function in module.function : function.name == "oauth-two-${name}"])
    error_message = "Names begin with the prefix."
  }
  assert {
    condition = toset(output.secrets_to_set) == toset([
      "oauth-two-attempt-key", "oauth-two-audit-key", "oauth-two-callers", "oauth-two-provider-slack-client-secret",
    ])
    error_message = "Each secret but the cache's is set by its operators."
  }
}

run "what_would_not_work_is_refused" {
  command = plan

  variables {
    release         = "latest"
    redirect_allow  = ["http://app.example.com/connected"]
    cors_origins    = ["https://app.example.com/"]
    operators_email = []
    provider_apps   = {}
    runbook         = "docs/operations.md"
    domain_hops     = 4
  }

  expect_failures = [
    var.release, var.redirect_allow, var.cors_origins, var.operators_email, var.provider_apps, var.runbook, var.domain_hops,
  ]
}
