# What Google would say: the project has a number.

mock_data "google_project" {
  defaults = { number = "123456789" }
}
