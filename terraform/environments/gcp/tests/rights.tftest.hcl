# Who may call what, and what each function is told. What whole plans may hold, infra/terraform/rights_gcp.py says.

mock_provider "google" {}
mock_provider "google" {
  alias = "billing"
}
mock_provider "google-beta" {}

variables {
  project         = "demo-project"
  release         = "v1.2.3"
  provider_apps   = { slack = { client_id = "1.2" }, my-provider = { client_id = "3" } }
  token_invokers  = ["serviceAccount:billing@demo-project.iam.gserviceaccount.com"]
  admin_invokers  = ["group:operators@example.com"]
  operators_email = ["operators@example.com"]
  runbook         = "https://git.example.com/docs/operations.md"
}

run "everybody_may_do_what_is_listed_and_no_more" {
  command = plan

  # Public functions are invoked by the gateway alone.
  assert {
    condition = alltrue([
      for name in ["authorize", "callback"] :
      module.function[name].invokers == toset(["serviceAccount:oauth-gateway@demo-project.iam.gserviceaccount.com"]) &&
      module.function[name].settings["GATEWAY"] == "sole-invoker"
    ])
    error_message = "Somebody beside the gateway could say who is calling."
  }
  assert {
    condition     = alltrue([for name in ["token-get", "admin"] : module.function[name].settings["GATEWAY"] == "none"])
    error_message = "No gateway stands before internal functions."
  }

  # Internal functions are invoked by whom the environment names.
  assert {
    condition     = module.function["token-get"].invokers == var.token_invokers && module.function["admin"].invokers == var.admin_invokers
    error_message = "Others than the named may invoke token-get or admin."
  }

  # Jobs are invoked by the clock alone.
  assert {
    condition = alltrue([
      for name in keys(module.functions.triggers) :
      module.function[name].invokers == toset(["serviceAccount:oauth-scheduler@demo-project.iam.gserviceaccount.com"]) &&
      module.function[name].settings["AUTH"] == "platform"
    ])
    error_message = "Somebody beside the scheduler may run a job."
  }
  assert {
    condition = alltrue(flatten([
      for name, schedule in module.schedule : [
        for trigger in schedule.triggers :
        trigger.url == module.function[name].url && trigger.audience == trigger.url &&
        trigger.account == "oauth-scheduler@demo-project.iam.gserviceaccount.com"
      ]
    ]))
    error_message = "A trigger calls another function than its own, or proves itself to another."
  }
  assert {
    condition = alltrue(flatten([
      for name, schedule in module.schedule : [
        for trigger in schedule.triggers :
        trigger.wait > module.functions.functions[name].timeout &&
        module.functions.functions[name].timeout > tonumber(trimsuffix(module.function[name].settings["DEADLINE"], "s"))
      ]
    ]))
    error_message = "A run ends before its service's time-out, and that before the scheduler stops waiting."
  }

  # Authorize knows no key and no client secret.
  assert {
    condition     = module.function["authorize"].settings["KEY_URL"] == "none" && !contains(module.functions.kms_users, "authorize")
    error_message = "authorize may not open tokens."
  }
  assert {
    condition = alltrue([
      for setting in keys(module.function["authorize"].settings) : !endswith(setting, "_CLIENT_SECRET")
    ]) && module.function["authorize"].settings["PROVIDER_MY_PROVIDER_CLIENT_ID"] == "3"
    error_message = "authorize sends browsers to providers, for which a client id is enough."
  }
  assert {
    condition = alltrue([
      for name in ["callback", "token-get", "admin", "scheduled-refresh", "scheduled-health"] :
      module.function[name].settings["KEY_URL"] == module.kms.key_url &&
      module.function[name].settings["PROVIDER_MY_PROVIDER_CLIENT_SECRET"] == "secret:oauth-provider-my-provider-client-secret"
    ])
    error_message = "Whoever calls providers has the key and their secrets."
  }

  # Secrets are named and never given.
  assert {
    condition = alltrue(flatten([
      for name, function in module.function : [
        for setting, value in function.settings : startswith(value, "secret:")
        if can(regex("(_KEY|_CLIENT_SECRET|CACHE_URL|callers.toml)$", setting))
      ]
    ]))
    error_message = "A secret stands in a service's settings."
  }
  assert {
    condition     = alltrue([for name in ["scheduled-refresh", "scheduled-health"] : !contains(keys(module.function[name].settings), "ATTEMPT_KEY")])
    error_message = "Jobs have no attempt key."
  }
  assert {
    condition = alltrue([
      for name in module.functions.endpoints : module.function[name].settings["callers.toml"] == "secret:oauth-callers" &&
      module.function[name].settings["CALLERS_FILE"] == "/etc/oauth/callers.toml"
    ])
    error_message = "Each endpoint has the callers file."
  }

  # The caller's address is found behind the platform.
  assert {
    condition = (
      module.function["authorize"].settings["TRUSTED_PROXIES"] == "hops:2" && module.function["token-get"].settings["TRUSTED_PROXIES"] == "hops:1"
    )
    error_message = "Behind the gateway stand two addresses, else one."
  }
}
