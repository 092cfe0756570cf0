#!/usr/bin/env bash
# Says whether there are providers of Terraform to be had here, and ends with 1 where there are none: no stand-in, no registry.
set -euo pipefail
# shellcheck source=infra/terraform/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_terraform
find_providers

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo 'terraform {
  required_providers {
    aws    = { source = "hashicorp/aws", version = "~> 5.100" }
    google = { source = "hashicorp/google", version = "~> 6.50" }
  }
}' >versions.tf
timeout 120 terraform init -no-color >init.log 2>&1 || { tail -5 init.log; exit 1; }
