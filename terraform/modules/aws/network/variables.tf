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

variable "cidr" {
  description = "IPv4 range of the VPC. A /20 has room for three zones with 510 private addresses each; functions share network interfaces, so that few are used."
  type        = string
  default     = "10.20.0.0/20"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "Give an IPv4 range from /16 to /22, such as 10.20.0.0/20: a smaller one has no room for the subnets of three zones."
  }
}

variable "azs" {
  description = "Availability zones, two or three, such as [\"us-east-1a\", \"us-east-1b\"]. Add further ones at the end: the place in the list decides on the addresses."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.azs) >= 2 && length(var.azs) <= 3 && length(distinct(var.azs)) == length(var.azs)
    error_message = "Name two or three different availability zones: a cache that fails over needs two."
  }
}

variable "nat" {
  description = "`single`: one NAT gateway for all zones, and no way out while its zone is away. `per-az`: one a zone, each at the same price."
  type        = string
  default     = "single"
  nullable    = false

  validation {
    condition     = contains(["single", "per-az"], var.nat)
    error_message = "Say nat = \"single\" or nat = \"per-az\"; without NAT functions reach neither Google nor a provider."
  }
}

variable "flow_log_traffic" {
  description = "Which connections the flow log has: `ALL`, `REJECT` (cheaper; enough to see what security groups refuse) or `ACCEPT`."
  type        = string
  default     = "ALL"
  nullable    = false

  validation {
    condition     = contains(["ALL", "REJECT", "ACCEPT"], var.flow_log_traffic)
    error_message = "Say ALL, REJECT or ACCEPT."
  }
}

variable "flow_log_retention_days" {
  description = "Days that the flow log is kept; one of those that CloudWatch Logs offers."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "CloudWatch Logs keeps 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days, or 3 to 10 years; choose one of these."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow log, whose policy lets CloudWatch Logs use it; null: AWS's own."
  type        = string
  default     = null
}
