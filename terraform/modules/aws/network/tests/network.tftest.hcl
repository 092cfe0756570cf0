# What the network promises: nobody gets in, functions get out to HTTPS and to the cache, and nowhere else.
# Applied, but to nothing: the provider is a mock. So groups and gateways have ids that can be told apart.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:/oauth/vpc-flow" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/oauth-vpc-flow" }
  }
}

variables {
  prefix = "oauth"
  azs    = ["us-east-1a", "us-east-1b"]
}

run "nobody_gets_in_and_functions_get_out_to_https_and_the_cache_alone" {
  command = apply

  # Functions reach HTTPS and the cache and nothing else.
  assert {
    condition     = aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443 && aws_vpc_security_group_egress_rule.https.ip_protocol == "tcp"
    error_message = "Functions must get out by TCP 443 only."
  }
  assert {
    condition = (
      aws_vpc_security_group_egress_rule.cache.security_group_id == aws_security_group.functions.id
      && aws_vpc_security_group_egress_rule.cache.referenced_security_group_id == aws_security_group.cache.id
      && aws_vpc_security_group_egress_rule.cache.from_port == 6379 && aws_vpc_security_group_egress_rule.cache.to_port == 6379
      && aws_vpc_security_group_egress_rule.cache.cidr_ipv4 == null
    )
    error_message = "The cache's port must be open from functions to the cache, not to a range of addresses."
  }

  # The cache hears functions alone.
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.cache.security_group_id == aws_security_group.cache.id
      && aws_vpc_security_group_ingress_rule.cache.referenced_security_group_id == aws_security_group.functions.id
      && aws_vpc_security_group_ingress_rule.cache.cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.cache.cidr_ipv6 == null
    )
    error_message = "The cache must be reached from the security group of functions alone."
  }

  # Nothing gets a public address and private subnets lead to NAT.
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "A public subnet hands out public addresses."
  }
  assert {
    condition     = alltrue([for route in aws_route.nat : route.nat_gateway_id != null && route.gateway_id == null])
    error_message = "A private subnet leads to the internet without NAT."
  }

  # One NAT gateway serves all zones.
  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a"] && length(output.nat_ips) == 1
    error_message = "nat = single must make one NAT gateway."
  }
  assert {
    condition     = length(distinct([for route in aws_route.nat : route.nat_gateway_id])) == 1 && length(aws_route.nat) == 2
    error_message = "Every zone must lead to the one NAT gateway."
  }

  # Connections are written down and S3 ends at this account.
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.vpc_id == aws_vpc.this.id && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "The VPC must have a flow log that ends some day."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.flow.policy).Statement : alltrue([for resource in statement.Resource : startswith(resource, aws_cloudwatch_log_group.flow.arn)])])
    error_message = "The flow log's role must write to its own log group only."
  }
  assert {
    condition     = jsondecode(aws_vpc_endpoint.s3.policy).Statement[0].Condition.StringEquals["aws:ResourceAccount"] == "111122223333"
    error_message = "The endpoint must lead to buckets of this account only."
  }
}

run "three_zones_lie_apart_and_each_has_its_own_way_out" {
  command = apply

  variables {
    azs = ["us-east-1a", "us-east-1b", "us-east-1c"]
    nat = "per-az"
  }

  assert {
    condition     = [for zone in ["us-east-1a", "us-east-1b", "us-east-1c"] : aws_subnet.private[zone].cidr_block] == ["10.20.0.0/23", "10.20.2.0/23", "10.20.4.0/23"]
    error_message = "Private subnets must take the beginning of the range."
  }
  assert {
    condition     = [for zone in ["us-east-1a", "us-east-1b", "us-east-1c"] : aws_subnet.public[zone].cidr_block] == ["10.20.15.192/26", "10.20.15.128/26", "10.20.15.64/26"]
    error_message = "Public subnets must take the end of the range."
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a", "us-east-1b", "us-east-1c"] && length(output.nat_ips) == 3
    error_message = "nat = per-az must make a NAT gateway a zone."
  }
  assert {
    condition     = alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "A zone must leave by its own NAT gateway."
  }
}

run "what_can_not_work_is_refused_by_name" {
  command = plan

  variables {
    prefix                  = "oauth-service"
    cidr                    = "10.20.0.0/24"
    azs                     = ["us-east-1a"]
    nat                     = "none"
    flow_log_traffic        = "NONE"
    flow_log_retention_days = 31
  }

  expect_failures = [var.prefix, var.cidr, var.azs, var.nat, var.flow_log_traffic, var.flow_log_retention_days]
}
