# A faulty list, and faulty sizes, are refused.

run "a_faulty_list_is_refused" {
  command = plan

  variables {
    file = "./tests/lists/faulty.yaml"
  }

  expect_failures = [output.functions]
}

run "a_list_that_is_not_there_is_refused" {
  command = plan

  variables {
    file = "./tests/lists/none.yaml"
  }

  expect_failures = [output.functions]
}

run "sizes_for_a_function_that_is_not_there_are_refused" {
  command = plan

  variables {
    sizes = { token-set = { memory = 512 } }
  }

  expect_failures = [var.sizes]
}

run "more_shards_than_the_store_has_are_refused" {
  command = plan

  variables {
    sizes = { scheduled-refresh = { shards = 17 } }
  }

  expect_failures = [var.sizes]
}

run "shards_of_what_is_not_scheduled_are_refused" {
  command = plan

  variables {
    sizes = { token-get = { shards = 2 } }
  }

  expect_failures = [var.sizes]
}

run "a_longer_time_out_of_what_is_not_scheduled_is_refused" {
  command = plan

  variables {
    sizes = { token-get = { timeout = 60 } }
  }

  expect_failures = [var.sizes]
}

run "fewer_instances_at_most_than_at_least_are_refused" {
  command = plan

  variables {
    sizes = { token-get = { min_instances = 11 } }
  }

  expect_failures = [var.sizes]
}

run "a_time_out_that_lambda_does_not_have_is_refused" {
  command = plan

  variables {
    sizes = { scheduled-refresh = { timeout = 901 } }
  }

  expect_failures = [var.sizes]
}

run "an_id_that_no_provider_has_is_refused" {
  command = plan

  variables {
    provider_ids = ["Slack"]
  }

  expect_failures = [var.provider_ids]
}
