# Redis as the functions want it: with a password, over TLS, without a public address, and forgetting what ends soonest when it is full.

resource "google_redis_instance" "this" {
  project        = var.project
  region         = var.region
  name           = "${var.prefix}-redis"
  display_name   = "${var.prefix} OAuth"
  tier           = var.ha ? "STANDARD_HA" : "BASIC"
  memory_size_gb = var.memory_gib
  redis_version  = "REDIS_7_2"
  labels         = var.labels

  authorized_network = var.network_id
  connect_mode       = "PRIVATE_SERVICE_ACCESS"

  auth_enabled            = true
  transit_encryption_mode = "SERVER_AUTHENTICATION"

  # All of our keys end by themselves; those that matter most, parked tokens, end last and so go last (docs/operations.md, Redis).
  redis_configs = {
    maxmemory-policy = "volatile-ttl"
  }

  maintenance_policy {
    description = "When Google may restart it; attempts that are under way then begin again."

    weekly_maintenance_window {
      day = var.maintenance.day

      start_time {
        hours   = var.maintenance.hour
        minutes = 0
        seconds = 0
        nanos   = 0
      }
    }
  }
}
