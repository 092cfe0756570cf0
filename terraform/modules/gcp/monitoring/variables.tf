# What is watched, who is told, and where it says what to do.

variable "project" {
  description = "Id of the project that the functions run in."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Beginning of the names of services and metrics."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "Write a prefix of 2 to 9 lower-case letters, digits and dashes that begins with a letter and does not end with a dash."
  }
}

variable "functions" {
  description = "Names of the functions, as in functions.yaml; the service of one is named PREFIX-FUNCTION."
  type        = set(string)
  nullable    = false

  validation {
    condition     = contains(var.functions, "token-get")
    error_message = "Name every function of functions.yaml: token-get, whose latency is watched, is not among them."
  }
}

variable "job_intervals" {
  description = "Seconds between two runs of each scheduled function. One that has not ended a run for two intervals raises an alert."
  type        = map(number)
  default     = { scheduled-refresh = 1800, scheduled-health = 3600 }
  nullable    = false

  validation {
    condition     = alltrue([for seconds in values(var.job_intervals) : seconds >= 60 && seconds <= 36000])
    error_message = "Give seconds between a minute and ten hours: absence for longer than a day can't be seen."
  }
}

variable "host" {
  description = "Host of the gateway or of the custom domain, whose /health is asked every minute from outside."
  type        = string
  nullable    = false

  validation {
    condition     = !can(regex("[/:]", var.host))
    error_message = "Give a host alone, such as oauth.example.com, without https:// and without a path."
  }
}

variable "emails" {
  description = "Addresses that are written to when an alert is raised."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "Each of emails must be an address such as oncall@example.com."
  }
}

variable "notification_channels" {
  description = "Further channels that exist already (pager, chat), as projects/PROJECT/notificationChannels/ID."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "runbook" {
  description = "Address of docs/operations.md as your operators can read it. An alert links to the entry with its name there."
  type        = string
  default     = "docs/operations.md"
  nullable    = false
}

variable "thresholds" {
  description = "Another threshold for alerts of alerts.yaml, by name, in the unit that stands there."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.thresholds) : contains(keys(local.file.alerts), name)])
    error_message = "There is no such alert in alerts.yaml: ${join(", ", setsubtract(keys(var.thresholds), keys(local.file.alerts)))}."
  }
}

variable "disabled" {
  description = "Names of alerts of alerts.yaml that you do not want."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.disabled : contains(keys(local.file.alerts), name)])
    error_message = "There is no such alert in alerts.yaml: ${join(", ", setsubtract(var.disabled, keys(local.file.alerts)))}."
  }
}

variable "labels" {
  description = "Labels of whatever can have them."
  type        = map(string)
  default     = {}
  nullable    = false
}
