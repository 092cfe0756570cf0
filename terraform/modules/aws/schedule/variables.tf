# Which function is called, when, with what, and how often it is tried again.

variable "name" {
  description = "Name of the schedules, of their group, their role and their queue, such as `oauth-scheduled-refresh`. The role is `NAME-trigger`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,54}[a-z0-9]$", var.name))
    error_message = "A name has 3 to 56 lower case letters, digits and dashes, and begins with a letter: IAM takes no longer one with what is put behind it."
  }
}

variable "function" {
  description = "The function that is called: its `name`, the `alias` and the alias' `alias_arn`, and the `role_name` of its role, which gets the right to put what failed into the queue."
  type = object({
    name      = string
    alias     = string
    alias_arn = string
    role_name = string
  })
  nullable = false
}

variable "expression" {
  description = "When, in UTC, as EventBridge Scheduler writes it: `cron(0/30 * * * ? *)` or `rate(30 minutes)`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(cron\\([^ ]+( [^ ]+){5}\\)|rate\\([0-9]+ (minute|minutes|hour|hours|day|days)\\))$", var.expression))
    error_message = "expression is cron(MINUTE HOUR DAY MONTH WEEKDAY YEAR) or rate(N minutes)."
  }
}

variable "inputs" {
  description = "What the function is sent, JSON text, a schedule for each: one for each shard. Null in it: EventBridge's own event, which asks for a whole run."
  type        = list(string)
  default     = [null]
  nullable    = false

  validation {
    condition     = length(var.inputs) > 0 && alltrue([for input in var.inputs : input == null || can(jsondecode(input))])
    error_message = "inputs is a list of at least one JSON text or null, such as [jsonencode({ shard = 0, of = 2 }), jsonencode({ shard = 1, of = 2 })]."
  }
}

variable "retries" {
  description = "How often a run that could not begin or failed is tried again, by the schedule and by Lambda each; then it goes into the queue."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([0, 1, 2], var.retries)
    error_message = "retries is 0, 1 or 2: Lambda repeats an event no more often."
  }
}

variable "max_age_seconds" {
  description = "Seconds after which a run is given up that could not begin. Less than the interval: then the next one is due, and does what this one did not."
  type        = number
  default     = 1200
  nullable    = false

  validation {
    condition     = var.max_age_seconds >= 60 && var.max_age_seconds <= 21600
    error_message = "max_age_seconds is from 60 to 21600 (six hours), which are Lambda's bounds."
  }
}

variable "enabled" {
  description = "Whether the schedules run. With false they stay and call nothing, as while a database is restored."
  type        = bool
  default     = true
  nullable    = false
}

variable "after" {
  description = "What has to be there before the first run, such as the subscriptions of the audit log. It is waited for, and nothing else."
  type        = any
  default     = null
}
