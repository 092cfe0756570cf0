# Each route, the function that it leads to, and the leave to call it.

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:Every route says who may call; public ones are NONE, as browsers and providers sign nothing, and the function itself asks.
  for_each = { for route in var.routes : "${route.method} ${route.path}" => route }

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = each.value.auth
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value.function].id}"

  depends_on = [var.after]
}

locals {
  answering = toset([for route in var.routes : route.function])
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = local.answering

  api_id                 = aws_apigatewayv2_api.this.id
  description            = var.functions[each.key].name
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = var.functions[each.key].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000 # the most that there is; a function gives a request up by then
}

# For this API alone, whose routes are those above. API Gateway writes a route's parameters into the source in a way that is
# not documented, so it is not narrowed to the route.
resource "aws_lambda_permission" "api" {
  for_each = local.answering

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = var.functions[each.key].name
  qualifier     = var.functions[each.key].alias
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
