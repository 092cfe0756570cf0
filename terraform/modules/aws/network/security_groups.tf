# Who may speak with whom: functions with the cache and with HTTPS servers, the cache with functions alone.

locals {
  cache_port = 6379
}

resource "aws_security_group" "functions" {
  #checkov:skip=CKV2_AWS_5:Functions are attached to it by the function module.
  name        = "${var.prefix}-functions"
  description = "Functions: out to HTTPS and to the cache, in from nowhere"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.prefix}-functions" }
}

resource "aws_security_group" "cache" {
  #checkov:skip=CKV2_AWS_5:The cache is attached to it by the cache module.
  name        = "${var.prefix}-cache"
  description = "The cache: in from functions, out to nowhere"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.prefix}-cache" }
}

# Providers, Google and AWS have no fixed addresses; that it is HTTPS is all that can be said.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.functions.id
  description       = "HTTPS to providers, Google and AWS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "cache" {
  security_group_id            = aws_security_group.functions.id
  description                  = "The cache"
  ip_protocol                  = "tcp"
  from_port                    = local.cache_port
  to_port                      = local.cache_port
  referenced_security_group_id = aws_security_group.cache.id
}

resource "aws_vpc_security_group_ingress_rule" "cache" {
  security_group_id            = aws_security_group.cache.id
  description                  = "Functions"
  ip_protocol                  = "tcp"
  from_port                    = local.cache_port
  to_port                      = local.cache_port
  referenced_security_group_id = aws_security_group.functions.id
}
