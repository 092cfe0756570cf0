# An environment to try things in: cheapest, and nothing that runs all the time: no Redis, so no VPC and no NAT.
# Copy it, or put your own values where the examples are; `make deploy ENV=aws/dev` reads it.

prefix         = "oauth-dev"
region         = "us-east-1"
google_project = "my-project-dev"
google_region  = "us-east4"

provider_apps = {
  slack = { client_id = "1234567890.0987654321" }
  gmail = { client_id = "1234567890-abc.apps.googleusercontent.com" }
}
redirect_allow = ["https://app-dev.example.com/connected"]

token_invokers = ["backend-dev"]
admin_invokers = ["oauth-operators"]

operators_email = ["oauth-operators@example.com"]
runbook         = "https://git.example.com/oauth-management-service/docs/operations.md"

# Without Redis each of Lambda's environments has limits and cached tokens of its own.
redis    = { enabled = false }
throttle = { rate = 50, burst = 100 }

secrets = { recovery_days = 0 }
audit   = { retention_days = 30, locked = false }
