# What an environment says about itself: this and nothing else tells dev from prod.

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is the id of a project: 6 to 30 lower-case letters, digits and hyphens; not its name and not its number."
  }
}

variable "prefix" {
  description = "Beginning of all names; another one is another environment in the same project."
  type        = string
  default     = "oauth"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "Write a prefix of 2 to 9 lower-case letters, digits and hyphens that begins with a letter and does not end with a hyphen."
  }
}

variable "region" {
  description = "Region of everything that is in one. Database and key can't move."
  type        = string
  default     = "us-central1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is the name of a region, such as us-central1."
  }
}

variable "gateway_region" {
  description = "Region of the gateway, where API Gateway is not in the region of the rest. Null: the same."
  type        = string
  default     = null
}

variable "release" {
  description = "Tag of the images to run. `make deploy` gives it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.release)) && var.release != "latest"
    error_message = "release is the tag of a build, and not latest, which says nothing about what runs."
  }
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
  description = "Domain of the gateway, such as oauth.example.com; its A record is an output. Null: the gateway's own host name."
  type        = string
  default     = null
}

variable "domain_hops" {
  description = "With a domain: how many addresses from the end of X-Forwarded-For the caller's own is. Google does not say; look into the audit log after the first deployment: 2, should the address of a proxy stand there."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([2, 3], var.domain_hops)
    error_message = "domain_hops is 2 or 3: what docs/deploy.md, A domain of your own, shows to be yours."
  }
}

variable "requests_per_minute" {
  description = "Requests a minute that one address may send to the domain, by Cloud Armor. Null: the service's own limits only."
  type        = number
  default     = null
}

variable "token_invokers" {
  description = "Who may invoke token-get: members such as serviceAccount:billing@my-project.iam.gserviceaccount.com. What each may ask for, the callers file says."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "admin_invokers" {
  description = "Who may invoke admin: members such as group:oauth-operators@example.com."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "internal_ingress" {
  description = "From where token-get and admin may be called: all (whoever may invoke them), or internal (and from this project's networks only)."
  type        = string
  default     = "all"
  nullable    = false
}

variable "sizes" {
  description = "What is sized otherwise than in terraform/functions.yaml, by function: cpu, memory (MiB), concurrency, min_instances, max_instances; of a job timeout (seconds), shards."
  type = map(object({
    cpu           = optional(number)
    memory        = optional(number)
    concurrency   = optional(number)
    min_instances = optional(number)
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

  validation {
    condition     = can(regex("^[a-z0-9_-]{0,63}$", var.secrets_changed))
    error_message = "secrets_changed is a label: lower-case letters, digits, _ and -, such as 20260101-120000."
  }
}

variable "labels" {
  description = "Labels of whatever can have them, beside `service` and `environment`."
  type        = map(string)
  default     = {}
  nullable    = false
}
