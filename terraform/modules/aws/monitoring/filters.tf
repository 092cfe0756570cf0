# Counts log lines, of each function's log group into one metric.

resource "aws_cloudwatch_log_metric_filter" "lines" {
  for_each = merge([
    for name in keys(merge(local.file.counts, local.counted)) : {
      for function, group in var.log_groups : "${name}.${function}" => { name = name, group = group }
    }
  ]...)

  name           = "${var.prefix}-${each.value.name}"
  log_group_name = each.value.group
  pattern        = local.pattern[each.value.name]

  metric_transformation {
    name      = each.value.name
    namespace = local.namespace
    value     = "1"
    # Every other line says that there was none: so that shares can be reckoned, and that an alarm which counts over an hour or more
    # ends when that is over, instead of looking further back for data.
    default_value = contains(keys(local.file.counts), each.value.name) || contains(local.slow, each.value.name) ? "0" : null
  }
}

# Runs are told apart by the log group they are in.
resource "aws_cloudwatch_log_metric_filter" "runs" {
  for_each = local.jobs

  name           = "${var.prefix}-${each.value.name}"
  log_group_name = var.log_groups[each.value.job]
  pattern        = local.pattern[each.value.name]

  metric_transformation {
    name      = each.key
    namespace = local.namespace
    value     = "1"
  }
}

locals {
  slow = [for name, alert in local.counted : name if local.more_than[name] > 0 && alert.within >= 3600]

  jobs = merge([
    for name in keys(local.silent) : {
      for job, seconds in var.job_intervals : "${name}.${job}" => { name = name, job = job, seconds = seconds }
    }
  ]...)
}
