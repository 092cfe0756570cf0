# The API before the functions, and who may call what is not for everybody.

module "api" {
  source = "../../modules/aws/http-api"

  name = var.prefix
  routes = [
    for route in module.functions.routes : {
      method   = route.method
      path     = route.path
      function = route.function
      auth     = { public = "NONE", internal = "AWS_IAM" }[route.exposure]
    }
  ]
  functions = {
    for name in module.functions.endpoints : name => {
      name       = module.function[name].name
      alias      = module.function[name].alias
      invoke_arn = module.function[name].alias_invoke_arn
    }
  }
  after              = module.audit.subscriptions
  throttle           = var.throttle
  domain             = var.domain
  log_retention_days = var.log_retention_days
}

locals {
  invokers = { token-get = var.token_invokers, admin = var.admin_invokers }
  internal = toset([for name, f in local.listed : name if f.exposure == "internal"])
  # A role and the function that it may call, each pair once.
  invocations = merge([
    for name in local.internal : { for role in lookup(local.invokers, name, []) : "${role} ${name}" => { role = role, function = name } }
  ]...)
}

# For roles that are named here, and to be attached by whoever looks after others.
resource "aws_iam_policy" "invoke" {
  for_each = local.internal

  name        = "${var.prefix}-invoke-${each.key}"
  description = "May call the routes of ${each.key}. What a caller may ask for, the callers file says."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "CallItsRoutes"
      Effect = "Allow"
      Action = ["execute-api:Invoke"]
      # A parameter of a path is whatever stands there.
      Resource = [
        for route in local.listed[each.key].routes :
        "${module.api.execution_arn}/$default/${route.method}${replace(route.path, "/\\{[a-z]+\\}/", "*")}"
      ]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "invoke" {
  for_each = local.invocations

  role       = each.value.role
  policy_arn = aws_iam_policy.invoke[each.value.function].arn
}
