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

variable "subnet_ids" {
  description = "Private subnets that nodes may be in; of two zones for `ha`."
  type        = list(string)
  nullable    = false
}

variable "security_group_id" {
  description = "Security group that says who may reach the cache."
  type        = string
  nullable    = false
}

variable "auth_token" {
  description = "Password of the cache, 16 to 128 characters. It is in the state, as the provider reads it into it: keep the state private and encrypted."
  type        = string
  sensitive   = true
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9!&#$^<>-]{16,128}$", var.auth_token))
    error_message = "ElastiCache takes passwords of 16 to 128 letters, digits and !&#$^<>- only; `make secrets` makes one."
  }
}

variable "auth_token_update_strategy" {
  description = "What a changed password does to the old one. `ROTATE`: both are valid; `SET`: the new one alone, once every function has been started anew."
  type        = string
  default     = "ROTATE"
  nullable    = false

  validation {
    condition     = contains(["ROTATE", "SET"], var.auth_token_update_strategy)
    error_message = "Say ROTATE, and SET when every function has the new password."
  }
}

variable "url_secret_id" {
  description = "Secret, by name or ARN, that the URL with its password is written into."
  type        = string
  nullable    = false
}

variable "node_type" {
  description = "Type of a node: cache.t4g.micro has 0.5 GiB, cache.t4g.small 1.4 GiB, cache.m7g.large 6.4 GiB."
  type        = string
  default     = "cache.t4g.micro"
  nullable    = false

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "Name a type of ElastiCache, such as cache.t4g.small."
  }
}

variable "engine_version" {
  description = "Version of Valkey, with one dot."
  type        = string
  default     = "8.0"
  nullable    = false

  validation {
    condition     = can(regex("^([8-9]\\.\\d+|7\\.2)$", var.engine_version))
    error_message = "Name Valkey 7.2, or 8.0 and later, such as \"8.0\"."
  }
}

variable "ha" {
  description = "Whether a second node in another zone takes over when the first is away, at twice the price."
  type        = bool
  default     = false
  nullable    = false
}

variable "maintenance_window" {
  description = "When AWS may restart nodes: `ddd:hh24:mi-ddd:hh24:mi`, UTC, at least an hour."
  type        = string
  default     = "sun:03:00-sun:04:00"
  nullable    = false

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):[0-2]\\d:[0-5]\\d-(mon|tue|wed|thu|fri|sat|sun):[0-2]\\d:[0-5]\\d$", var.maintenance_window))
    error_message = "Give a window such as sun:03:00-sun:04:00, in UTC."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts what a node keeps on disk; null: AWS's own. To change it is to make the cache anew."
  type        = string
  default     = null
}

variable "memory_alarm_percent" {
  description = "Used memory, in per cent of a node's, at which somebody is told."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.memory_alarm_percent > 0 && var.memory_alarm_percent < 100
    error_message = "Choose between 1 and 99 per cent."
  }
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
