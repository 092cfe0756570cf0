# Every index and every time-to-live policy of the definition is planned, and nothing else. What is expected is computed from the file.

mock_provider "google" {}

variables {
  project = "demo-project"
  prefix  = "dev"
  users   = {}
}

run "every_index_field_and_time_to_live_policy_of_the_file_is_planned" {
  command = plan

  assert {
    condition = toset([
      for index in google_firestore_index.this : jsonencode([
        index.collection, index.query_scope, [for field in index.fields : [field.field_path, field.order, field.array_config]],
      ])
      ]) == toset([
      for index in jsondecode(file("${path.module}/../../../../infra/firestore/firestore.indexes.json")).indexes : jsonencode([
        index.collectionGroup, index.queryScope, [for field in index.fields : [field.fieldPath, lookup(field, "order", null), lookup(field, "arrayConfig", null)]],
      ])
    ])
    error_message = "The planned indexes are not those of the file."
  }

  assert {
    condition     = length(google_firestore_index.this) > 0 && alltrue([for index in google_firestore_index.this : index.database == "dev-oauth"])
    error_message = "There is no index, or it is in another database."
  }

  assert {
    condition = toset([
      for field in google_firestore_field.this : "${field.collection}.${field.field}" if length(field.ttl_config) == 1
      ]) == toset([
      for field in jsondecode(file("${path.module}/../../../../infra/firestore/firestore.indexes.json")).fieldOverrides :
      "${field.collectionGroup}.${field.fieldPath}" if lookup(field, "ttl", false)
    ])
    error_message = "The planned time-to-live policies are not those of the file."
  }

  assert {
    condition     = contains([for field in google_firestore_field.this : "${field.collection}.${field.field}" if length(field.ttl_config) == 1], "oauth_one_time.expireAt")
    error_message = "Attempts are not deleted when they have ended."
  }

  assert {
    condition = toset(flatten([
      for field in google_firestore_field.this : [
        for index in concat(tolist(field.index_config[0].indexes), [{ query_scope = "", order = null, array_config = null }]) :
        jsonencode([field.collection, field.field, index.query_scope, index.order, index.array_config])
      ]
      ])) == toset(flatten([
      for field in jsondecode(file("${path.module}/../../../../infra/firestore/firestore.indexes.json")).fieldOverrides : [
        for index in concat([for each in field.indexes : each], [{ queryScope = "" }]) :
        jsonencode([field.collectionGroup, field.fieldPath, index.queryScope, lookup(index, "order", null), lookup(index, "arrayConfig", null)])
      ]
    ]))
    error_message = "The planned fields, or their indexes, are not those of the file."
  }
}

run "automatic_indexes_are_off_in_every_collection" {
  command = plan

  assert {
    condition = toset([
      for field in google_firestore_field.this : field.collection if field.field == "*" && length(field.index_config[0].indexes) == 0
      ]) == toset(concat(
      [for index in google_firestore_index.this : index.collection],
      [for field in google_firestore_field.this : field.collection],
    ))
    error_message = "A collection has automatic indexes, also of ciphertext and of times that only rise."
  }
}

run "another_file_gives_other_indexes" {
  command = plan

  variables {
    indexes_file = "tests/other.indexes.json"
  }

  assert {
    condition     = keys(google_firestore_index.this) == ["things(tags contains, at descending)"] && google_firestore_index.this["things(tags contains, at descending)"].query_scope == "COLLECTION_GROUP"
    error_message = "The index of the other file is not planned."
  }

  assert {
    condition     = length(google_firestore_field.this) == 1 && length(google_firestore_field.this["things.expireAt"].ttl_config) == 1
    error_message = "The policy of the other file is not planned."
  }
}

run "refuses_an_index_that_it_can_not_make" {
  command = plan

  variables {
    indexes_file = "tests/unknown.indexes.json"
  }

  expect_failures = [google_firestore_index.this]
}
