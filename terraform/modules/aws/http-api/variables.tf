# Which routes there are, which function each leads to, how much they take, and under which name they are known.

variable "name" {
  description = "Name of the API and, behind /aws/vendedlogs/apigateway/, of the log group of its access log, such as `oauth`."
  type        = string
  nullable    = false
}

variable "routes" {
  description = "Every route: `method`, `path` with its parameters in braces, the `function` that answers, and `auth`: `NONE` for whoever comes, `AWS_IAM` for who signs the request and may call `execute-api:Invoke` on it. Nothing else is answered."
  type = list(object({
    method   = string
    path     = string
    function = string
    auth     = string
  }))
  nullable = false

  validation {
    condition     = alltrue([for route in var.routes : contains(["NONE", "AWS_IAM"], route.auth)])
    error_message = "The auth of a route is NONE or AWS_IAM."
  }
  validation {
    condition     = alltrue([for route in var.routes : contains(keys(var.functions), route.function)])
    error_message = "A route names a function that is not among functions."
  }
  validation {
    condition     = alltrue([for route in var.routes : contains(["DELETE", "GET", "OPTIONS", "POST"], route.method) && can(regex("^/[A-Za-z0-9_./{}-]+$", route.path)) && !strcontains(route.path, "+")])
    error_message = "A route is DELETE, GET, OPTIONS or POST and a path of its own: neither ANY nor {proxy+}, which would let through what nobody listed."
  }
}

variable "functions" {
  description = "The functions that routes name: their `name`, the `alias` that is called, and how API Gateway addresses it, `invoke_arn`."
  type = map(object({
    name       = string
    alias      = string
    invoke_arn = string
  }))
  nullable = false
}

variable "throttle" {
  description = "How many requests the API takes over all routes: `rate` a second in the long run, `burst` at once. What is above is answered 429 and costs nothing; limits by caller are the service's own."
  type = object({
    rate  = optional(number, 500)
    burst = optional(number, 1000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.burst >= 1
    error_message = "rate and burst are at least 1: with 0 nothing would be answered."
  }
}

variable "domain" {
  description = "A name of your own: `name`, and either `zone_id`, the Route 53 zone that the certificate and the records are made in, or `certificate_arn`, a certificate of the same region (then point the name to the output `domain_target` yourself). Null: the name that AWS gives."
  type = object({
    name            = string
    zone_id         = optional(string)
    certificate_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null || (try(var.domain.zone_id, null) == null) != (try(var.domain.certificate_arn, null) == null)
    error_message = "A domain has either a zone_id or a certificate_arn."
  }
  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9.-]+\\.[a-z]{2,}$", var.domain.name))
    error_message = "The name of a domain is a host such as oauth.example.com, without https:// and without a path."
  }
}

variable "log_retention_days" {
  description = "Days for which the access log is kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "after" {
  description = "What has to be there before the first route leads anywhere, such as the subscriptions of the audit log. It is waited for, and nothing else."
  type        = any
  default     = null
}
