# Counts log lines: for the graphs, and for alerts that need more than one.

resource "google_logging_metric" "lines" {
  for_each = local.metrics

  project     = var.project
  name        = "${var.prefix}-${each.key}"
  description = try("Lines of the alert ${each.key}: ${each.value.title}.", "Lines that say: ${each.key}.")
  filter      = local.filter[each.key]

  label_extractors = { for label, field in try(each.value.labels, {}) : label => "EXTRACT(${local.path[field]})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = try(each.value.labels, {})

      content {
        key         = labels.key
        value_type  = "STRING"
        description = "The field ${labels.value} of the line."
      }
    }
  }
}
