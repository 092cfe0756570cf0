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

variable "monthly_usd" {
  description = "What a month may cost, in US dollars."
  type        = number
  nullable    = false

  validation {
    condition     = var.monthly_usd > 0
    error_message = "Give an amount above zero; docs/costs.md has what to expect."
  }
}

variable "emails" {
  description = "Who is told, one to ten addresses."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.emails) >= 1 && length(var.emails) <= 10 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "Give one to ten e-mail addresses: a budget that tells nobody is none."
  }
}

variable "actual_percents" {
  description = "Per cents of the budget at which somebody is told, one to four; besides, when the forecast for the month goes beyond it."
  type        = set(number)
  default     = [80, 100]
  nullable    = false

  validation {
    condition     = length(var.actual_percents) >= 1 && length(var.actual_percents) <= 4 && alltrue([for percent in var.actual_percents : percent > 0 && percent <= 1000])
    error_message = "Give one to four per cents between 1 and 1000: AWS takes five notifications, and the forecast is one."
  }
}

variable "tag" {
  description = "Tag whose costs count, such as { key = \"service\", value = \"oauth\" }, activated as a cost allocation tag; null: the whole account."
  type        = object({ key = string, value = string })
  default     = null
}
