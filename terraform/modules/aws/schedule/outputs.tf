# What there is, for the monitoring and for whoever checks it.

output "schedules" {
  description = "Every schedule by name: `expression`, and the `input` that the function is sent (null: EventBridge's own event)."
  value = {
    for schedule in aws_scheduler_schedule.this : schedule.name => {
      expression = schedule.schedule_expression
      input      = try(coalesce(schedule.target[0].input), null) # read back, none is an empty text
    }
  }
}

output "group" {
  description = "Name of the group that the schedules are in."
  value       = aws_scheduler_schedule_group.this.name
}

output "dead_letter_queue" {
  description = "Name of the queue that runs end up in which nobody began or which failed each time. It should be empty."
  value       = aws_sqs_queue.dead_letters.name
}

output "dead_letter_queue_url" {
  description = "URL of that queue, to read from it."
  value       = aws_sqs_queue.dead_letters.url
}
