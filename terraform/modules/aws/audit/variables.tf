# What whoever uses this module chooses.

variable "prefix" {
  description = "Begins the name of everything; 2 to 9 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "Choose a prefix of 2 to 9 characters: a letter first, then letters, digits and hyphens, in lower case, no hyphen at the end."
  }
}

variable "log_groups" {
  description = "Log groups that audit lines come from: function to name of its log group. A log group has room for two subscriptions; this is one."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.log_groups) >= 1 && length(var.log_groups) <= 9
    error_message = "Name one to nine log groups: an alarm looks at ten metrics at most, and one of them is the sum."
  }
}

variable "retention_days" {
  description = "Days for which a line can't be deleted; the day after, it is."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 36500 && floor(var.retention_days) == var.retention_days
    error_message = "Keep lines for 1 to 36500 whole days."
  }
}

variable "lock_mode" {
  description = "Who can delete a line before its time. `GOVERNANCE`: whoever has s3:BypassGovernanceRetention; `COMPLIANCE`: nobody, not even the account itself, and it can't be taken back."
  type        = string
  default     = "GOVERNANCE"
  nullable    = false

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.lock_mode)
    error_message = "Say GOVERNANCE, or COMPLIANCE where it must hold against administrators as well."
  }
}

variable "buffering_seconds" {
  description = "Seconds for which lines are collected for one object, 60 to 900; fewer make more, smaller objects."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.buffering_seconds >= 60 && var.buffering_seconds <= 900
    error_message = "Choose 60 to 900 seconds."
  }
}

variable "readers" {
  description = "Who may read the bucket: name to ARN of a role. Further ones of this account as IAM allows them."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.readers) : can(regex("^arn:[a-z-]+:(iam|sts)::\\d{12}:(role|user|assumed-role)/.+$", arn))])
    error_message = "Name readers by the ARN of a role or user; not \"*\", and no whole account."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts lines on their way and in the bucket, whose policy lets IAM decide; null: AWS's own. Readers need kms:Decrypt on it."
  type        = string
  default     = null
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms are sent to."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "runbook" {
  description = "Address of the runbook, docs/operations.md, without an anchor; each alarm links to its entry."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.runbook, "https://") && !strcontains(var.runbook, "#")
    error_message = "Give the https:// address of docs/operations.md as your operators reach it, without an anchor."
  }
}
