# What services, routes, triggers and rights are derived from.

output "functions" {
  description = "Every function by name: exposure, routes ({method, path}), schedule, shards, timeout and deadline (seconds), cpu, memory (MiB), concurrency, min_instances, max_instances, store, kms, cache, secrets (setting → secret's short name)."
  value       = local.functions

  precondition {
    condition     = length(local.problems) == 0
    error_message = "${basename(local.file)}:\n${join("\n", local.problems)}"
  }
}

output "endpoints" {
  description = "Names of the functions that answer requests."
  value       = toset([for name, f in local.functions : name if f.exposure != "scheduled"])
}

output "routes" {
  description = "Every route: method, path, function, exposure (public or internal)."
  value       = local.routes
}

output "triggers" {
  description = "By scheduled function: schedule (five fields, UTC), schedule_aws (cron(…) of EventBridge), interval (seconds between runs), shards, timeout (seconds), inputs (one for each trigger: JSON text, or null for the whole run)."
  value       = local.triggers
}

output "cron_aws" {
  description = "By scheduled function: its schedule as EventBridge Scheduler writes it."
  value       = local.cron_aws
}

output "store_users" {
  description = "Names of the functions that read and write the database."
  value       = toset([for name, f in local.functions : name if f.store == "write"])
}

output "kms_users" {
  description = "Names of the functions that may use the key that wraps the keys that seal tokens."
  value       = toset([for name, f in local.functions : name if f.kms == "use"])
}

output "cache_users" {
  description = "Names of the functions that use Redis."
  value       = toset([for name, f in local.functions : name if f.cache == "use"])
}

output "secret_readers" {
  description = "By a secret's short name: names of the functions that read it."
  value = {
    for secret in distinct(flatten([for f in local.functions : values(f.secrets)])) :
    secret => toset([for name, f in local.functions : name if contains(values(f.secrets), secret)])
  }
}
