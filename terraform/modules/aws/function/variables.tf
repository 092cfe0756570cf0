# What a function is told: where its code lies, what it may read, and how big it is.

variable "name" {
  description = "Name of the function, of its role and, behind /aws/lambda/, of its log group, such as `oauth-token-get`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}[a-z0-9]$", var.name))
    error_message = "A name has 3 to 64 lower case letters, digits and dashes, and begins with a letter: IAM takes no longer one."
  }
}

variable "description" {
  description = "What the function is for, in a sentence that the console shows."
  type        = string
  default     = ""
  nullable    = false
}

variable "package" {
  description = "Where the zip lies that `make package` made: the `bucket`, and the `key` in it. A release has a key of its own: what changes under a key is not noticed."
  type = object({
    bucket = string
    key    = string
  })
  nullable = false
}

variable "architecture" {
  description = "The processor that the package was built for, `x86_64` or `arm64`."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is x86_64 or arm64, as Lambda writes them."
  }
}

variable "memory_mib" {
  description = "Memory in MiB; the share of a processor grows with it (1,769 MiB are one)."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_mib >= 128 && var.memory_mib <= 10240
    error_message = "memory_mib is from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends an invocation. Behind an HTTP API, which waits for 30, take 35: then the function answers first."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 10 && var.timeout_seconds <= 900
    error_message = "timeout_seconds is from 10 to 900, which is Lambda's own bound."
  }
}

variable "reserved_concurrency" {
  description = "How many invocations may run at once; as many of the account's are set aside for it. -1: as many as the account has left."
  type        = number
  default     = -1
  nullable    = false

  validation {
    condition     = var.reserved_concurrency == -1 || var.reserved_concurrency >= 1
    error_message = "reserved_concurrency is -1 (none) or at least 1: with 0 the function would never run."
  }
}

variable "environment" {
  description = "Settings of the function, none of them secret. Lambda takes 4 KB in all."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(jsonencode(var.environment)) <= 3600
    error_message = "The settings are longer than 3,600 characters of JSON. Lambda takes 4 KB with what names the secrets: shorten a list, such as redirect_allow."
  }
}

variable "secrets" {
  description = "Settings whose values are read from Secrets Manager when the function starts: name of the setting to ARN of the secret. The function's role may read these and no others."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.secrets) : !contains(keys(var.environment), name)])
    error_message = "A setting is either in environment or in secrets."
  }
}

variable "vpc" {
  description = "Subnets and security groups, for a function that reaches Redis. Null: outside of any VPC, where Lambda has its own way to the Internet."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "log_retention_days" {
  description = "Days for which the function's log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the numbers that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or longer."
  }
}

variable "alarms" {
  description = "When this function's alarms go off, and who hears of them: `topics` (ARNs of SNS topics), `errors` (failed invocations in 5 minutes), `runbook` (the address of docs/operations.md)."
  type = object({
    topics  = optional(list(string), [])
    errors  = optional(number, 1)
    runbook = optional(string, "docs/operations.md")
  })
  default  = {}
  nullable = false
}
