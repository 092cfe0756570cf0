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

variable "network_id" {
  description = "Id of the network, with a private service connection (output `network_id` of the module `network`)."
  type        = string
  nullable    = false
}

variable "memory_gib" {
  description = "Memory in GiB. One holds several hundred thousand cached tokens."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.memory_gib >= 1 && var.memory_gib <= 300 && var.memory_gib == floor(var.memory_gib)
    error_message = "memory_gib is a whole number, 1 to 300."
  }
}

variable "ha" {
  description = "Whether there is a second node in another zone that takes over; without it, maintenance empties the cache."
  type        = bool
  default     = false
  nullable    = false
}

variable "maintenance" {
  description = "When Google may restart it: day of the week and hour, UTC."
  type        = object({ day = optional(string, "SUNDAY"), hour = optional(number, 3) })
  default     = {}
  nullable    = false

  validation {
    condition = (
      contains(["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], var.maintenance.day) &&
      var.maintenance.hour >= 0 && var.maintenance.hour <= 23 && var.maintenance.hour == floor(var.maintenance.hour)
    )
    error_message = "maintenance has a day in full and in capitals (SUNDAY), and an hour of 0 to 23."
  }
}

variable "alert_memory_ratio" {
  description = "Part of the memory above which somebody is told, between 0 and 1."
  type        = number
  default     = 0.8
  nullable    = false

  validation {
    condition     = var.alert_memory_ratio > 0 && var.alert_memory_ratio < 1
    error_message = "alert_memory_ratio is between 0 and 1, such as 0.8."
  }
}

variable "alert_connections" {
  description = "Number of connections above which somebody is told. Memorystore takes 65,000; an instance of a function has a few."
  type        = number
  default     = 5000
  nullable    = false

  validation {
    condition     = var.alert_connections >= 1
    error_message = "alert_connections is a number of connections, from 1."
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
