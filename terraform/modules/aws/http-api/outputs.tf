# Under which address the API is reached, and how other modules name it.

output "url" {
  description = "The base URL, without a slash at its end. It depends on nothing but the API's name, so a function's settings may hold it."
  value       = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"
}

output "host" {
  description = "The host of that URL."
  value       = var.domain == null ? trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://") : var.domain.name
}

output "id" {
  description = "Id of the API, by which metrics know it."
  value       = aws_apigatewayv2_api.this.id
}

output "execution_arn" {
  description = "What rights to call a route begin with; behind it come /$default/METHOD/path."
  value       = aws_apigatewayv2_api.this.execution_arn
}

output "routes" {
  description = "Every route as it was made, `METHOD /path`: the `function` and the `auth`."
  value = {
    for key, route in aws_apigatewayv2_route.this : route.route_key => {
      function = var.functions[one([for each in var.routes : each.function if "${each.method} ${each.path}" == key])].name
      auth     = route.authorization_type
    }
  }
}

output "domain_target" {
  description = "What a CNAME of the domain's name has to point to, where the zone is not ours. Null without a domain."
  value       = one(aws_apigatewayv2_domain_name.this[*].domain_name_configuration[0].target_domain_name)
}
