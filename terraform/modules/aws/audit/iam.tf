# Two roles: one that takes lines from CloudWatch Logs to the stream, one that takes them from the stream to the bucket.

data "aws_partition" "current" {}

locals {
  # Named, not asked: the role is made before the stream.
  stream = "arn:${data.aws_partition.current.partition}:firehose:${local.region}:${local.account}:deliverystream/${var.prefix}-audit"
}

resource "aws_iam_role" "subscription" {
  name        = "${var.prefix}-audit-subscription"
  description = "Lets CloudWatch Logs send audit lines to their stream"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # For log groups of this account only, not for whoever else the service acts.
      Condition = { StringLike = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:logs:${local.region}:${local.account}:*" } }
    }]
  })
}

resource "aws_iam_role_policy" "subscription" {
  name = "send"
  role = aws_iam_role.subscription.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = local.stream
    }]
  })
}

resource "aws_iam_role" "delivery" {
  name        = "${var.prefix}-audit-delivery"
  description = "Lets the stream put audit lines into their bucket"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # Firehose gives the account that the stream is in as external id, and no other condition of AWS's is documented for it.
      Condition = { StringEquals = { "sts:ExternalId" = local.account } }
    }]
  })
}

locals {
  rights = {
    bucket = {
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      Resource = aws_s3_bucket.this.arn
    }
    # As AWS's documentation lists them; only Firehose itself can take this role.
    objects = {
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
      Resource = "${aws_s3_bucket.this.arn}/*"
    }
    failures = {
      Effect   = "Allow"
      Action   = ["logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.delivery.arn}:log-stream:${aws_cloudwatch_log_stream.delivery.name}"
    }
  }
  key_rights = var.kms_key_arn == null ? [] : [{
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = var.kms_key_arn
  }]
}

resource "aws_iam_role_policy" "delivery" {
  name = "deliver"
  role = aws_iam_role.delivery.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(values(local.rights), local.key_rights)
  })
}
