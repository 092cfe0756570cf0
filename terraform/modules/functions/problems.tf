# What is wrong with the list, each as a sentence that names the function and the field.

locals {
  known_fields = [
    "exposure", "routes", "schedule", "shards", "timeout", "deadline", "memory", "concurrency", "store", "kms", "cache", "secrets",
  ]
  words = {
    exposure = ["public", "internal", "scheduled"]
    store    = ["write", "none"]
    kms      = ["use", "none"]
    cache    = ["use", "none"]
  }
  secret_words = ["attempt-key", "audit-key", "callers", "client-secrets"]
  methods      = ["DELETE", "GET", "OPTIONS", "POST"]
  claims       = { for route in local.routes : "${route.method} ${route.path}" => route.function... }

  problems = concat(
    length(local.listed) == 0 ? ["${basename(local.file)} can't be read, or lists no functions."] : [],
    flatten([for name, f in local.listed : concat(
      can(regex("^[a-z][a-z0-9-]{2,18}[a-z0-9]$", name)) && !contains(["gateway", "scheduler"], name) ? [] : ["${name}: a name has 4 to 20 lower-case letters, digits and hyphens, no hyphen at its end, and is neither gateway nor scheduler."],
      [for field in try(keys(f), []) : "${name}.${field}: there is no such field." if !contains(local.known_fields, field)],
      [for field, words in local.words : "${name}.${field}: is one of ${join(", ", words)}." if !contains(words, try(f[field], ""))],
      [for s in try(f.secrets, []) : "${name}.secrets: ${s} is none of ${join(", ", local.secret_words)}." if !contains(local.secret_words, s)],
      [
        for field in ["timeout", "memory", "concurrency"] : "${name}.${field}: is a whole number above 0."
        if !try(f[field] > 0 && floor(f[field]) == f[field], false)
      ],
      [
        for route in try(f.routes, []) : "${name}.routes: \"${route}\" is not METHOD /path, with a method of ${join(", ", local.methods)}."
        if !can(regex("^(${join("|", local.methods)}) /[A-Za-z0-9_./{}-]*$", route))
      ],
    )]),
    flatten([for name, f in local.listed : try(f.exposure, "") == "scheduled" ? concat(
      try(length(f.routes), 0) == 0 ? [] : ["${name}.routes: a scheduled function has none."],
      can(regex("^([0-9*/,-]+ ){4}\\*$", f.schedule)) ? [] : ["${name}.schedule: is minute hour day month weekday, and the weekday is *."],
      try(f.shards >= 1 && f.shards <= 16, false) ? [] : ["${name}.shards: is 1 to 16."],
      try(f.deadline < f.timeout, false) ? [] : ["${name}.deadline: is less than timeout."],
      ) : concat(
      try(length(f.routes), 0) > 0 ? [] : ["${name}.routes: a function that is not scheduled has at least one."],
      [for field in ["schedule", "shards", "deadline"] : "${name}.${field}: is for scheduled functions." if can(f[field])],
    )]),
    [for route, functions in local.claims : "${join(", ", functions)}: ${route} belongs to one function." if length(functions) > 1],
    # Who may use the key holds the secrets that go with it, and who doesn't can't need them: else least privilege is a word.
    [
      for name, f in local.listed : "${name}.secrets: client-secrets without kms: use are of no use."
      if contains(try(f.secrets, []), "client-secrets") && try(f.kms, "") != "use"
    ],
  )
}
