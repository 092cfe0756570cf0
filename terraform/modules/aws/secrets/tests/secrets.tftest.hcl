# What the secrets promise: they are there by name, without a value, and can be taken back.

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
  mock_resource "aws_kms_key" {
    override_during = plan
    defaults        = { arn = "arn:aws:kms:us-east-1:111122223333:key/0000", key_id = "0000" }
  }
}

variables {
  prefix = "oauth"
  secrets = {
    attempt-key                  = "Seals attempts"
    provider-slack-client-secret = "Slack's"
  }
}

run "secrets_are_named_and_can_be_taken_back_for_a_month" {
  command = plan

  assert {
    condition = output.names == {
      attempt-key                  = "oauth-attempt-key"
      provider-slack-client-secret = "oauth-provider-slack-client-secret"
    }
    error_message = "Names must be the prefix and the short name: `make secrets` and the functions count on them."
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.recovery_window_in_days == 30])
    error_message = "A deleted secret must be recoverable for 30 days."
  }
  assert {
    condition     = output.kms_key_arn == null && alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == null])
    error_message = "Without customer_key no key must be made or paid for."
  }
}

run "a_key_of_ones_own_is_rotated_and_used_through_secrets_manager_only" {
  command = plan

  variables {
    customer_key = true
  }

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation && aws_kms_alias.this[0].name == "alias/oauth-secrets"
    error_message = "The key must be rotated, and found by its alias."
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == aws_kms_key.this[0].arn])
    error_message = "The key must encrypt every secret."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this[0].policy).Statement :
      statement.Principal.AWS == "arn:aws:iam::111122223333:root"
      || try(statement.Condition.StringEquals["kms:ViaService"] == "secretsmanager.us-east-1.amazonaws.com" && statement.Condition.StringEquals["kms:CallerAccount"] == "111122223333", false)
    ])
    error_message = "Others than the account itself may use the key in this account, through Secrets Manager, alone."
  }
}

run "what_can_not_work_is_refused_by_name" {
  command = plan

  variables {
    prefix        = "OAuth"
    secrets       = { "Attempt Key" = "" }
    recovery_days = 3
  }

  expect_failures = [var.prefix, var.secrets, var.recovery_days]
}
