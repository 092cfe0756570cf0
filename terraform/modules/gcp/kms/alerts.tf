# Tells when somebody destroys or disables a version of the key, while it can still be restored.

resource "google_monitoring_alert_policy" "key_destroyed" {
  project      = var.project
  display_name = "${var.prefix} OAuth: a version of the token key is being destroyed or disabled"
  combiner     = "OR"
  severity     = "CRITICAL"
  user_labels  = var.labels

  conditions {
    display_name = "A version of ${local.name} was destroyed or changed by hand"

    condition_matched_log {
      # The long names and the short ones: which of them the log has is up to Google.
      filter = join(" AND ", [
        "log_id(\"cloudaudit.googleapis.com/activity\")",
        "protoPayload.serviceName=\"cloudkms.googleapis.com\"",
        "(protoPayload.methodName:\"DestroyCryptoKeyVersion\" OR protoPayload.methodName:\"UpdateCryptoKeyVersion\")",
        "protoPayload.resourceName:\"/keyRings/${local.ring}/cryptoKeys/${local.name}/\"",
      ])
    }
  }

  # What is matched in a log has to say how often it tells, and when it is over.
  alert_strategy {
    auto_close = "604800s"

    notification_rate_limit {
      period = "300s"
    }
  }

  notification_channels = var.notification_channels

  documentation {
    subject   = "${var.prefix} OAuth: restore the key version"
    mime_type = "text/markdown"
    content   = <<-EOT
      Somebody destroys or disables a version of the key that wraps the keys that seal tokens. What it wrapped can't be opened while it is disabled, and never again once it is destroyed; until then it can be restored, for ${var.destroy_after_days} days.

      [What to do](${var.runbook}#alert-key-destroyed)
    EOT

    links {
      display_name = "Runbook"
      url          = "${var.runbook}#alert-key-destroyed"
    }
  }
}
