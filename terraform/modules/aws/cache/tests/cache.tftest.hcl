# What the cache promises: TLS and a password, the right eviction, and an alarm for each node.
# Applied, but to nothing: the provider is a mock. The tools that play AWS have no replication groups, so this is all that is tried.

mock_provider "aws" {
  mock_resource "aws_elasticache_replication_group" {
    defaults = { primary_endpoint_address = "master.oauth-cache.abc.use1.cache.amazonaws.com" }
  }
}

variables {
  prefix            = "oauth"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  auth_token        = "correct-horse-#1-battery"
  url_secret_id     = "oauth-cache-url"
  alarm_topic_arns  = ["arn:aws:sns:us-east-1:111122223333:oauth-alarms"]
  runbook           = "https://example.com/docs/operations.md"
}

run "nobody_gets_in_without_tls_and_the_password_and_functions_are_told_both" {
  command = apply

  # Nobody gets in without TLS and the password.
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "TLS must be required, not preferred."
  }
  assert {
    condition     = nonsensitive(aws_elasticache_replication_group.this.auth_token == var.auth_token)
    error_message = "The password must be set."
  }
  assert {
    condition     = tobool(aws_elasticache_replication_group.this.at_rest_encryption_enabled) && aws_elasticache_replication_group.this.snapshot_retention_limit == 0
    error_message = "What a node keeps on disk must be encrypted, and be no snapshot."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.security_group_ids == toset(["sg-1"])
    error_message = "Only whom the given security group lets in may reach it."
  }

  # Parked tokens are evicted last.
  assert {
    condition     = aws_elasticache_parameter_group.this.family == "valkey8" && contains([for parameter in aws_elasticache_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "maxmemory-policy=volatile-ttl")
    error_message = "The eviction policy must be volatile-ttl (docs/operations.md, Redis)."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.parameter_group_name == aws_elasticache_parameter_group.this.name
    error_message = "The cache must use its parameter group."
  }

  # Functions are told a URL that a special password does not break.
  assert {
    condition     = nonsensitive(output.url) == "rediss://:correct-horse-%231-battery@master.oauth-cache.abc.use1.cache.amazonaws.com:6379"
    error_message = "The URL must be rediss://, with the password escaped."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.url.secret_id == "oauth-cache-url" && aws_secretsmanager_secret_version.url.secret_string == null
    error_message = "The URL must go into its secret by the write-only argument, as the other would put it into the state."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.url.secret_string_wo_version == parseint(substr(sha256("rediss://:correct-horse-%231-battery@master.oauth-cache.abc.use1.cache.amazonaws.com:6379"), 0, 7), 16)
    error_message = "The version must follow from the URL: otherwise a new password is never written."
  }

  assert {
    condition     = output.url_secret_arn == var.url_secret_id
    error_message = "Functions must be given the secret that the URL is written into."
  }

  assert {
    condition     = !tobool(aws_elasticache_replication_group.this.auto_minor_version_upgrade)
    error_message = "AWS must not raise the version beside Terraform, which would plan another cache."
  }

  # One node is the default.
  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "Without ha there must be one node."
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.down) == ["oauth-cache-001"]
    error_message = "The node must have an alarm."
  }
}

run "with_ha_another_zone_takes_over_and_each_node_is_watched" {
  command = plan

  variables {
    ha = true
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.num_cache_clusters == 2
      && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    )
    error_message = "With ha there must be two nodes in two zones, and a failover by itself."
  }
  assert {
    condition = alltrue([
      for alarms in [aws_cloudwatch_metric_alarm.down, aws_cloudwatch_metric_alarm.memory, aws_cloudwatch_metric_alarm.evictions] :
      keys(alarms) == ["oauth-cache-001", "oauth-cache-002"]
    ])
    error_message = "Each node must have each alarm."
  }

  # Alarms are sent, and name their entry in the runbook.
  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.down) :
      endswith(alarm.alarm_description, " https://example.com/docs/operations.md#alert-redis-down") && alarm.treat_missing_data == "breaching"
    ])
    error_message = "A node that says nothing must be an alarm that leads to alert-redis-down."
  }
  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.memory), values(aws_cloudwatch_metric_alarm.evictions)) :
      endswith(alarm.alarm_description, " https://example.com/docs/operations.md#alert-redis-memory")
    ])
    error_message = "A cache that is too small must lead to alert-redis-memory."
  }
  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.down), values(aws_cloudwatch_metric_alarm.memory), values(aws_cloudwatch_metric_alarm.evictions)) :
      alarm.alarm_actions == toset(var.alarm_topic_arns) && alarm.ok_actions == toset(var.alarm_topic_arns)
    ])
    error_message = "Alarms, and their end, must be sent."
  }
}

run "what_can_not_work_is_refused_by_name" {
  command = plan

  variables {
    prefix                     = "Oauth"
    auth_token                 = "with a space in it"
    auth_token_update_strategy = "DELETE"
    node_type                  = "t4g.micro"
    engine_version             = "6.2"
    maintenance_window         = "sunday 3 am"
    memory_alarm_percent       = 100
    runbook                    = "docs/operations.md"
  }

  expect_failures = [
    var.prefix, var.auth_token, var.auth_token_update_strategy, var.node_type, var.engine_version,
    var.maintenance_window, var.memory_alarm_percent, var.runbook,
  ]
}
