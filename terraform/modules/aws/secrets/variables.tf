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

variable "secrets" {
  description = "Which secrets there are: short name to what it holds, such as { attempt-key = \"Seals attempts and connect sessions\" }. The prefix comes before the name."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[a-z0-9][a-z0-9-]*[a-z0-9]$", name))])
    error_message = "Name secrets in lower case, with letters, digits and hyphens."
  }
}

variable "recovery_days" {
  description = "Days for which a deleted secret can be taken back: 7 to 30, or 0 for none."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "Choose 7 to 30 days, or 0 to delete at once."
  }
}

variable "customer_key" {
  description = "Whether a key of one's own encrypts the secrets, rotated each year, about a dollar a month. It can't be destroyed by Terraform."
  type        = bool
  default     = false
  nullable    = false
}
