# What an environment tells its operators, and the commands that deploy it.

output "public_url" {
  description = "URL that browsers, providers and your services reach the functions under."
  value       = module.api.url
}

output "dns" {
  description = "What a CNAME of the domain has to name, where the zone is not ours. Null without a domain."
  value       = module.api.domain_target
}

output "routes" {
  description = "Every route: method, path, function, exposure, and auth: NONE, or AWS_IAM where a request has to be signed."
  value = [
    for route in module.functions.routes : {
      method   = route.method
      path     = route.path
      function = route.function
      exposure = route.exposure
      auth     = module.api.routes["${route.method} ${route.path}"].auth
    }
  ]
}

output "triggers" {
  description = "What the clock sends: function, name of the schedule, cron (EventBridge's, UTC), input (text; null: EventBridge's own event)."
  value = flatten([
    for name, schedule in module.schedule : [
      for key, trigger in schedule.schedules : { function = name, name = key, cron = trigger.expression, input = trigger.input }
    ]
  ])
}

output "invoke_policies" {
  description = "ARN of the policy that lets a role call the routes of a function that is not for everybody."
  value       = { for name, policy in aws_iam_policy.invoke : name => policy.arn }
}

output "callback_urls" {
  description = "Redirect URI to register at each provider."
  value       = { for id in keys(var.provider_apps) : id => "${module.api.url}/api/v1/oauth/callback/${id}" }
}

output "artifacts" {
  description = "Bucket that packages are put into; one is at releases/RELEASE/ARCHITECTURE/FUNCTION.zip."
  value       = local.artifacts_bucket
}

output "functions" {
  description = "Names of the functions, each with a package of its own."
  value       = keys(local.listed)
}

output "secrets_to_set" {
  description = "Name of each secret that has to have a value before the functions start."
  value       = [for short, name in module.secrets.names : name if short != "cache-url"]
}

output "nat_ips" {
  description = "Addresses that providers see, where functions are in a VPC: for their allow lists."
  value       = flatten(module.network[*].nat_ips)
}

output "dead_letter_queues" {
  description = "URL of each job's dead-letter queue, which should be empty."
  value       = { for name, schedule in module.schedule : name => schedule.dead_letter_queue_url }
}

output "release" {
  description = "Release that runs."
  value       = var.release
}

output "keeps" {
  description = "What holds data that can't be made again: the database, the key, the bucket of the audit log."
  value = {
    database = module.firestore.database
    key      = module.kms.key_id
    audit    = module.audit.bucket
  }
}

output "dashboard" {
  description = "Name of the dashboard in CloudWatch."
  value       = module.monitoring.dashboard
}
