# The VPC and its subnets: private ones for functions and cache, public ones for nothing but NAT gateways.

locals {
  # A zone keeps its place in the list, and so its ranges: further zones go to the end.
  zones = { for i, zone in var.azs : zone => {
    private = cidrsubnet(var.cidr, 3, i)
    # From the end of the range, so that private subnets have the beginning to themselves.
    public = cidrsubnet(var.cidr, 6, 63 - i)
  } }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # the cache is found by its name

  tags = { Name = "${var.prefix}-vpc" }
}

# What is put into the VPC without naming a group shall reach nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-unused" }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value.private

  tags = { Name = "${var.prefix}-private-${each.key}" }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value.public
  # NAT gateways have addresses of their own; nothing else belongs here.
  map_public_ip_on_launch = false

  tags = { Name = "${var.prefix}-public-${each.key}" }
}
