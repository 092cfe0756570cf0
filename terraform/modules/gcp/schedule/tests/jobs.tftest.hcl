# How a function is called by the clock.

mock_provider "google" {}

variables {
  project         = "demo"
  region          = "us-central1"
  name            = "oauth-scheduled-refresh"
  url             = "https://oauth-scheduled-refresh-123456789012.us-central1.run.app"
  service_account = "oauth-scheduler@demo.iam.gserviceaccount.com"
  schedule        = "*/30 * * * *"
  timeout_seconds = 600
}

run "one_job_calls_this_service_alone_and_waits_for_it" {
  command = plan

  # One job runs everything.
  assert {
    condition     = length(google_cloud_scheduler_job.this) == 1 && google_cloud_scheduler_job.this[0].name == var.name
    error_message = "One job, named like the service."
  }
  assert {
    condition     = google_cloud_scheduler_job.this[0].http_target[0].body == null && google_cloud_scheduler_job.this[0].http_target[0].http_method == "POST"
    error_message = "It posts nothing, which means everything."
  }
  assert {
    condition     = google_cloud_scheduler_job.this[0].schedule == "*/30 * * * *" && google_cloud_scheduler_job.this[0].time_zone == "Etc/UTC"
    error_message = "It is due when the list says, in UTC."
  }

  # It proves who it is to this service alone.
  assert {
    condition = (
      google_cloud_scheduler_job.this[0].http_target[0].uri == var.url &&
      google_cloud_scheduler_job.this[0].http_target[0].oidc_token[0].audience == var.url &&
      google_cloud_scheduler_job.this[0].http_target[0].oidc_token[0].service_account_email == var.service_account
    )
    error_message = "The token is the scheduler's, for the service that is called."
  }

  # It waits longer than the service.
  assert {
    condition     = tonumber(trimsuffix(google_cloud_scheduler_job.this[0].attempt_deadline, "s")) > var.timeout_seconds
    error_message = "The attempt's deadline lies beyond the service's time-out."
  }
}

run "each_shard_has_a_job" {
  command = plan

  variables {
    inputs = ["{\"of\":2,\"shard\":0}", "{\"of\":2,\"shard\":1}"]
  }

  assert {
    condition     = [for job in google_cloud_scheduler_job.this : job.name] == ["oauth-scheduled-refresh-0", "oauth-scheduled-refresh-1"]
    error_message = "Jobs are numbered."
  }
  assert {
    condition     = [for job in google_cloud_scheduler_job.this : base64decode(job.http_target[0].body)] == [for input in var.inputs : input]
    error_message = "Each sends which shard it is."
  }
  assert {
    condition     = [for trigger in output.triggers : trigger.body] == [for input in var.inputs : input]
    error_message = "And the output says so."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    # A wait that cloud scheduler does not offer is refused.
    timeout_seconds = 1771
    # A url with a path is no audience.
    url = "https://oauth-scheduled-refresh-123456789012.us-central1.run.app/"
    # No input at all is refused.
    inputs = []
  }

  expect_failures = [var.timeout_seconds, var.url, var.inputs]
}
