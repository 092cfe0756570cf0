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

variable "noncurrent_days" {
  description = "Days that an overwritten or deleted package is kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "Keep overwritten packages for at least a day, in whole days."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes the packages in it; otherwise S3 refuses while there are any."
  type        = bool
  default     = false
  nullable    = false
}
