# API Gateway's own agent, which makes the tokens that the gateway calls functions with.

# Google makes it, and gives it its role, at some time after the API is on: in a new project that may be after the first gateway.
resource "google_project_service_identity" "api_gateway" {
  provider = google-beta

  project = var.project
  service = "apigateway.googleapis.com"
}

# Here and not with the gateway, as every gateway of the project needs it: what is here outlives `make destroy` of one of them.
resource "google_project_iam_member" "api_gateway" {
  #checkov:skip=CKV_GCP_49:This is Google's own agent in the role that Google gives it itself, and without it no gateway can call a function.
  project = var.project
  role    = "roles/apigateway.serviceAgent"
  member  = google_project_service_identity.api_gateway.member
}
