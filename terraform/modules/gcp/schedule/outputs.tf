# What was scheduled.

output "jobs" {
  description = "The jobs: name, and the id that commands take."
  value       = [for job in google_cloud_scheduler_job.this : { name = job.name, id = job.id }]
}

output "triggers" {
  description = "What each job sends: name, url, audience, account, schedule, wait (seconds), body (text; null: none)."
  value = [
    for job in google_cloud_scheduler_job.this : {
      name     = job.name
      url      = job.http_target[0].uri
      audience = job.http_target[0].oidc_token[0].audience
      account  = job.http_target[0].oidc_token[0].service_account_email
      schedule = job.schedule
      wait     = tonumber(trimsuffix(job.attempt_deadline, "s"))
      body     = try(base64decode(job.http_target[0].body), null)
    }
  ]
}
