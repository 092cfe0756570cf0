# One page for whoever is on call: is it well, does it get its work done, and if not, what fails.

locals {
  # Two columns of 24, rows of 16, in this order.
  charts = [
    { title = "Calls a second, by function", promql = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.runs}}[5m]))" },
    { title = "5xx, share by function", promql = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.runs},response_code_class=\"5xx\"}[5m])) / sum by (service_name) (rate(run_googleapis_com:request_count{${local.runs}}[5m]))" },
    { title = "tokens/get: median, ms", promql = "histogram_quantile(0.5, sum by (le) (rate(run_googleapis_com:request_latencies_bucket{${local.tokens}}[5m])))" },
    { title = "tokens/get: 95th percentile, ms", promql = "histogram_quantile(0.95, sum by (le) (rate(run_googleapis_com:request_latencies_bucket{${local.tokens}}[5m])))" },
    { title = "Refreshed in an hour, by provider", promql = "sum by (provider) (increase(${local.series.refreshed}[1h]))" },
    { title = "Refreshes that failed in an hour, by provider and class", promql = "sum by (provider, outcome) (increase(${local.series["refresh-failed"]}[1h]))" },
    { title = "Connected in an hour, by provider", promql = "sum by (provider) (increase(${local.series.connected}[1h]))" },
    { title = "Grants ended in an hour, by provider and reason", promql = "sum by (provider, reason) (increase(${local.series["grants-ended"]}[1h]))" },
    { title = "Instances, by function", promql = "sum by (service_name) (run_googleapis_com:container_instance_count{${local.runs}})" },
    { title = "Memory in use, share, 95th percentile", promql = "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_memory_utilizations_bucket{${local.runs}}[5m])))" },
    { title = "Firestore: documents read and written a second", promql = "sum by (type) (rate(firestore_googleapis_com:document_read_ops_count{${local.database}}[5m])) or sum by (op) (rate(firestore_googleapis_com:document_write_ops_count{${local.database}}[5m]))" },
    { title = "Cloud KMS: calls a second, by method", promql = "sum by (method) (rate(serviceruntime_googleapis_com:api_request_count{monitored_resource=\"consumed_api\",service=\"cloudkms.googleapis.com\"}[5m]))" },
  ]
  runs     = "monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", values(local.services))}\""
  database = "monitored_resource=\"firestore.googleapis.com/Database\""
  tokens   = "monitored_resource=\"cloud_run_revision\",service_name=\"${var.prefix}-token-get\""

  tiles = [
    for index, chart in local.charts : merge(
      { width = 24, height = 16 },
      # Cloud Monitoring leaves zeros out of what it gives back, and each would be a change in every plan.
      { for name, value in { xPos = index % 2 * 24, yPos = floor(index / 2) * 16 } : name => value if value > 0 },
      { widget = {
        title   = chart.title
        xyChart = { dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.promql } }] }
      } },
    )
  ]
  log = {
    yPos   = ceil(length(local.charts) / 2) * 16
    width  = 48
    height = 24
    widget = {
      title     = "What went wrong"
      logsPanel = { filter = "${local.from} AND severity>=WARNING" }
    }
  }
}

resource "google_monitoring_dashboard" "service" {
  project = var.project

  dashboard_json = jsonencode({
    displayName  = "${var.prefix}: OAuth Management Service"
    mosaicLayout = { columns = 48, tiles = concat(local.tiles, [local.log]) }
  })
}
