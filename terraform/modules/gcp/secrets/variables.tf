# What the module is told.

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is a project's id, such as my-project-123: 6 to 30 lower-case letters, digits and hyphens. Not its number, and not its name."
  }
}

variable "prefix" {
  description = "What names begin with; tells several environments in one project apart."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "prefix has 2 to 9 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "region" {
  description = "Where values are kept, such as us-central1. It can't be changed later."
  type        = string
  default     = "us-central1"
  nullable    = false
}

variable "secrets" {
  description = "Secrets by short name (such as `attempt-key`), each with who may read it: a member for IAM by the name of a function."
  type        = map(object({ readers = map(string) }))
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[a-z][a-z0-9-]{1,100}[a-z0-9]$", name))])
    error_message = "secrets have names of lower-case letters, digits and hyphens, such as provider-slack-client-secret."
  }

  validation {
    condition     = !contains(keys(var.secrets), "cache-url")
    error_message = "cache-url is made from cache_url and cache_url_readers: name its readers there."
  }

  validation {
    condition = alltrue(flatten([
      for secret in values(var.secrets) : [for member in values(secret.readers) : can(regex("^(serviceAccount:|principal://|principalSet://)", member))]
    ]))
    error_message = "readers are functions: serviceAccount:…, or principalSet://… of a federated role. Not people, not allUsers."
  }
}

variable "cache_url" {
  description = "CACHE_URL, with the password of Redis; null where there is none. It is written, and not kept in the state by this module."
  type        = string
  default     = null
  sensitive   = true
}

variable "cache_url_readers" {
  description = "Who may read the secret `cache-url`; empty where there is no Redis."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
  nullable    = false
}
