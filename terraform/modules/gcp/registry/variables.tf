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
  description = "Region, such as us-central1."
  type        = string
  default     = "us-central1"
  nullable    = false
}

variable "keep_releases" {
  description = "How many of the newest versions of each image stay, however old: as far back as a rollback can go."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.keep_releases >= 2 && var.keep_releases == floor(var.keep_releases)
    error_message = "keep_releases is a whole number from 2: the one that runs, and one to go back to."
  }
}

variable "delete_after_days" {
  description = "Age in days from which further versions are deleted."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.delete_after_days >= 1 && var.delete_after_days == floor(var.delete_after_days)
    error_message = "delete_after_days is a whole number of days from 1."
  }
}

variable "readers" {
  description = "Who else may pull: a member for IAM by a name of your choice."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(values(var.readers), ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "readers are accounts or groups that you know, never allUsers or allAuthenticatedUsers."
  }
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
  nullable    = false
}
