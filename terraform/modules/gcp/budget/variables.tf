# What the module is told.

variable "prefix" {
  description = "What names begin with; tells several environments in one project apart."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "prefix has 2 to 9 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "billing_account" {
  description = "Id of the billing account that pays for the project. Whoever applies needs roles/billing.costsManager on it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account has the form 012345-6789AB-CDEF01: `gcloud billing accounts list` shows it."
  }
}

variable "project_number" {
  description = "Number of the project (output `number` of the module `project`)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "project_number is the project's number, not its id."
  }
}

variable "monthly_amount" {
  description = "What a month may cost, in whole units of the currency."
  type        = number
  nullable    = false

  validation {
    condition     = var.monthly_amount >= 1 && var.monthly_amount == floor(var.monthly_amount)
    error_message = "monthly_amount is a whole number from 1."
  }
}

variable "currency" {
  description = "Currency of the billing account, such as USD."
  type        = string
  default     = "USD"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Z]{3}$", var.currency))
    error_message = "currency is three capital letters, such as USD, and that of the billing account."
  }
}

variable "thresholds" {
  description = "Parts of the amount at which somebody is told, in ascending order; 1 is all of it."
  type        = list(number)
  default     = [0.5, 0.9, 1]
  nullable    = false

  validation {
    condition     = length(var.thresholds) > 0 && alltrue([for part in var.thresholds : part > 0 && part <= 10])
    error_message = "thresholds are parts such as 0.5, above 0, and at least one."
  }

  # Google answers in this order, and any other would be a change in every plan.
  validation {
    condition     = alltrue([for i, part in var.thresholds : i == 0 || part > var.thresholds[max(i - 1, 0)]])
    error_message = "thresholds ascend, and none is there twice."
  }
}

variable "notification_channels" {
  description = "Ids of up to five Monitoring channels that are told, beside those who administer the billing account."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.notification_channels) <= 5
    error_message = "notification_channels are at most five: Google takes no more for a budget."
  }
}
