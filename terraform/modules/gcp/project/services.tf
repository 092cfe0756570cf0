# Turns on the APIs that the service needs, and reads the project's number, of which addresses and federated names are made.

# The resource manager's own API has to be on before anything here can be read; `make deploy` sees to that.
data "google_project" "this" {
  project_id = var.project
}

resource "google_project_service" "this" {
  for_each = var.services

  project = var.project
  service = each.value

  # Others in the project may use the API too; and turning one off ends what runs on it.
  disable_on_destroy         = false
  disable_dependent_services = false
}
