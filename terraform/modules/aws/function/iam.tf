# The function's own role: it may write its log, read its secrets and, in a VPC, have its network interfaces.

resource "aws_iam_role" "this" {
  name        = var.name
  description = "What the Lambda function ${var.name} may do. Google knows it by this name."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteItsLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*" # its streams, which Lambda names
      }],
      length(var.secrets) == 0 ? [] : [{
        Sid      = "ReadItsSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = sort(distinct(values(var.secrets)))
      }],
    )
  })
}

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

# Lambda, not the function's code, makes the interfaces with the function's role. Their ids are not known before, so AWS takes no narrower
# resource; the second statement takes from the code what the first gives to Lambda.
resource "aws_iam_role_policy" "vpc" {
  #checkov:skip=CKV_AWS_290:The actions on network interfaces take no resource narrower than all; the code itself is denied them.
  #checkov:skip=CKV_AWS_355:The actions on network interfaces take no resource narrower than all; the code itself is denied them.
  count = var.vpc == null ? 0 : 1

  name = "vpc"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "NetworkInterfacesForLambda"
        Effect   = "Allow"
        Action   = local.interface_actions
        Resource = "*"
      },
      {
        Sid      = "ButNotForTheCode"
        Effect   = "Deny"
        Action   = local.interface_actions
        Resource = "*"
        Condition = {
          ArnEquals = {
            "lambda:SourceFunctionArn" = "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:function:${var.name}"
          }
        }
      },
    ]
  })
}

locals {
  interface_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]
}
