//! Adopting what an earlier service wrote: every document is looked at once, in the order of their names.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::fields::{Fields, text};
use super::query::Query;
use super::write::When;
use super::{CONNECTIONS, Firestore, RUNS, documents, path};
use crate::store::{Adoption, EarlierPage, StoreError};

/// The document that says how far it has come.
const PROGRESS: &str = "adoption";

#[async_trait]
impl Adoption for Firestore {
    async fn unadopted(&self, limit: usize) -> Result<Option<EarlierPage>, StoreError> {
        if self.all_adopted().await? {
            return Ok(None);
        }
        let mut query = Query::of(CONNECTIONS).limit(limit);
        if let Some(after) = self.progress().await?.of("progress", PROGRESS).text_or_none("after")? {
            query = query.after(None, after);
        }
        let found = self.query(query).await?;
        let end = found.last().filter(|_| found.len() >= limit).map(|last| last.id.clone());
        let docs = found.iter().map(documents::connection).collect::<Result<Vec<_>, _>>()?;
        let earlier = docs.into_iter().filter(|doc| doc.earlier).collect();
        let connections = self.join(earlier, HashMap::new()).await?;
        Ok(Some(EarlierPage { connections, end }))
    }

    async fn page_adopted(&self, page: &EarlierPage) -> Result<(), StoreError> {
        let mut fields = Fields::default();
        match &page.end {
            Some(end) => fields.set("after", text(end.as_str())),
            None => fields.set("done", text("yes")),
        }
        self.link.commit(vec![self.put(&path(RUNS, PROGRESS), fields, When::Always)]).await?;
        Ok(())
    }
}

impl Firestore {
    /// Whether everything that an earlier service wrote has been looked at, so that selections are complete.
    pub(super) async fn all_adopted(&self) -> Result<bool, StoreError> {
        if self.adopted.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let done = self.progress().await?.of("progress", PROGRESS).has("done");
        if done {
            self.adopted.store(true, Ordering::Relaxed);
        }
        Ok(done)
    }

    async fn progress(&self) -> Result<Fields, StoreError> {
        let found = self.get_one(path(RUNS, PROGRESS)).await?;
        Ok(found.map(|found| found.fields).unwrap_or_default())
    }
}
