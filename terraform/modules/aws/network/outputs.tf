# What functions and cache need to be placed.

output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Subnets for functions and cache, in the order of `azs`."
  value       = [for zone in var.azs : aws_subnet.private[zone].id]
}

output "function_security_group_id" {
  description = "Security group for functions."
  value       = aws_security_group.functions.id
}

output "cache_security_group_id" {
  description = "Security group for the cache."
  value       = aws_security_group.cache.id
}

output "nat_ips" {
  description = "Addresses that providers see, one a NAT gateway: for their allow lists."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
