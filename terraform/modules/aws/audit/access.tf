# Who may write audit lines (the delivery alone), who may read them, and how nobody gets in.

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

locals {
  everything = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

  refusals = [
    {
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = local.everything
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid       = "ModernTlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = local.everything
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    },
    {
      # Lines can't be forged without the audit key; that nobody else puts any there makes it plain.
      Sid       = "WrittenByDeliveryAlone"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = ["${aws_s3_bucket.this.arn}/*"]
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = aws_iam_role.delivery.arn } }
    },
  ]

  grants = length(var.readers) == 0 ? [] : [
    {
      Sid       = "Readers"
      Effect    = "Allow"
      Principal = { AWS = values(var.readers) }
      Action    = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:ListBucket"]
      Resource  = local.everything
    },
  ]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  # Encoded one by one, as Terraform wants the elements of a list to be alike, and these are not.
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[${join(",", concat(
    [for statement in local.refusals : jsonencode(statement)],
    [for statement in local.grants : jsonencode(statement)],
  ))}]}"

  # S3 refuses two changes of a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
