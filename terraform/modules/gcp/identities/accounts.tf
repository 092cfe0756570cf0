# An account of its own for each function, and one each for the gateway and the scheduler; none has a key, and none a right by being here.

locals {
  holders = setunion(var.functions, ["gateway", "scheduler"])

  # Computed, not read back, so that every plan can show who gets which right before an account exists.
  emails = { for name in local.holders : name => "${var.prefix}-${name}@${var.project}.iam.gserviceaccount.com" }
}

resource "google_service_account" "this" {
  for_each = local.holders

  project      = var.project
  account_id   = "${var.prefix}-${each.key}"
  display_name = "${var.prefix} OAuth: ${each.key}"
  description = (
    each.key == "gateway" ? "The API gateway; may invoke the public functions." :
    each.key == "scheduler" ? "Cloud Scheduler; may invoke the scheduled functions." :
    "The function ${each.key}."
  )
}
