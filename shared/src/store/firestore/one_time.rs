//! One-time entries in Firestore: deleted on condition that nobody was quicker, and never twice.

use async_trait::async_trait;

use super::fields::{Fields, text, time};
use super::link::Committed;
use super::write::When;
use super::{Firestore, ONE_TIME, TRIES, contended, digest_id, path};
use crate::domain::Timestamp;
use crate::store::{OneTime, OneTimes, Space, StoreError};

#[async_trait]
impl OneTimes for Firestore {
    async fn put_once(&self, entry: &OneTime) -> Result<(), StoreError> {
        let mut fields = Fields::default();
        fields.set("tenantId", text(entry.tenant_id.as_str()));
        fields.set("sealed", text(entry.sealed.as_str()));
        fields.set("expireAt", time(entry.expires_at));
        let place = place(entry.space, &entry.id);
        self.commit_always(vec![self.put(&place, fields, When::Always)]).await
    }

    async fn take_once(&self, space: Space, id: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let place = place(space, id);
        for tried in 0..TRIES {
            let Some(found) = self.get_one(place.clone()).await? else { return Ok(None) };
            let read = found.fields.of("one-time entry", &found.id);
            let (sealed, end) = (read.text("sealed")?, read.time("expireAt")?);
            let delete = self.delete(&place, When::as_read(found.update_time));
            // Not said again after a lost answer: whether it was taken is not known then.
            match self.link.commit_once(vec![delete]).await? {
                Committed::Done(_) => return Ok((end > now).then_some(sealed)),
                Committed::Conflict => self.lost(tried).await,
            }
        }
        Err(contended())
    }
}

/// The id may hold anything: it comes from a browser. Nor is it to be read in the store.
fn place(space: Space, id: &str) -> String {
    path(ONE_TIME, &digest_id(&[space.as_str(), id]))
}
