# Each function of the list as a plain object: sizes applied, routes split, secrets spelt out.

locals {
  file   = coalesce(var.file, "${path.module}/../../functions.yaml")
  listed = try(yamldecode(file(local.file)).functions, {})

  # Without a trailing answer for what is missing, a faulty list would end in an error of Terraform's own, far from its
  # cause; problems.tf says which field of which function it was.
  functions = {
    for name, f in local.listed : name => {
      exposure = try(f.exposure, "")
      routes = [
        for route in try(f.routes, []) : { method = try(split(" ", route)[0], ""), path = try(split(" ", route)[1], "") }
      ]
      schedule      = try(f.schedule, null)
      shards        = try(coalesce(try(var.sizes[name].shards, null), f.shards), 1)
      timeout       = try(coalesce(try(var.sizes[name].timeout, null), f.timeout), 0)
      deadline      = try(f.deadline + coalesce(try(var.sizes[name].timeout, null), f.timeout) - f.timeout, null)
      cpu           = try(coalesce(var.sizes[name].cpu), 1)
      memory        = try(coalesce(try(var.sizes[name].memory, null), f.memory), 0)
      concurrency   = try(coalesce(try(var.sizes[name].concurrency, null), f.concurrency), 0)
      min_instances = try(coalesce(var.sizes[name].min_instances), 0)
      # Shards run at once, one in an instance.
      max_instances = max(try(coalesce(var.sizes[name].max_instances), 10), try(coalesce(try(var.sizes[name].shards, null), f.shards), 1))
      store         = try(f.store, "")
      kms           = try(f.kms, "")
      cache         = try(f.cache, "")
      # Which setting takes its value from which secret. The callers file is a setting too where a platform has no files.
      secrets = merge([
        for secret in try(f.secrets, []) : (
          secret == "client-secrets" ?
          { for id in var.provider_ids : "PROVIDER_${upper(replace(id, "-", "_"))}_CLIENT_SECRET" => "provider-${id}-client-secret" } :
          { (upper(replace(secret, "-", "_"))) = secret }
        )
      ]...)
    }
  }

  routes = flatten([
    for name, f in local.functions : [
      for route in f.routes : { method = route.method, path = route.path, function = name, exposure = f.exposure }
    ]
  ])
  jobs = { for name, f in local.functions : name => f if f.exposure == "scheduled" }

  # Google's clock takes the list's five fields as they are. EventBridge counts steps from a number, has a year, and wants
  # a question mark for the one of day and weekday that says nothing.
  cron_aws = {
    for name, f in local.jobs : name => try(format("cron(%s %s %s %s ? *)", [
      for i, field in slice(split(" ", f.schedule), 0, 4) : replace(field, "/^\\*\\//", i < 2 ? "0/" : "1/")
    ]...), null)
  }

  # Seconds between two runs, for whoever watches that they come: of a schedule by minutes or by hours, else a day.
  intervals = {
    for name, f in local.jobs : name => (
      can(regex("^\\*/[0-9]+ \\* ", f.schedule)) ? 60 * tonumber(regex("^\\*/([0-9]+)", f.schedule)[0]) :
      can(regex("^[0-9]+ \\* ", f.schedule)) ? 3600 :
      can(regex("^[0-9]+ \\*/[0-9]+ ", f.schedule)) ? 3600 * tonumber(regex("^[0-9]+ \\*/([0-9]+)", f.schedule)[0]) : 86400
    )
  }

  triggers = {
    for name, f in local.jobs : name => {
      schedule     = f.schedule
      schedule_aws = local.cron_aws[name]
      interval     = local.intervals[name]
      shards       = f.shards
      timeout      = f.timeout
      # One trigger for each: null asks for the whole run.
      inputs = f.shards == 1 ? [null] : [for i in range(f.shards) : jsonencode({ shard = i, of = f.shards })]
    }
  }
}
