# One page for whoever is on call: is it well, does it get its work done, and if not, what fails.

locals {
  region    = data.aws_region.current.name
  functions = { for function in keys(var.log_groups) : function => "${var.prefix}-${function}" }
  sources   = join(" | ", [for group in values(var.log_groups) : "SOURCE '${group}'"])

  charts = [
    { title = "Calls, by function", stat = "Sum", metrics = [for name in values(local.functions) : ["AWS/Lambda", "Invocations", "FunctionName", name]] },
    { title = "Errors and throttles, by function", stat = "Sum", metrics = concat(
      [for name in values(local.functions) : ["AWS/Lambda", "Errors", "FunctionName", name]],
      [for name in values(local.functions) : ["AWS/Lambda", "Throttles", "FunctionName", name]],
    ) },
    { title = "tokens/get: 95th percentile, ms", stat = "p95", metrics = [["AWS/Lambda", "Duration", "FunctionName", "${var.prefix}-token-get"]] },
    { title = "Answers of the HTTP API", stat = "Sum", metrics = [for metric in ["Count", "4xx", "5xx"] : ["AWS/ApiGateway", metric, "ApiId", var.api_id]] },
    { title = "Refreshes", stat = "Sum", metrics = [for metric in ["refreshed", "refresh-failed"] : [local.namespace, metric]] },
    { title = "Grants", stat = "Sum", metrics = [for metric in ["connected", "grants-ended"] : [local.namespace, metric]] },
    { title = "Instances at once, by function", stat = "Maximum", metrics = [for name in values(local.functions) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", name]] },
    { title = "Dead letters", stat = "Maximum", metrics = [for name in values(var.dead_letter_queues) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]] },
  ]

  # What has to be told apart by provider is asked of the log: a metric for each provider and class would cost more than it says.
  queries = [
    { title = "Refreshes that failed, by provider and class", query = "filter message = 'a refresh has failed' | stats count(*) as failed by `provider.id`, outcome, bin(1h)" },
    { title = "Grants ended, by provider and reason", query = "filter message = 'a grant has ended' | stats count(*) as ended by `provider.id`, reason, bin(1h)" },
    { title = "What went wrong", query = "filter level in ['WARN', 'ERROR'] | fields @timestamp, service, level, message, `provider.id`, code, error | sort @timestamp desc | limit 200" },
  ]
}

resource "aws_cloudwatch_dashboard" "service" {
  dashboard_name = "${var.prefix}-oauth"

  dashboard_body = jsonencode({
    widgets = concat(
      [for index, chart in local.charts : {
        type   = "metric"
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          region  = local.region
          stat    = chart.stat
          period  = 300
          metrics = chart.metrics
        }
      } if length(chart.metrics) > 0],
      [for index, each in local.queries : {
        type   = "log"
        x      = 0
        y      = 24 + index * 6
        width  = 24
        height = 6
        properties = {
          title  = each.title
          region = local.region
          view   = "table"
          query  = "${local.sources} | ${each.query}"
        }
      }],
    )
  })
}
