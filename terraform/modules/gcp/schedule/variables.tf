# What is called, when, by whom, and how long it is waited for.

variable "project" {
  description = "Id of the project."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the jobs."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of the service that is called; with more than one input, each job has its number behind it."
  type        = string
  nullable    = false
}

variable "url" {
  description = "URL of the service, which is the audience of the token as well."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^/]+$", var.url))
    error_message = "url is https:// and a host, without a path: a token's audience must be what Cloud Run expects."
  }
}

variable "service_account" {
  description = "E-mail address of the account that calls."
  type        = string
  nullable    = false
}

variable "schedule" {
  description = "When: minute hour day month weekday, UTC."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([0-9A-Z*/,-]+ ){4}[0-9A-Z*/,-]+$", var.schedule))
    error_message = "schedule has five fields: minute hour day month weekday."
  }
}

variable "inputs" {
  description = "What each of the jobs sends as its body: JSON text, or null for the whole run."
  type        = list(string)
  default     = [null]
  nullable    = false

  validation {
    condition     = length(var.inputs) >= 1 && alltrue([for input in var.inputs : input == null || can(jsondecode(input))])
    error_message = "inputs has at least one element, each JSON text or null."
  }
}

variable "timeout_seconds" {
  description = "Seconds that the service itself gives a run; it is waited for half a minute longer."
  type        = number
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 1770
    error_message = "timeout_seconds is 1 to 1770: Cloud Scheduler waits for 1800 at most."
  }
}

variable "retries" {
  description = "How often a run that failed is tried again before the next one is due."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.retries >= 0 && var.retries <= 5
    error_message = "retries is 0 to 5."
  }
}
