# The bucket that packages of functions are put into, as releases/VERSION/ARCH/FUNCTION.zip.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Who deploys is in CloudTrail; packages hold nothing that reading would give away.
  #checkov:skip=CKV_AWS_144:Packages can be built again from their commit; Lambda keeps a copy of what it runs.
  #checkov:skip=CKV_AWS_145:Packages are no secret; S3's own key encrypts, and deployers need no right on another.
  #checkov:skip=CKV2_AWS_62:Nothing waits for a package; deploying is a person's or a pipeline's step.
  # Names of buckets are everybody's, so account and region are part of it.
  bucket        = "${var.prefix}-artifacts-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.name}"
  force_destroy = var.force_destroy
}

# A package that was overwritten is still there: what a release was can be told afterwards.
resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  # Releases themselves are kept: a rollback needs them, and they are small.
  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
