# An environment for real: a second node for Redis, instances that wait for tokens/get, an audit log that can't be shortened.
# Put your own values where the examples are; `make deploy ENV=gcp/prod` reads it.

project = "my-project-prod"
prefix  = "oauth"
region  = "us-central1"
domain  = "oauth.example.com"

provider_apps = {
  slack = { client_id = "1234567890.0987654321" }
  gmail = { client_id = "1234567890-abc.apps.googleusercontent.com" }
}
redirect_allow = ["https://app.example.com/connected"]
cors_origins   = ["https://app.example.com"]

token_invokers = ["serviceAccount:backend@my-project-prod.iam.gserviceaccount.com"]
admin_invokers = ["group:oauth-operators@example.com"]

operators_email = ["oauth-operators@example.com", "oauth-pager@example.com"]
runbook         = "https://git.example.com/oauth-management-service/docs/operations.md"

redis = { ha = true, memory_gib = 5 }
sizes = {
  token-get         = { min_instances = 1, max_instances = 20 } # more than 20 CPUs in a region want a quota first (docs/deploy.md)
  scheduled-refresh = { shards = 4 }
  scheduled-health  = { shards = 4 }
}

firestore = { backup_days = { daily = 7, weekly = 98 } }

# Locking can't be undone: not by an owner of the project, and not by deleting this line. The days can't be changed after it, either way.
audit = { retention_days = 400, locked = true }
