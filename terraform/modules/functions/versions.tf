# What this module needs: Terraform alone. It creates nothing and knows no cloud.

terraform {
  required_version = ">= 1.11"
}
