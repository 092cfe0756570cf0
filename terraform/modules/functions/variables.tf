# What an environment may say about the list: where it is, what is sized otherwise, which providers there are.

variable "file" {
  description = "Path of the list of functions. Null: terraform/functions.yaml of this repository."
  type        = string
  default     = null
}

variable "provider_ids" {
  description = "Ids of the OAuth providers whose client secrets `client-secrets` stands for, such as `slack`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.provider_ids : can(regex("^[a-z][a-z0-9-]{0,30}$", id))])
    error_message = "An id of a provider has 1 to 31 lower-case letters, digits and hyphens and begins with a letter, as the name of its file in shared/providers does."
  }
}

variable "sizes" {
  description = <<-TEXT
    What is sized otherwise than in the list, by function: `cpu` (whole CPUs), `memory` (MiB), `concurrency` (requests at
    once in an instance), `min_instances` and `max_instances`; of a job, `timeout` (seconds; the deadline keeps its
    distance) and `shards` (triggers that share a run).
  TEXT
  type = map(object({
    cpu           = optional(number)
    memory        = optional(number)
    concurrency   = optional(number)
    min_instances = optional(number)
    max_instances = optional(number)
    timeout       = optional(number)
    shards        = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.sizes) : contains(keys(local.listed), name)])
    error_message = "sizes names a function that is not in the list: use ${join(", ", keys(local.listed))}."
  }
  validation {
    condition     = alltrue([for size in values(var.sizes) : contains([1, 2, 4], coalesce(size.cpu, 1))])
    error_message = "cpu is 1, 2 or 4."
  }
  validation {
    condition = alltrue([
      for size in values(var.sizes) : coalesce(size.memory, 512) >= 128 && coalesce(size.memory, 512) <= 8192
    ])
    error_message = "memory is 128 to 8192 MiB."
  }
  validation {
    condition = alltrue([
      for size in values(var.sizes) : coalesce(size.concurrency, 1) >= 1 && coalesce(size.concurrency, 1) <= 1000
    ])
    error_message = "concurrency is 1 to 1000 requests at once in an instance."
  }
  validation {
    condition = alltrue([
      for size in values(var.sizes) :
      coalesce(size.min_instances, 0) >= 0 && coalesce(size.max_instances, 10) >= 1 &&
      coalesce(size.min_instances, 0) <= coalesce(size.max_instances, 10)
    ])
    error_message = "min_instances is at least 0, max_instances (10 unless set) at least 1 and no less than min_instances."
  }
  validation {
    condition = alltrue([
      for size in values(var.sizes) : coalesce(size.timeout, 60) >= 60 && coalesce(size.timeout, 60) <= 900
    ])
    error_message = "timeout is 60 to 900 seconds: a job begins nothing in its last 12, and Lambda ends at 900."
  }
  validation {
    condition = alltrue([
      for size in values(var.sizes) :
      coalesce(size.shards, 1) >= 1 && coalesce(size.shards, 1) <= 16 && floor(coalesce(size.shards, 1)) == coalesce(size.shards, 1)
    ])
    error_message = "shards is a whole number from 1 to 16, which is how many shards the store has."
  }
  validation {
    condition = alltrue([
      for name, size in var.sizes :
      (size.shards == null && size.timeout == null) || try(local.listed[name].exposure, null) == "scheduled"
    ])
    error_message = "shards and timeout are for scheduled functions only: the others give a request up after 30 seconds, whatever the platform does."
  }
}
