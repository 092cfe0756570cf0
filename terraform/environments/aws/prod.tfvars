# An environment for real: a second node for Redis, a way out in each zone, an audit log that can't be shortened.
# Put your own values where the examples are; `make deploy ENV=aws/prod` reads it.

prefix         = "oauth"
region         = "us-east-1"
google_project = "my-project-prod"
google_region  = "us-east4"
domain         = { name = "oauth.example.com", zone_id = "Z0123456789ABCDEFGHIJ" }

provider_apps = {
  slack = { client_id = "1234567890.0987654321" }
  gmail = { client_id = "1234567890-abc.apps.googleusercontent.com" }
}
redirect_allow = ["https://app.example.com/connected"]
cors_origins   = ["https://app.example.com"]

token_invokers = ["backend"]
admin_invokers = ["oauth-operators"]

operators_email = ["oauth-operators@example.com", "oauth-pager@example.com"]
runbook         = "https://git.example.com/oauth-management-service/docs/operations.md"

redis   = { ha = true, node_type = "cache.m7g.large" }
network = { zones = ["a", "b"], nat = "per-az" }
sizes = {
  token-get         = { memory = 1024 }
  scheduled-refresh = { shards = 4 }
  scheduled-health  = { shards = 4 }
}

firestore = { backup_days = { daily = 7, weekly = 98 } }
secrets   = { customer_key = true }

# Deploy once with `locked = false`, and see an object arrive with a retention (docs/deploy.md#aws, step 6).
# Locking can't be undone: not by the account's owner, and not by deleting this line.
audit = { retention_days = 400, locked = true }
