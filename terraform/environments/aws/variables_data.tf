# What an environment says about what it keeps, and about who looks after it.

variable "redis" {
  description = "The cache: whether there is one, with a second node or not (ha), the type of a node, the version of Valkey, and what a changed password does to the old one (`ROTATE`: both are valid; `SET`: the new one alone). Without one there is no VPC and no NAT either; limits and cached tokens are then each environment's of Lambda own."
  type = object({
    enabled                    = optional(bool, true)
    ha                         = optional(bool, false)
    node_type                  = optional(string, "cache.t4g.micro")
    engine_version             = optional(string, "8.0")
    auth_token_update_strategy = optional(string, "ROTATE")
  })
  default  = {}
  nullable = false
}

variable "network" {
  description = "The VPC, where Redis is enabled: its range, the letters of its zones (null: the first two that the region has), and NAT gateways (`single`, or `per-az`, which outlasts a zone)."
  type = object({
    cidr  = optional(string, "10.20.0.0/20")
    zones = optional(list(string))
    nat   = optional(string, "single")
  })
  default  = {}
  nullable = false
}

variable "firestore" {
  description = "The database: its name (null: made of the prefix), its location (null: google_region), and for how many days daily and weekly backups are kept."
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

variable "secrets" {
  description = "Secrets Manager: whether a key of your own encrypts (customer_key), and for how many days a deleted secret can be taken back (0, or 7 to 30)."
  type = object({
    customer_key  = optional(bool, false)
    recovery_days = optional(number, 30)
  })
  default  = {}
  nullable = false
}

variable "audit" {
  description = "The audit log: days that it is kept, whether nobody at all can shorten that (locked), not even the account's owner, and who may read it (a name to the ARN of a role)."
  type = object({
    retention_days = optional(number, 400)
    locked         = optional(bool, false)
    readers        = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "log_retention_days" {
  description = "Days for which the logs of functions and API are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "operators_email" {
  description = "Addresses that alarms are sent to."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.operators_email) > 0
    error_message = "Somebody has to be told: name at least one address."
  }
}

variable "runbook" {
  description = "Address under which your operators read docs/operations.md; alarms link to its entries."
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
  description = "A mail at parts of this amount a month, in dollars. Null: none."
  type        = object({ amount = number })
  default     = null
}
