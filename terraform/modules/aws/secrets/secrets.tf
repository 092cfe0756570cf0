# The secrets, empty: values are put there by `make secrets`, so that neither a plan nor a state ever has one.

resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets

  #checkov:skip=CKV2_AWS_57:None of these can be rolled over by a machine alone; docs/deploy.md says how and when.
  #checkov:skip=CKV_AWS_149:A key of one's own is an option (customer_key); AWS's own encrypts as well.
  name        = "${var.prefix}-${each.key}"
  description = each.value
  kms_key_id  = one(aws_kms_key.this[*].arn)

  # Zero deletes at once, and frees the name: for what is made and destroyed every day.
  recovery_window_in_days = var.recovery_days
}
