# A key of one's own for the secrets, where wished: who may use it, and that it was used, is then seen apart from the secrets.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

resource "aws_kms_key" "this" {
  count = var.customer_key ? 1 : 0

  description             = "Encrypts the secrets of ${var.prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  # In the policy of a key, "*" is that key.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without it the key could be used and managed by nobody, not even by whoever may in IAM.
        Sid       = "AsIamSays"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        # A role that reads a secret needs no right on the key beside: Secrets Manager decrypts for it, and nothing else does.
        Sid       = "ThroughSecretsManager"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = {
          StringEquals = {
            "kms:CallerAccount" = data.aws_caller_identity.current.account_id
            "kms:ViaService"    = "secretsmanager.${data.aws_region.current.name}.amazonaws.com"
          }
        }
      },
    ]
  })

  lifecycle {
    # Without the key every secret is gone.
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "this" {
  count = var.customer_key ? 1 : 0

  name          = "alias/${var.prefix}-secrets"
  target_key_id = aws_kms_key.this[0].key_id
}
