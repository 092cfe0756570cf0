# The bucket's side of the way: a stream that unpacks what CloudWatch Logs sends, and puts the lines, as they were written, into objects.

resource "aws_cloudwatch_log_group" "delivery" {
  #checkov:skip=CKV_AWS_158:What went wrong with a delivery names no line; AWS's own key encrypts it.
  #checkov:skip=CKV_AWS_338:Failures of deliveries are looked at when their alarm comes, not a year later.
  name              = "/${var.prefix}/audit-delivery"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_stream" "delivery" {
  name           = "s3"
  log_group_name = aws_cloudwatch_log_group.delivery.name
}

resource "aws_kinesis_firehose_delivery_stream" "this" {
  #checkov:skip=CKV_AWS_241:A key of one's own is an option (kms_key_arn); AWS's own encrypts as well.
  name        = "${var.prefix}-audit"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = var.kms_key_arn == null ? "AWS_OWNED_CMK" : "CUSTOMER_MANAGED_CMK"
    key_arn  = var.kms_key_arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.delivery.arn
    bucket_arn          = aws_s3_bucket.this.arn
    kms_key_arn         = var.kms_key_arn
    prefix              = "lines/!{timestamp:yyyy/MM/dd/HH}/"
    error_output_prefix = "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"
    compression_format  = "GZIP"
    # Whichever comes first. What is not in the bucket yet is still in CloudWatch Logs.
    buffering_interval = var.buffering_seconds
    buffering_size     = 16

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery.name
      log_stream_name = aws_cloudwatch_log_stream.delivery.name
    }

    # CloudWatch Logs sends packed batches with its own frame about them. Unpacked and taken out of it, a line is what the
    # service wrote, which `oms-tool verify-audit` reads.
    processing_configuration {
      enabled = true

      processors {
        type = "Decompression"
        parameters {
          parameter_name  = "CompressionFormat"
          parameter_value = "GZIP"
        }
      }
      processors {
        type = "CloudWatchLogProcessing"
        parameters {
          parameter_name  = "DataMessageExtraction"
          parameter_value = "true"
        }
      }
      # A batch ends with a line feed, so that the next one begins a line. An empty line more is no harm.
      processors {
        type = "AppendDelimiterToRecord"
        parameters {
          parameter_name  = "Delimiter"
          parameter_value = "\\n"
        }
      }
    }
  }

  # The stream is tried as soon as it is there; before its role has its rights it would fail.
  depends_on = [aws_iam_role_policy.delivery, aws_s3_bucket_object_lock_configuration.this]
}
