# Where the gateway is, what stands behind it, and under which name it is reached.

variable "project" {
  description = "Id of the project."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Beginning of all names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,7}[a-z0-9]$", var.prefix))
    error_message = "Write a prefix of 2 to 9 lower-case letters, digits and hyphens that begins with a letter and does not end with a hyphen."
  }
}

variable "region" {
  description = "Region of the gateway; one that API Gateway is in."
  type        = string
  nullable    = false
}

variable "addresses" {
  description = "URL of each function that the gateway's definition names, by the function's name; the audience of the gateway's tokens as well."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for url in values(var.addresses) : can(regex("^https://[^/]+$", url))])
    error_message = "An address is https:// and a host, without a path: the path that was asked for is put behind it."
  }
}

variable "service_account" {
  description = "E-mail address of the account that the gateway calls with. It alone may invoke what stands behind the gateway."
  type        = string
  nullable    = false
}

variable "domain" {
  description = "Domain to reach the gateway under, such as oauth.example.com, by a load balancer with a certificate of Google's. Null: the gateway's own host name."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain is a host name in lower case, without https:// and without a path."
  }
}

variable "requests_per_minute" {
  description = "Requests a minute that one address may send before the load balancer answers 429. Null: the service's own limits only. Needs a domain."
  type        = number
  default     = null

  validation {
    condition     = var.requests_per_minute == null || (var.domain != null && try(var.requests_per_minute >= 1, false))
    error_message = "requests_per_minute is 1 or more and needs a domain: Cloud Armor stands in the load balancer."
  }
}

variable "labels" {
  description = "Labels of whatever can have them."
  type        = map(string)
  default     = {}
  nullable    = false
}
