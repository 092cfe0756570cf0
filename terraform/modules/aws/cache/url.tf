# The URL with its password, for functions: written into its secret, and by that argument not into the state.

resource "aws_secretsmanager_secret_version" "url" {
  secret_id        = var.url_secret_id
  secret_string_wo = local.url
  # What can't be compared has a number that changes with it: seven digits of its digest, which give nothing away.
  secret_string_wo_version = nonsensitive(parseint(substr(sha256(local.url), 0, 7), 16))
}
