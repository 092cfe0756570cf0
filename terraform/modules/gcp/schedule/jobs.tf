# A Cloud Scheduler job for each input.

resource "google_cloud_scheduler_job" "this" {
  count = length(var.inputs)

  project     = var.project
  region      = var.region
  name        = length(var.inputs) == 1 ? var.name : "${var.name}-${count.index}"
  description = var.inputs[count.index] == null ? "Runs ${var.name}." : "Runs ${var.name} with ${var.inputs[count.index]}."
  schedule    = var.schedule
  time_zone   = "Etc/UTC"

  # Beyond the service's own time-out: whoever stops waiting first calls a run failed that goes on.
  attempt_deadline = "${var.timeout_seconds + 30}s"

  # Runs may overlap: what one works on, another leaves alone.
  retry_config {
    retry_count          = var.retries
    min_backoff_duration = "30s"
    max_backoff_duration = "300s"
  }

  http_target {
    http_method = "POST"
    uri         = var.url
    headers     = var.inputs[count.index] == null ? null : { "Content-Type" = "application/json" }
    body        = var.inputs[count.index] == null ? null : base64encode(var.inputs[count.index])

    oidc_token {
      service_account_email = var.service_account
      audience              = var.url
    }
  }
}
