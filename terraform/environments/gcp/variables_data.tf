# What an environment says about what it keeps, and about who looks after it.

variable "redis" {
  description = "The cache: whether there is one, with a second node or not (ha), and its memory in GiB. Without one, limits and cached tokens are each instance's own."
  type = object({
    enabled    = optional(bool, true)
    ha         = optional(bool, false)
    memory_gib = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "egress" {
  description = "The functions' way to Redis: connector (instances that always run), or direct (none)."
  type        = string
  default     = "connector"
  nullable    = false
}

variable "firestore" {
  description = "The database: its name (null: made of the prefix), its location (null: the region), and for how many days daily and weekly backups are kept."
  type = object({
    name        = optional(string)
    location    = optional(string)
    backup_days = optional(object({ daily = optional(number, 7), weekly = optional(number, 28) }), {})
  })
  default  = {}
  nullable = false
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted. The key can't be, whatever stands here."
  type        = bool
  default     = true
  nullable    = false
}

variable "audit" {
  description = "The audit log: days that it is kept, whether the bucket is locked for ever, with all that it is set to, and who may read it."
  type = object({
    retention_days = optional(number, 400)
    locked         = optional(bool, false)
    readers        = optional(set(string), [])
  })
  default  = {}
  nullable = false
}

variable "operators_email" {
  description = "Addresses that alerts are sent to."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.operators_email) > 0
    error_message = "Somebody has to be told: name at least one address."
  }
}

variable "runbook" {
  description = "Address under which your operators read docs/operations.md; alerts link to its entries."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^#]+$", var.runbook))
    error_message = "runbook is an https URL without an anchor, such as https://git.example.com/oauth-management-service/docs/operations.md."
  }
}

variable "alerts" {
  description = "Alerts of terraform/alerts.yaml with another threshold, by name, in the unit that stands there; and names of those that are not wanted."
  type = object({
    thresholds = optional(map(number), {})
    disabled   = optional(set(string), [])
  })
  default  = {}
  nullable = false
}

variable "budget" {
  description = "Who is told when a month costs more than parts of an amount: id of the billing account, amount, currency of the account. Null: nobody."
  type        = object({ billing_account = string, amount = number, currency = optional(string, "USD") })
  default     = null
}
