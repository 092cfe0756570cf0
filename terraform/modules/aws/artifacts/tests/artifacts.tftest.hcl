# What the bucket promises: closed to the public, TLS only, and nothing that was there is lost by overwriting.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_resource "aws_s3_bucket" {
    override_during = plan
    defaults        = { arn = "arn:aws:s3:::oauth-artifacts-111122223333-us-east-1" }
  }
}

variables {
  prefix = "oauth"
}

run "packages_are_kept_and_nobody_gets_at_them_from_outside" {
  command = plan

  # Nobody gets in without TLS or from the public.
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "The bucket must be closed to the public."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Effect == "Deny" && statement.Action == "s3:*" && contains(statement.Resource, "${aws_s3_bucket.this.arn}/*")])
    error_message = "The policy must allow nobody anything."
  }
  assert {
    condition = toset([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : jsonencode(statement.Condition)]) == toset([
      jsonencode({ Bool = { "aws:SecureTransport" = "false" } }), jsonencode({ NumericLessThan = { "s3:TlsVersion" = "1.2" } }),
    ])
    error_message = "The policy must refuse whoever comes without TLS 1.2."
  }

  # Packages are encrypted and kept.
  assert {
    condition     = aws_s3_bucket.this.bucket == "oauth-artifacts-111122223333-us-east-1" && !aws_s3_bucket.this.force_destroy
    error_message = "The name must be nobody else's, and a bucket with packages must not be destroyed unasked."
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Packages must be versioned and encrypted."
  }
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
      && length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0
    )
    error_message = "Overwritten packages must end after a while, and releases never: a rollback needs them."
  }
}

run "what_can_not_work_is_refused_by_name" {
  command = plan

  variables {
    prefix          = "o"
    noncurrent_days = 0
  }

  expect_failures = [var.prefix, var.noncurrent_days]
}
