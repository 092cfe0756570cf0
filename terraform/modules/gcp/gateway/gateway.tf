# The gateway, and the definition that says which of its paths leads to which function.

locals {
  definition = templatefile("${path.module}/openapi.json.tftpl", { title = var.prefix, addresses = var.addresses })
  paths      = jsondecode(local.definition).paths

  # A definition is never changed, only replaced, and the gateway must not be without one in between: so each has a name
  # of its own, made of all that it consists of.
  config_id = "${var.prefix}-${substr(sha256(jsonencode([local.definition, var.service_account])), 0, 12)}"
}

resource "google_api_gateway_api" "this" {
  provider = google-beta

  project = var.project
  api_id  = var.prefix
  labels  = var.labels
}

resource "google_api_gateway_api_config" "this" {
  provider = google-beta

  project       = var.project
  api           = google_api_gateway_api.this.api_id
  api_config_id = local.config_id
  labels        = var.labels

  openapi_documents {
    document {
      path     = "openapi.json"
      contents = base64encode(local.definition)
    }
  }

  gateway_config {
    backend_config {
      google_service_account = var.service_account
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_api_gateway_gateway" "this" {
  provider = google-beta

  project    = var.project
  region     = var.region
  gateway_id = "${var.prefix}-gateway"
  api_config = google_api_gateway_api_config.this.id
  labels     = var.labels
}
