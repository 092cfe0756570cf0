# What the audit log promises: lines get from every function into a bucket where they stay, and it is noticed when they don't.
# Planned with a mock of the provider, which says already then what others would be told when something is made.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_s3_bucket" {
    override_during = plan
    defaults        = { arn = "arn:aws:s3:::oauth-audit-111122223333-us-east-1" }
  }
  mock_resource "aws_kinesis_firehose_delivery_stream" {
    override_during = plan
    defaults        = { arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/oauth-audit" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    override_during = plan
    defaults        = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:/oauth/audit-delivery" }
  }
}

override_resource {
  target          = aws_iam_role.delivery
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/oauth-audit-delivery" }
}

override_resource {
  target          = aws_iam_role.subscription
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/oauth-audit-subscription" }
}

variables {
  prefix           = "oauth"
  log_groups       = { token-get = "/aws/lambda/oauth-token-get", scheduled-health = "/aws/lambda/oauth-scheduled-health" }
  readers          = { auditors = "arn:aws:iam::111122223333:role/auditors" }
  alarm_topic_arns = ["arn:aws:sns:us-east-1:111122223333:oauth-alarms"]
  runbook          = "https://example.com/docs/operations.md"
}

run "lines_of_every_function_arrive_and_stay_and_a_loss_is_noticed" {
  command = plan

  # What was written stays for its time.
  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && !aws_s3_bucket.this.force_destroy && aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must have versions and locks, and not be emptied by a destroy."
  }
  assert {
    condition     = aws_s3_bucket_object_lock_configuration.this.rule[0].default_retention[0].mode == "GOVERNANCE" && aws_s3_bucket_object_lock_configuration.this.rule[0].default_retention[0].days == 400
    error_message = "Every object must be locked for 400 days unless told otherwise."
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 401
    error_message = "Objects must end, after their lock and not before."
  }

  # Only the delivery writes and only readers read.
  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Condition.ArnNotEquals["aws:PrincipalArn"] if statement.Sid == "WrittenByDeliveryAlone" && statement.Effect == "Deny" && statement.Action == "s3:PutObject"] == [
      "arn:aws:iam::111122223333:role/oauth-audit-delivery"
    ]
    error_message = "Writing must be denied to everybody but the delivery's role."
  }
  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Principal.AWS if statement.Effect == "Allow"] == [["arn:aws:iam::111122223333:role/auditors"]]
    error_message = "The policy must allow the readers and nobody else."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : alltrue([for action in statement.Action : startswith(action, "s3:Get") || action == "s3:ListBucket"]) if statement.Effect == "Allow"])
    error_message = "Readers must do nothing but read."
  }
  assert {
    condition     = toset([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Sid if statement.Effect == "Deny"]) == toset(["TlsOnly", "ModernTlsOnly", "WrittenByDeliveryAlone"])
    error_message = "The policy must refuse whoever comes without TLS."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "The bucket must be closed to the public."
  }

  # Every function sends its audit lines and no others.
  assert {
    condition     = tomap({ for name, filter in aws_cloudwatch_log_subscription_filter.this : name => filter.log_group_name }) == var.log_groups
    error_message = "Every log group must be subscribed."
  }
  assert {
    condition = alltrue([
      for filter in values(aws_cloudwatch_log_subscription_filter.this) :
      filter.filter_pattern == "{ $.target = \"audit\" }" && filter.destination_arn == aws_kinesis_firehose_delivery_stream.this.arn && filter.role_arn == aws_iam_role.subscription.arn
    ])
    error_message = "Audit lines, as shared/src/audit writes them, must go to the stream."
  }
  assert {
    condition     = [for processor in aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].processing_configuration[0].processors : processor.type] == ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"]
    error_message = "Lines must be unpacked and taken out of CloudWatch's frame, for a verifier to read them."
  }
  assert {
    condition     = aws_kinesis_firehose_delivery_stream.this.server_side_encryption[0].enabled && aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].bucket_arn == aws_s3_bucket.this.arn
    error_message = "The stream must be encrypted, and lead to the bucket."
  }

  # The roles on the way reach their next step and nothing else.
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.subscription.policy).Statement : statement.Resource] == [aws_kinesis_firehose_delivery_stream.this.arn]
    error_message = "CloudWatch Logs must write to the stream alone."
  }
  assert {
    condition = toset([for statement in jsondecode(aws_iam_role_policy.delivery.policy).Statement : statement.Resource]) == toset([
      aws_s3_bucket.this.arn,
      "${aws_s3_bucket.this.arn}/*",
      "arn:aws:logs:us-east-1:111122223333:log-group:/oauth/audit-delivery:log-stream:s3",
    ])
    error_message = "The delivery must reach its bucket and its own log alone."
  }
  assert {
    condition = (
      jsondecode(aws_iam_role.delivery.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"] == "111122223333"
      && jsondecode(aws_iam_role.subscription.assume_role_policy).Statement[0].Condition.StringLike["aws:SourceArn"] == "arn:aws:logs:us-east-1:111122223333:*"
    )
    error_message = "The services must act for this account only."
  }

  # A loss is noticed and leads to the runbook.
  assert {
    condition = alltrue([
      for alarm in [
        aws_cloudwatch_metric_alarm.refused, aws_cloudwatch_metric_alarm.late, aws_cloudwatch_metric_alarm.unpacked,
        aws_cloudwatch_metric_alarm.unsent, aws_cloudwatch_metric_alarm.silent,
      ] :
      endswith(alarm.alarm_description, " https://example.com/docs/operations.md#alert-audit-loss") && alarm.alarm_actions == toset(var.alarm_topic_arns)
    ])
    error_message = "Every alarm must be sent, and lead to alert-audit-loss."
  }
  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.unsent.metric_query : query.metric[0].dimensions.LogGroupName if length(query.metric) > 0]) == toset(values(var.log_groups))
    error_message = "Every log group's errors must count."
  }
  assert {
    condition = alltrue([
      for filter in values(aws_cloudwatch_log_metric_filter.lines) :
      filter.pattern == "{ $.target = \"audit\" }"
      && contains([for query in aws_cloudwatch_metric_alarm.silent.metric_query : try("${query.metric[0].namespace} ${query.metric[0].metric_name}", "")], "${filter.metric_transformation[0].namespace} ${filter.metric_transformation[0].name}")
    ])
    error_message = "Lines must be counted where they come from, and held against what arrives."
  }
}

