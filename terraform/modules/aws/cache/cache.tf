# The cache: one Valkey node, or two in two zones; TLS and a password always, nothing kept on disk.

locals {
  port   = 6379
  name   = "${var.prefix}-cache"
  family = "valkey${split(".", var.engine_version)[0]}"

  # The host is known once the cache is there; the password can hold what an URL gives another meaning.
  url = "rediss://:${urlencode(var.auth_token)}@${aws_elasticache_replication_group.this.primary_endpoint_address}:${local.port}"
}

resource "aws_elasticache_subnet_group" "this" {
  name        = local.name
  description = "Where the cache of ${var.prefix} is"
  subnet_ids  = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  # The family is part of it: another one needs another group, which must be there before the cache leaves the old one.
  name        = "${local.name}-${local.family}"
  description = "Parameters of the cache of ${var.prefix}"
  family      = local.family

  # All keys end by themselves; those that matter most, parked tokens, are the last to end, and so the last to be evicted.
  parameter {
    name  = "maxmemory-policy"
    value = "volatile-ttl"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV_AWS_191:A key of one's own is an option (kms_key_arn); AWS's own encrypts as well.
  #checkov:skip=CKV2_AWS_50:Failing over is an option (ha), as the service goes on without its cache.
  replication_group_id = local.name
  description          = "Attempts under way, cached tokens and limits of ${var.prefix}"

  engine               = "valkey"
  engine_version       = var.engine_version
  node_type            = var.node_type
  port                 = local.port
  parameter_group_name = aws_elasticache_parameter_group.this.name

  num_cache_clusters         = var.ha ? 2 : 1
  automatic_failover_enabled = var.ha
  multi_az_enabled           = var.ha
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required" # a client without TLS is refused
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn

  auth_token = var.auth_token
  # A new password is valid beside the old one, until `SET` ends that: functions that run have the old one.
  auth_token_update_strategy = var.auth_token_update_strategy

  # Nothing in it is worth a snapshot: what is lost is read again, or begun anew by its user.
  snapshot_retention_limit = 0
  # Versions change by `engine_version` alone: where AWS had raised it, the configuration would be a downgrade, for which the provider
  # plans another cache.
  auto_minor_version_upgrade = false
  maintenance_window         = var.maintenance_window
  # The service is slower without its cache, but goes on; waiting for the window would leave plans that never end.
  apply_immediately = true
}
