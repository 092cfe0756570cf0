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
  description = "Where the log is kept, such as us-central1. It can't be changed later."
  type        = string
  default     = "us-central1"
  nullable    = false
}

variable "services" {
  description = "Names of the Cloud Run services whose audit lines are kept."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.services) > 0 && alltrue([for name in var.services : can(regex("^[a-z][a-z0-9-]{0,47}[a-z0-9]$", name))])
    error_message = "services are the names of Cloud Run services, such as prod-token-get, and at least one."
  }
}

variable "retention_days" {
  description = "For how many days lines are kept. Once the bucket is locked, this is so for good: neither shorter nor longer."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && var.retention_days == floor(var.retention_days)
    error_message = "retention_days is a whole number, 1 to 3650."
  }
}

variable "locked" {
  description = "Whether nobody may change the bucket, or delete it while it holds lines. It can't be undone, and Google may refuse to delete a locked bucket even when it is empty: true where an audit depends on it."
  type        = bool
  nullable    = false
}

variable "readers" {
  description = "Who may read the bucket: a member for IAM by a name of your choice."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(values(var.readers), ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "readers are accounts or groups that you know, never allUsers or allAuthenticatedUsers."
  }
}

variable "data_access" {
  description = "APIs of which Google writes down who used them, into the same bucket. This sets what the project records of these APIs as a whole; empty leaves it alone."
  type        = set(string)
  default     = ["cloudkms.googleapis.com", "secretmanager.googleapis.com"]
  nullable    = false
}
