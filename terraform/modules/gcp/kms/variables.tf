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
  description = "Location of the key, such as us-central1. It can't be changed later."
  type        = string
  default     = "us-central1"
  nullable    = false
}

variable "users" {
  description = "Who may encrypt and decrypt with the key, and nobody else: a member for IAM by the name of a function."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.users) > 0
    error_message = "users is empty: a key that nobody may use opens nothing. Name the functions that seal or open tokens."
  }

  validation {
    condition     = alltrue([for member in values(var.users) : can(regex("^(serviceAccount:|principal://|principalSet://)", member))])
    error_message = "users are functions: serviceAccount:…, or principalSet://… of a federated role. Not people, not allUsers."
  }
}

variable "protection_level" {
  description = "SOFTWARE, or HSM for a hardware module: more for each key version and operation, see docs/costs.md."
  type        = string
  default     = "SOFTWARE"
  nullable    = false

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.protection_level)
    error_message = "protection_level is SOFTWARE or HSM."
  }
}

variable "destroy_after_days" {
  description = "Days for which a version that somebody destroys can still be restored. It can't be changed later."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.destroy_after_days >= 7 && var.destroy_after_days <= 120 && var.destroy_after_days == floor(var.destroy_after_days)
    error_message = "destroy_after_days is a whole number from 7, so that somebody notices, to 120, where Google ends."
  }
}

variable "runbook" {
  description = "Where docs/operations.md is published, such as https://git.example.com/oauth/blob/main/docs/operations.md; alerts link to an entry in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^#]+$", var.runbook))
    error_message = "runbook is the https URL of docs/operations.md, without # and an anchor."
  }
}

variable "notification_channels" {
  description = "Ids of the Monitoring channels that alerts go to."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
  nullable    = false
}
