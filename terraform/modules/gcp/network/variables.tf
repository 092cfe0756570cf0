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

variable "region" {
  description = "Region, such as us-central1."
  type        = string
  default     = "us-central1"
  nullable    = false
}

variable "egress" {
  description = "How functions get in: `connector` (instances that always run) or `direct` (interfaces of their own: no instances to pay for, at least a /26)."
  type        = string
  default     = "connector"
  nullable    = false

  validation {
    condition     = contains(["connector", "direct"], var.egress)
    error_message = "egress is connector or direct."
  }
}

variable "connector" {
  description = "Size of the connector: machine type, and how many instances there are at least and at most."
  type = object({
    machine_type  = optional(string, "e2-micro")
    min_instances = optional(number, 2)
    max_instances = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.connector.min_instances >= 2 && var.connector.max_instances > var.connector.min_instances && var.connector.max_instances <= 10
    error_message = "connector has at least 2 instances, at most 10, and max_instances above min_instances."
  }
}

variable "subnet_cidr" {
  description = "Range of the functions: exactly a /28 for a connector, a /26 or larger for direct egress; null for 10.8.0.0/28 or 10.8.1.0/24."
  type        = string
  default     = null

  validation {
    condition     = var.subnet_cidr == null || can(cidrhost(var.subnet_cidr, 0))
    error_message = "subnet_cidr is a range, such as 10.8.0.0/28."
  }

  validation {
    condition = (
      var.subnet_cidr == null || !can(cidrhost(var.subnet_cidr, 0)) ? true :
      var.egress == "connector" ? endswith(var.subnet_cidr, "/28") : tonumber(split("/", var.subnet_cidr)[1]) <= 26
    )
    error_message = "subnet_cidr is a /28 with egress = \"connector\", and a /26 or larger with egress = \"direct\"."
  }
}

variable "services_cidr" {
  description = "Range in which Google puts Redis: a /24 or larger that nothing else in the network or peered with it uses."
  type        = string
  default     = "10.9.0.0/24"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.services_cidr, 0)) && try(tonumber(split("/", var.services_cidr)[1]) <= 24, false)
    error_message = "services_cidr is a range of a /24 or larger, such as 10.9.0.0/24."
  }
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
  nullable    = false
}
