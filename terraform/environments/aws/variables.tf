# What an environment says about itself: this and nothing else tells dev from prod.

variable "prefix" {
  description = "Beginning of all names; another one is another environment in the same account."
  type        = string
  default     = "oauth"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "Write a prefix of 2 to 9 lower-case letters, digits and hyphens that begins with a letter and does not end with a hyphen."
  }
}

variable "region" {
  description = "AWS region of everything. us-east-1 is next door to Google's us-east4, where the database is: a call costs a millisecond or two."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the name of an AWS region, such as us-east-1."
  }
}

variable "google_project" {
  description = "Id of the Google Cloud project that has the database and the key, and nothing else of this environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.google_project))
    error_message = "google_project is the id of a project: 6 to 30 lower-case letters, digits and hyphens; not its name and not its number."
  }
}

variable "google_region" {
  description = "Google's region of key and database. They can't move: choose the one nearest to region."
  type        = string
  default     = "us-east4"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.google_region))
    error_message = "google_region is the name of a Google region, such as us-east4."
  }
}

variable "release" {
  description = "Version of the packages to run. `make deploy` gives it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.release)) && var.release != "latest"
    error_message = "release is the version of a build, and not latest, which says nothing about what runs."
  }
}

variable "architecture" {
  description = "Processor of the functions, arm64 (a fifth cheaper) or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is x86_64 or arm64."
  }
}

variable "artifacts_bucket" {
  description = "A bucket of yours with packages at releases/RELEASE/ARCHITECTURE/FUNCTION.zip. Null: one is made here."
  type        = string
  default     = null
}

variable "provider_apps" {
  description = "The apps that are registered at the OAuth providers: client_id by the provider's id. Their secrets are set by `make secrets`."
  type        = map(object({ client_id = string }))
  nullable    = false

  validation {
    condition     = length(var.provider_apps) > 0 && alltrue([for app in values(var.provider_apps) : length(app.client_id) > 0])
    error_message = "Name at least one provider, such as provider_apps = { slack = { client_id = \"…\" } }."
  }
}

variable "redirect_allow" {
  description = "Pages of yours that a browser may be sent to in the end: https://host/path."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for url in var.redirect_allow : can(regex("^https://[^/, ]+/[^, ]*$", url))])
    error_message = "Each of redirect_allow is https://host/path."
  }
}

variable "cors_origins" {
  description = "Origins whose pages may call what a connect session may, from a browser: https://host."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https://[^/, ]+$", origin))])
    error_message = "Each of cors_origins is https://host, without a slash at its end."
  }
}

variable "domain" {
  description = "A name of your own for the API: name, and either zone_id (Route 53, where certificate and records are made) or certificate_arn. Null: the name that AWS gives."
  type = object({
    name            = string
    zone_id         = optional(string)
    certificate_arn = optional(string)
  })
  default = null
}

variable "throttle" {
  description = "Requests that the API takes over all routes: rate a second in the long run, burst at once."
  type = object({
    rate  = optional(number, 500)
    burst = optional(number, 1000)
  })
  default  = {}
  nullable = false
}

variable "token_invokers" {
  description = "Names of the IAM roles of this account that may call token-get, such as billing-service. What each may ask for, the callers file says."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "admin_invokers" {
  description = "Names of the IAM roles of this account that may call admin, such as oauth-operators."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "sizes" {
  description = "What is sized otherwise than in terraform/functions.yaml, by function: memory (MiB); max_instances (invocations at once, set aside from the account's; unset: no bound); of a job timeout (seconds), shards."
  type = map(object({
    memory        = optional(number)
    max_instances = optional(number)
    timeout       = optional(number)
    shards        = optional(number)
  }))
  default  = {}
  nullable = false
}

variable "log" {
  description = "Which events the functions log: info, warn, info,shared::flow=debug …"
  type        = string
  default     = "info"
  nullable    = false
}

variable "secrets_changed" {
  description = "When a secret was last given another value. Functions read theirs when they start, and another text here starts them all anew; `make deploy` gives it."
  type        = string
  default     = ""
  nullable    = false
}

variable "tags" {
  description = "Tags of whatever can have them, beside `service` and `environment`."
  type        = map(string)
  default     = {}
  nullable    = false
}
