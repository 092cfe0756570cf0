# The one way that there is, and that none leads in.

mock_provider "google" {}

variables {
  project = "demo-project"
  prefix  = "staging-2"
}

run "functions_go_through_the_connector_by_default_and_nothing_comes_in" {
  command = plan

  assert {
    condition     = google_vpc_access_connector.redis[0].name == "staging-2-redis-connector" && length(google_vpc_access_connector.redis[0].name) <= 25
    error_message = "The connector has another name, or one that is too long for Google."
  }

  assert {
    condition     = google_compute_subnetwork.functions["connector"].ip_cidr_range == "10.8.0.0/28" && google_vpc_access_connector.redis[0].subnet[0].name == google_compute_subnetwork.functions["connector"].name
    error_message = "The connector has no /28 of its own."
  }

  assert {
    condition     = output.vpc_access.network == null && output.vpc_access.subnetwork == null
    error_message = "A function would get a connector and an interface."
  }

  assert {
    condition = (
      google_compute_firewall.deny_ingress.direction == "INGRESS" && google_compute_firewall.deny_ingress.source_ranges == toset(["0.0.0.0/0"]) &&
      anytrue([for rule in google_compute_firewall.deny_ingress.deny : rule.protocol == "all"]) && length(google_compute_firewall.deny_ingress.allow) == 0
    )
    error_message = "Something may come in."
  }

  assert {
    condition     = google_compute_network.this.auto_create_subnetworks == false
    error_message = "The network has subnetworks in every region."
  }
}

run "functions_go_by_themselves_with_direct_egress" {
  # Applied to the mock, so that the network has an id to compare.
  command = apply

  variables {
    egress = "direct"
  }

  assert {
    condition     = length(google_vpc_access_connector.redis) == 0 && output.vpc_access.connector == null
    error_message = "There is a connector to pay for."
  }

  assert {
    condition     = google_compute_subnetwork.functions["direct"].ip_cidr_range == "10.8.1.0/24"
    error_message = "The subnetwork is too small for the instances of two revisions."
  }

  assert {
    condition     = output.vpc_access.network == google_compute_network.this.id && output.vpc_access.subnetwork == google_compute_subnetwork.functions["direct"].id
    error_message = "A function would get into another network."
  }
}

run "redis_gets_the_range_that_it_is_told" {
  command = plan

  variables {
    services_cidr = "10.64.0.0/20"
  }

  assert {
    condition = (
      google_compute_global_address.services.address == "10.64.0.0" && google_compute_global_address.services.prefix_length == 20 &&
      google_compute_global_address.services.purpose == "VPC_PEERING"
    )
    error_message = "Google puts Redis into another range."
  }

  assert {
    condition     = google_service_networking_connection.services.reserved_peering_ranges == tolist([google_compute_global_address.services.name])
    error_message = "The peering uses another range."
  }

  assert {
    condition     = google_service_networking_connection.services.deletion_policy == "ABANDON" && google_service_networking_connection.services.update_on_creation_fail
    error_message = "The network could not be taken away, or not be made a second time."
  }
}

run "refuses_a_connector_in_another_range_than_a_28" {
  command = plan

  variables {
    subnet_cidr = "10.8.0.0/24"
  }

  expect_failures = [var.subnet_cidr]
}

run "refuses_direct_egress_without_room" {
  command = plan

  variables {
    egress      = "direct"
    subnet_cidr = "10.8.0.0/28"
  }

  expect_failures = [var.subnet_cidr]
}

run "refuses_a_connector_that_can_not_grow_and_a_way_that_does_not_exist" {
  command = plan

  variables {
    connector = { max_instances = 2 }
    egress    = "nat"
  }

  expect_failures = [var.connector, var.egress]
}
