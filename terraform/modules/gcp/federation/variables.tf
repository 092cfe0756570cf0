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

variable "project_number" {
  description = "Number of the project (output `number` of the module `project`); federated names are made of it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "project_number is the project's number, not its id."
  }
}

variable "aws_account" {
  description = "Number of the AWS account that the functions run in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.aws_account))
    error_message = "aws_account is the account's number, of 12 digits."
  }
}

variable "role_names" {
  description = "Name of the Lambda role of each function that calls Google, by the function's name; of no other."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.role_names) > 0 && alltrue([for role in values(var.role_names) : can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", role))])
    error_message = "role_names are names of roles, such as prod-token-get, not ARNs; without a path, and at least one."
  }

  validation {
    condition     = length(distinct(values(var.role_names))) == length(var.role_names)
    error_message = "role_names: two functions share a role, so neither could have rights of its own."
  }
}
