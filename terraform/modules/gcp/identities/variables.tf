# What the module is told.

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is a project's id, such as my-project-123: 6 to 30 lower-case letters, digits and hyphens. Not its number, and not its name."
  }
}

variable "prefix" {
  description = "What names begin with; tells several environments in one project apart."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "prefix has 2 to 9 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "functions" {
  description = "Names of the functions."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in var.functions : can(regex("^[a-z][a-z0-9-]{2,18}[a-z0-9]$", name))])
    error_message = "functions have names of 4 to 20 lower-case letters, digits and hyphens: with the prefix they are account ids, which end at 30."
  }

  validation {
    condition     = length(setintersection(var.functions, ["gateway", "scheduler"])) == 0
    error_message = "functions can't be called gateway or scheduler: those have accounts of their own."
  }
}
