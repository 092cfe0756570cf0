//! Writes, each on its condition; a commit makes several of them one.

use gcloud_sdk::google::firestore::v1::document_transform::FieldTransform;
use gcloud_sdk::google::firestore::v1::document_transform::field_transform::TransformType;
use gcloud_sdk::google::firestore::v1::precondition::ConditionType;
use gcloud_sdk::google::firestore::v1::write::Operation;
use gcloud_sdk::google::firestore::v1::{Document, DocumentMask, Precondition, Write};

use super::fields::{Fields, number};
use super::{Firestore, TRIES, contended};
use crate::store::StoreError;

/// How many writes one commit has at most, where there may be any number.
pub(super) const BATCH: usize = 300;

/// What must be true of a document for it to be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// Nothing.
    Always,
    /// It is not there.
    Absent,
    /// Nobody has written it since it was read.
    Unchanged(prost_types::Timestamp),
}

impl When {
    /// As it was read: unchanged, or still absent.
    pub(super) fn as_read(update_time: Option<prost_types::Timestamp>) -> Self {
        update_time.map_or(Self::Absent, Self::Unchanged)
    }

    fn condition(self) -> Option<Precondition> {
        let condition = match self {
            Self::Always => return None,
            Self::Absent => ConditionType::Exists(false),
            Self::Unchanged(at) => ConditionType::UpdateTime(at),
        };
        Some(Precondition { condition_type: Some(condition) })
    }
}

impl Firestore {
    /// Writes a whole document.
    pub(super) fn put(&self, path: &str, fields: Fields, when: When) -> Write {
        #[cfg(test)]
        super::tests::indexes::assert_spread(path, &fields);
        Write {
            operation: Some(Operation::Update(Document {
                name: self.link.name(path),
                fields: fields.0,
                ..Default::default()
            })),
            current_document: when.condition(),
            ..Default::default()
        }
    }

    /// Deletes a document.
    pub(super) fn delete(&self, path: &str, when: When) -> Write {
        Write {
            operation: Some(Operation::Delete(self.link.name(path))),
            current_document: when.condition(),
            ..Default::default()
        }
    }

    /// Sets some fields of a document that may not exist yet, and adds to a number in it.
    pub(super) fn add(&self, path: &str, fields: Fields, counter: &str, count: i64) -> Write {
        Write {
            update_mask: Some(DocumentMask { field_paths: fields.0.keys().cloned().collect() }),
            update_transforms: vec![FieldTransform {
                field_path: counter.to_owned(),
                transform_type: Some(TransformType::Increment(number(count))),
            }],
            ..self.put(path, fields, When::Always)
        }
    }

    /// Writes what has no condition; where others were in the way, it is said again.
    pub(super) async fn commit_always(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        for tried in 0..TRIES {
            if self.link.commit(writes.clone()).await?.is_done() {
                return Ok(());
            }
            self.lost(tried).await;
        }
        Err(contended())
    }
}