run "compliance_and_a_key_of_ones_own_reach_every_place" {
  command = plan

  variables {
    lock_mode      = "COMPLIANCE"
    retention_days = 2557
    kms_key_arn    = "arn:aws:kms:us-east-1:111122223333:key/0000"
    readers        = {}
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.this.rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.this.rule[0].default_retention[0].days == 2557
    error_message = "The lock must be what was asked for."
  }
  assert {
    condition = (
      one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
      && aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].kms_key_arn == var.kms_key_arn
      && aws_kinesis_firehose_delivery_stream.this.server_side_encryption[0].key_arn == var.kms_key_arn
    )
    error_message = "The key must encrypt the lines on their way and in the bucket."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Effect == "Deny"])
    error_message = "Without readers the policy must allow nobody anything."
  }
}

run "what_can_not_work_is_refused_by_name" {
  command = plan

  variables {
    prefix            = "oauth-"
    log_groups        = {}
    retention_days    = 0.5
    lock_mode         = "NONE"
    buffering_seconds = 30
    readers           = { everybody = "*" }
    runbook           = "https://example.com/docs/operations.md#runbook"
  }

  expect_failures = [
    var.prefix, var.log_groups, var.retention_days, var.lock_mode, var.buffering_seconds, var.readers, var.runbook,
  ]
}
