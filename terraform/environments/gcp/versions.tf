# What this environment needs, and where its state is.

terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 6.50"
    }
  }

  # A bucket that `make deploy` makes: private, versioned, one prefix an environment. The state holds the password of
  # Redis, which the provider reads back: whoever may read the bucket may read the cache.
  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
}

provider "google-beta" {
  project = var.project
  region  = var.region
}
