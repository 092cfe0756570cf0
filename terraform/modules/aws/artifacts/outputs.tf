# Where packages go, and come from.

output "bucket" {
  description = "Name of the bucket; a package is at releases/VERSION/ARCH/FUNCTION.zip in it."
  value       = aws_s3_bucket.this.id

  # Whoever puts something there finds the bucket closed already.
  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_versioning.this]
}

output "arn" {
  description = "ARN of the bucket, for the policy of whoever deploys."
  value       = aws_s3_bucket.this.arn
}
