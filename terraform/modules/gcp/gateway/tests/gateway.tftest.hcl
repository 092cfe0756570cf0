# What the gateway lets through, and where it sends it.

mock_provider "google" {}

mock_provider "google-beta" {}

variables {
  project         = "demo"
  prefix          = "oauth"
  region          = "us-central1"
  service_account = "oauth-gateway@demo.iam.gserviceaccount.com"
  addresses = {
    authorize = "https://oauth-authorize-123456789012.us-central1.run.app"
    callback  = "https://oauth-callback-123456789012.us-central1.run.app"
  }
}

run "only_public_paths_are_let_through_to_their_functions" {
  command = plan

  override_resource {
    target          = google_api_gateway_gateway.this
    override_during = plan
    values          = { default_hostname = "oauth-gateway-1a2b3c.uc.gateway.dev" }
  }

  # Only public paths are let through.
  assert {
    condition     = length(output.routes) > 0 && alltrue([for route in output.routes : contains(["authorize", "callback"], route.function)])
    error_message = "Nothing leads to an internal or a scheduled function."
  }
  assert {
    condition = alltrue([
      for route in output.routes : !startswith(route.path, "/api/v1/tokens") && !startswith(route.path, "/api/v1/admin")
    ])
    error_message = "Tokens and administration are not on the gateway."
  }

  # Each function is called with a token for itself.
  assert {
    condition = alltrue([
      for name, backend in jsondecode(base64decode(
        google_api_gateway_api_config.this.openapi_documents[0].document[0].contents
      ))["x-google-api-management"].backends :
      backend.address == var.addresses[name] && backend.jwtAudience == var.addresses[name] &&
      backend.pathTranslation == "APPEND_PATH_TO_ADDRESS" && backend.deadline >= 35
    ])
    error_message = "Address and audience are the function's, paths are kept, and the gateway waits as long as the function may take."
  }
  assert {
    condition     = google_api_gateway_api_config.this.gateway_config[0].backend_config[0].google_service_account == var.service_account
    error_message = "It calls with the account that alone may invoke what stands behind it."
  }

  # Without a domain there is no load balancer.
  assert {
    condition     = length(google_compute_global_forwarding_rule.https) + length(google_compute_global_forwarding_rule.http) + length(google_compute_global_address.this) == 0
    error_message = "The gateway's own host name is enough."
  }
  assert {
    condition     = output.address == null && output.url == "https://oauth-gateway-1a2b3c.uc.gateway.dev"
    error_message = "It is reached under its own host name."
  }

  # Codes and states are not logged by the platform.
  assert {
    condition     = strcontains(google_logging_project_exclusion.callback_queries.filter, "/api/v1/oauth/callback")
    error_message = "Request lines of callbacks stay out of the log."
  }
}

run "another_definition_has_another_name" {
  command = plan

  variables {
    addresses = {
      authorize = "https://oauth-authorize-123456789012.europe-west1.run.app"
      callback  = "https://oauth-callback-123456789012.europe-west1.run.app"
    }
  }

  assert {
    condition     = google_api_gateway_api_config.this.api_config_id != run.only_public_paths_are_let_through_to_their_functions.config_id
    error_message = "A definition is replaced by one of another name, and the gateway is never without."
  }
}

run "an_address_with_a_path_is_refused" {
  command = plan

  variables {
    addresses = { authorize = "https://oauth-authorize-123456789012.us-central1.run.app/" }
  }

  expect_failures = [var.addresses]
}
