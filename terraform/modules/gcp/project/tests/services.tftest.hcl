# The APIs that are turned on, and that they stay on.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project = "demo-project"
}

run "turns_on_what_the_modules_need_and_nothing_off" {
  command = plan

  assert {
    condition = length(setsubtract([
      "run.googleapis.com", "apigateway.googleapis.com", "cloudscheduler.googleapis.com", "firestore.googleapis.com", "cloudkms.googleapis.com",
      "secretmanager.googleapis.com", "redis.googleapis.com", "vpcaccess.googleapis.com", "sts.googleapis.com",
    ], keys(google_project_service.this))) == 0
    error_message = "An API that a module needs is not turned on."
  }

  assert {
    condition     = alltrue([for service in google_project_service.this : service.disable_on_destroy == false && service.disable_dependent_services == false])
    error_message = "Destroying would turn off an API that others may use."
  }
}

run "turns_on_no_more_than_it_is_told" {
  command = plan

  variables {
    services = ["cloudkms.googleapis.com", "firestore.googleapis.com"]
  }

  assert {
    condition     = toset(keys(google_project_service.this)) == toset(["cloudkms.googleapis.com", "firestore.googleapis.com"])
    error_message = "Other APIs than those named are turned on."
  }

  assert {
    condition     = output.id == "demo-project" && output.number == "123456789012"
    error_message = "The outputs are not the project's id and number."
  }
}

run "refuses_an_api_that_is_not_named_in_full_and_a_number_for_an_id" {
  command = plan

  variables {
    services = ["firestore"]
    project  = "123456789012"
  }

  expect_failures = [var.services, var.project]
}
