# What an environment tells its operators, and the commands that deploy it.

output "public_url" {
  description = "URL that browsers, providers and your services reach the public functions under."
  value       = module.gateway.url
}

output "dns" {
  description = "What the domain's A record has to name. Null without a domain."
  value       = module.gateway.address
}

output "function_urls" {
  description = "URL of each function, and the audience of a token to invoke it with."
  value       = { for name, function in module.function : name => function.url }
}

output "routes" {
  description = "Every route: method, path, function, and the address in front of the path. The public ones are what the gateway's definition lets through."
  value = concat(
    [
      for route in module.gateway.routes : {
        method = route.method, path = route.path, function = route.function, exposure = "public", address = module.gateway.url
      }
    ],
    [
      for route in module.functions.routes : {
        method  = route.method, path = route.path, function = route.function, exposure = route.exposure
        address = module.function[route.function].url
      } if route.exposure == "internal"
    ],
  )
}

output "triggers" {
  description = "What the clock sends: function, name of the job, url, audience, cron (UTC), body (text; null: none)."
  value = flatten([
    for name, schedule in module.schedule : [
      for trigger in schedule.triggers : {
        function = name
        name     = trigger.name
        url      = trigger.url
        audience = trigger.audience
        cron     = trigger.schedule
        body     = trigger.body
      }
    ]
  ])
}

output "callback_urls" {
  description = "Redirect URI to register at each provider."
  value       = { for id in keys(var.provider_apps) : id => "${module.gateway.url}/api/v1/oauth/callback/${id}" }
}

output "registry" {
  description = "Where images are pushed to; an image is REGISTRY/FUNCTION:RELEASE."
  value       = module.registry.url
}

output "functions" {
  description = "Names of the functions, each with an image of its own."
  value       = keys(local.listed)
}

output "secrets_to_set" {
  description = "Id of each secret that has to have a value before the functions start."
  value       = module.secrets.unset
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
  description = "Id of the dashboard in Cloud Monitoring."
  value       = module.monitoring.dashboard
}
