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

variable "name" {
  description = "Name of the database; null for the prefix and `-oauth`. `(default)` for that of an earlier service, after importing it."
  type        = string
  default     = null

  validation {
    condition     = var.name == null || var.name == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.name))
    error_message = "name is (default), or 4 to 63 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "location" {
  description = "Where documents are: a region, such as us-central1, or a multi-region (nam5, eur3), which survives a region and costs more. It can't be changed later."
  type        = string
  default     = "us-central1"
  nullable    = false
}

variable "users" {
  description = "Who may use the documents: a member for IAM and `role`, which is `write` or `read`, by the name of a function."
  type        = map(object({ member = string, role = optional(string, "write") }))
  nullable    = false

  validation {
    condition     = alltrue([for user in values(var.users) : contains(["read", "write"], user.role)])
    error_message = "role of a user is read or write."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : !contains(["allUsers", "allAuthenticatedUsers"], user.member)])
    error_message = "users are accounts that you know, never allUsers or allAuthenticatedUsers."
  }
}

variable "backup_days" {
  description = "For how many days a daily and a weekly backup are kept. A tenant that was erased is in backups until they end: tell the functions the longer one as BACKUP_RETENTION."
  type        = object({ daily = optional(number, 7), weekly = optional(number, 28) })
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for days in values(var.backup_days) : days >= 1 && days <= 98 && days == floor(days)])
    error_message = "backup_days are whole days, 1 to 98: Google keeps backups for at most 14 weeks."
  }
}

variable "deletion_protection" {
  description = "Whether Google refuses to delete the database. Terraform never does, either way."
  type        = bool
  default     = true
  nullable    = false
}

variable "indexes_file" {
  description = "Path of another index definition than infra/firestore/firestore.indexes.json, in the format of Firebase's tools."
  type        = string
  default     = null
}
