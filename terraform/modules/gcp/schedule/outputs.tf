# What was scheduled.

output "jobs" {
  description = "The jobs: name, and the id that commands take."
  value       = [for job in google_cloud_scheduler_job.this : { name = job.name, id = job.id }]
}

output "triggers" {
  description = "What each job sends: name, url, audience, schedule, body (text; null: none)."
  value = [
    for job in google_cloud_scheduler_job.this : {
      name     = job.name
      url      = job.http_target[0].uri
      audience = job.http_target[0].oidc_token[0].audience
      schedule = job.schedule
      body     = try(base64decode(job.http_target[0].body), null)
    }
  ]
}
