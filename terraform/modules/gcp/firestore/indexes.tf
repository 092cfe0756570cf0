# The indexes and the time-to-live policies of infra/firestore/firestore.indexes.json, which the code's own tests hold against its queries.

locals {
  definitions = jsondecode(file(coalesce(var.indexes_file, "${path.module}/../../../../infra/firestore/firestore.indexes.json")))

  # Keys say what an index is, so that one more in the file moves no other.
  indexes = {
    for index in local.definitions.indexes :
    "${index.collectionGroup}(${join(", ", [
      for field in index.fields : "${field.fieldPath} ${lower(try(field.arrayConfig, field.order, "unknown"))}"
    ])})" => index
  }

  fields = { for field in local.definitions.fieldOverrides : "${field.collectionGroup}.${field.fieldPath}" => field }
}

resource "google_firestore_index" "this" {
  for_each = local.indexes

  project     = var.project
  database    = google_firestore_database.this.name
  collection  = each.value.collectionGroup
  query_scope = try(each.value.queryScope, "COLLECTION")

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }

  # One after the other: in a new database, indexes that are made while fields of the same collections change are refused with
  # 409, "too much contention".
  depends_on = [google_firestore_field.this]

  lifecycle {
    precondition {
      condition     = alltrue([for field in each.value.fields : length(setintersection(keys(field), ["order", "arrayConfig"])) == 1])
      error_message = "The index ${each.key} has a field with neither order nor arrayConfig, or both; this module knows no other kind."
    }
  }
}

resource "google_firestore_field" "this" {
  for_each = local.fields

  project    = var.project
  database   = google_firestore_database.this.name
  collection = each.value.collectionGroup

  # "*" is every field of the collection that has no entry of its own.
  field = each.value.fieldPath

  # Without an entry in it, this block switches the automatic indexes off; without the block they would stay on.
  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes

      content {
        query_scope  = try(indexes.value.queryScope, "COLLECTION")
        order        = try(indexes.value.order, null)
        array_config = try(indexes.value.arrayConfig, null)
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []
    content {}
  }
}
