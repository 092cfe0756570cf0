# An environment to try things in: cheapest, and nothing that runs all the time.
# Copy it, or put your own values where the examples are; `make deploy ENV=gcp/dev` reads it.

project = "my-project-dev"
prefix  = "oauth-dev"
region  = "us-central1"

provider_apps = {
  slack = { client_id = "1234567890.0987654321" }
  gmail = { client_id = "1234567890-abc.apps.googleusercontent.com" }
}
redirect_allow = ["https://app-dev.example.com/connected"]

token_invokers = ["serviceAccount:backend@my-project-dev.iam.gserviceaccount.com"]
admin_invokers = ["group:oauth-operators@example.com"]

operators_email = ["oauth-operators@example.com"]
runbook         = "https://git.example.com/oauth-management-service/docs/operations.md"

# Without Redis each instance has limits and cached tokens of its own, so one instance is enough to try with.
redis = { enabled = false }
sizes = {
  authorize = { max_instances = 2 }
  callback  = { max_instances = 2 }
  token-get = { max_instances = 2 }
  admin     = { max_instances = 1 }
}

audit = { retention_days = 30, locked = false }
