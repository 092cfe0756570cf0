# What the platform would log by itself and should not: request lines of callbacks, whose query holds a code and a state.
#
# By then both are used up; but a log is read by more people than may connect an account. The functions log each callback
# themselves, without its query.

resource "google_logging_project_exclusion" "callback_queries" {
  project     = var.project
  name        = "${var.prefix}-callback-queries"
  description = "Request lines of callbacks: their query holds a code and a state."
  filter      = "httpRequest.requestUrl=~\"/api/v1/oauth/callback[^?]*[?]\""
}
