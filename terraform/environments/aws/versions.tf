# What this environment needs, and where its state is.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # A bucket that `make deploy` makes: private, versioned, encrypted, one key an environment, locked by a file beside it.
  # The state holds the password of Redis, which the provider reads back: whoever may read the bucket may read the cache.
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.tags, { service = "oauth-management-service", environment = var.prefix })
  }
}

# Where the database and the key are.
provider "google" {
  project = var.google_project
  region  = var.google_region
}
