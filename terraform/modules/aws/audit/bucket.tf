# The bucket that keeps audit lines: what is in it can't be changed or deleted before its time, by nobody (COMPLIANCE) or by few (GOVERNANCE).

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Who reads the audit log is seen by CloudTrail's data events, where the account has them on.
  #checkov:skip=CKV_AWS_144:A copy in another region is for the operator's own rules; replication needs a bucket there.
  #checkov:skip=CKV_AWS_145:A key of one's own is an option (kms_key_arn); S3's own encrypts as well.
  #checkov:skip=CKV2_AWS_62:Nothing waits for audit lines to arrive; that they do is watched by alarms.
  # Names of buckets are everybody's, so account and region are part of it.
  bucket              = "${var.prefix}-audit-${local.account}-${local.region}"
  object_lock_enabled = true
  force_destroy       = false

  lifecycle {
    # What is in it is locked; a plan that would take the bucket away is wrong before it begins.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  # A lock is on a version of an object; without versions there is none.
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = var.lock_mode
      days = var.retention_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
    bucket_key_enabled = var.kms_key_arn != null
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "end-after-retention"
    status = "Enabled"

    filter {}

    # The lock ends first. Then the object gets a marker, and a day later its version goes.
    expiration {
      days = var.retention_days + 1
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "markers"
    status = "Enabled"

    filter {}

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
