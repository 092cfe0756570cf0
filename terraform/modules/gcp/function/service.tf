# The Cloud Run service.

locals {
  # Cloud Run's predictable URL: known before the service is, so that a gateway in front needs nothing of it.
  url = "https://${var.name}-${var.project_number}.${var.region}.run.app"

  files = { for path, secret in var.secret_files : "file-${substr(sha256(path), 0, 8)}" => { path = path, secret = secret } }
}

resource "google_cloud_run_v2_service" "this" {
  project  = var.project
  location = var.region
  name     = var.name
  labels   = var.labels
  ingress  = var.ingress == "all" ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"

  # A token for the predictable URL is taken wherever it was got; the service's older URL is an audience by itself.
  custom_audiences = [local.url]

  # It holds nothing: what must not be lost is in the database and the key.
  deletion_protection = false

  template {
    service_account                  = var.service_account
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency
    labels                           = var.labels

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = tostring(var.cpu), memory = "${var.memory_mib}Mi" }
        cpu_idle          = true # nothing is left to do after an answer
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = var.env
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secret_env
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }

      dynamic "volume_mounts" {
        for_each = local.files
        content {
          name       = volume_mounts.key
          mount_path = dirname(volume_mounts.value.path)
        }
      }

      # GET /health says 503 while the store is away: as a probe it would end instances that could serve what they hold.
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
        tcp_socket {
          port = 8080
        }
      }
    }

    dynamic "volumes" {
      for_each = local.files
      content {
        name = volumes.key
        secret {
          secret = volumes.value.secret
          items {
            path    = basename(volumes.value.path)
            version = "latest" # as of a reading: a new version gets in without a new revision
          }
        }
      }
    }

    dynamic "vpc_access" {
      for_each = var.vpc_access == null ? [] : [var.vpc_access]
      content {
        connector = vpc_access.value.connector
        egress    = "PRIVATE_RANGES_ONLY" # to Redis; providers and Google are reached as before

        dynamic "network_interfaces" {
          for_each = vpc_access.value.network == null ? [] : [vpc_access.value]
          content {
            network    = network_interfaces.value.network
            subnetwork = network_interfaces.value.subnetwork
          }
        }
      }
    }
  }

  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }
}
