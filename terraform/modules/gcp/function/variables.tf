# What a function is: its program, whom it acts as, what it is told, who may call it.

variable "project" {
  description = "Id of the project."
  type        = string
  nullable    = false
}

variable "project_number" {
  description = "Number of the project, which is part of the service's URL."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the service."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of the service."
  type        = string
  nullable    = false

  validation {
    # Cloud Run gives a service its predictable URL only where NAME-NUMBER fits a DNS label of 63 characters.
    condition     = can(regex("^[a-z][a-z0-9-]{0,48}[a-z0-9]$", var.name)) && length("${var.name}-${var.project_number}") <= 63
    error_message = "name has lower-case letters, digits and hyphens, and with the project's number behind it at most 63 characters: choose a shorter prefix."
  }
}

variable "image" {
  description = "Image to run, with its tag or digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image names a release by tag or digest, and not :latest, which says nothing about what runs and can't be rolled back."
  }
}

variable "service_account" {
  description = "E-mail address of the service account that the function runs as. One of its own, so that it may do what it needs and no more."
  type        = string
  nullable    = false

  validation {
    condition     = endswith(var.service_account, ".iam.gserviceaccount.com")
    error_message = "service_account is the address of an account made for this function; a project's default accounts may do too much."
  }
}

variable "env" {
  description = "Settings, by name. Nothing secret."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secret_env" {
  description = "Settings that take their value from a secret, by name: the secret's id, and the version. The latest counts as of an instance's start; another number is another revision."
  type        = map(object({ secret = string, version = optional(string, "latest") }))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.secret_env), keys(var.env))) == 0
    error_message = "A setting is in env or in secret_env, not in both."
  }
}

variable "secret_files" {
  description = "Files that hold a secret: id of the secret, by absolute path. Each in a directory of its own."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for path in keys(var.secret_files) : can(regex("^/[^/]+(/[^/]+)+$", path))]) && (
      length(distinct([for path in keys(var.secret_files) : dirname(path)])) == length(var.secret_files)
    )
    error_message = "Each path is absolute and has a directory of its own below the root: Cloud Run mounts a secret over a whole directory."
  }
}

variable "invokers" {
  description = "Who may invoke the service, by any name that is known while planning: serviceAccount:, group:, user:, principal: or principalSet:."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for member in values(var.invokers) : can(regex("^(serviceAccount|group|user|principal|principalSet):.+", member))])
    error_message = "An invoker is serviceAccount:, group:, user:, principal: or principalSet: and whom it names. Nothing here is open to everybody: the gateway is, and it invokes with an account of its own."
  }
}

variable "ingress" {
  description = "From where requests may come: all, or internal (this project's networks, Cloud Scheduler)."
  type        = string
  default     = "all"
  nullable    = false

  validation {
    condition     = contains(["all", "internal"], var.ingress)
    error_message = "ingress is all or internal."
  }
}

variable "vpc_access" {
  description = "The way to the private network: a connector, or a network and subnetwork for direct egress. Null: none."
  type = object({
    connector  = optional(string)
    network    = optional(string)
    subnetwork = optional(string)
  })
  default = null
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 4], var.cpu)
    error_message = "cpu is 1, 2 or 4."
  }
}

variable "memory_mib" {
  description = "Memory of an instance, in MiB: at least 2048 with 4 CPUs, at most 4096 with one."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_mib >= 128 && var.memory_mib <= 8192
    error_message = "memory_mib is 128 to 8192."
  }

  # Cloud Run's own rule, which it tells only when applying.
  validation {
    condition     = (var.cpu < 4 || var.memory_mib >= 2048) && (var.memory_mib <= 4096 || var.cpu >= 2)
    error_message = "memory_mib and cpu do not go together: 4 CPUs want at least 2048 MiB, and more than 4096 MiB at least 2 CPUs."
  }
}

variable "concurrency" {
  description = "Requests at once in an instance."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "concurrency is 1 to 1000."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Cloud Run gives a request up."
  type        = number
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 35 && var.timeout_seconds <= 1770
    error_message = "timeout_seconds is 35 to 1770: the function itself gives a request up after 30, and Cloud Scheduler waits for 1800."
  }
}

variable "min_instances" {
  description = "Instances that are kept, and paid for, without requests."
  type        = number
  default     = 0
  nullable    = false
}

variable "max_instances" {
  description = "Instances at most."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_instances >= 1 && var.max_instances >= var.min_instances
    error_message = "max_instances is at least 1 and no less than min_instances."
  }
}

variable "labels" {
  description = "Labels of the service."
  type        = map(string)
  default     = {}
  nullable    = false
}
