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

# Asks for the budget with this project's quota: the API belongs to no project, and refuses people who name none. Only for it,
# as everybody who plans would need roles/serviceusage.serviceUsageConsumer otherwise.
provider "google" {
  alias                 = "billing"
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project = var.project
  region  = var.region
}
