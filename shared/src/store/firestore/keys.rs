//! Wrapped data keys in Firestore: one document a key, and one an owner with the active key in it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::fields::{Fields, bytes, text, time};
use super::link::Snapshot;
use super::query::Query;
use super::write::When;
use super::{
    CONNECTIONS, CREDENTIALS, DATA_KEYS, Firestore, KEY_OWNERS, REVOCATIONS, TRIES, contended, digest_id,
    documents, path,
};
use crate::domain::{Credential, TenantId};
use crate::store::{DataKeys, KeyOwner, KeyUse, Page, StoreError, WrappedKey};

/// How many counts are under way at once.
const AT_ONCE: usize = 8;
/// How long after its retirement a key may still seal: whoever holds it unwrapped lets go of it long before.
const STILL_SEALS: Duration = Duration::from_secs(60 * 60);

/// What a key's document says of it: it seals what is new,
const ACTIVE: &str = "active";
/// it may still open something,
const RETIRED: &str = "retired";
/// or nothing is sealed with it any more.
const DRAINED: &str = "drained";

#[async_trait]
impl DataKeys for Firestore {
    async fn key(&self, id: &str) -> Result<Option<WrappedKey>, StoreError> {
        self.get_one(path(DATA_KEYS, id)).await?.map(|found| key(&found)).transpose()
    }

    async fn active_key(&self, owner: &KeyOwner) -> Result<Option<WrappedKey>, StoreError> {
        self.get_one(owner_path(owner)).await?.map(|found| key(&found)).transpose()
    }

    async fn add_key(&self, new: &WrappedKey, replaces: Option<&str>) -> Result<WrappedKey, StoreError> {
        let place = owner_path(&new.owner);
        let old_path = replaces.map(|id| path(DATA_KEYS, id));
        let paths: Vec<_> = [Some(place.clone()), old_path.clone()].into_iter().flatten().collect();
        for tried in 0..TRIES {
            let mut got = self.link.get(&paths).await?;
            let now = self.time.at(got.at);
            let held = got.take(&place);
            if let Some(active) = held.as_ref().map(key).transpose()?
                && Some(active.id.as_str()) != replaces
            {
                return Ok(active);
            }
            // Where `replaces` was destroyed meanwhile there is no winner to answer with: the new key is it.
            let mut writes = vec![
                self.put(&place, owner_fields(new), When::as_read(held.and_then(|held| held.update_time))),
                self.put(&path(DATA_KEYS, &new.id), key_fields(new), When::Absent),
            ];
            if let Some((path, old)) = old_path.as_ref().and_then(|path| Some((path, got.take(path)?))) {
                let mut fields = old.fields;
                fields.set("state", text(RETIRED));
                fields.set("retiredAt", time(now));
                writes.push(self.put(path, fields, When::as_read(old.update_time)));
            }
            if self.link.commit(writes).await?.is_done() {
                return Ok(new.clone());
            }
            self.lost(tried).await;
        }
        Err(contended())
    }

    async fn key_uses(&self, tenant: Option<&TenantId>) -> Result<Vec<KeyUse>, StoreError> {
        let mut query = Query::of(DATA_KEYS);
        if let Some(tenant) = tenant {
            query = query.equal("tenantId", text(tenant.as_str()));
        }
        let keys = self.query_all(query).await?;
        let mut asked = Vec::with_capacity(keys.len());
        for found in &keys {
            asked.push(self.key_use(found).boxed());
        }
        let mut uses = stream::iter(asked).buffered(AT_ONCE).try_collect::<Vec<_>>().await?;
        uses.sort_by(|one, other| {
            (other.key.created_at, &one.key.id).cmp(&(one.key.created_at, &other.key.id))
        });
        Ok(uses)
    }

    /// Key by key, and of each first the connections' documents: what it costs follows what old keys still
    /// seal. A key that seals nothing any more is not asked for again.
    async fn sealed_with_old_keys(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Credential>, StoreError> {
        let limit = limit.max(1);
        let mut at = match after {
            Some(cursor) => Some(Cursor::parse(cursor)?),
            None => self.retired_after("").await?,
        };
        let mut items = Vec::new();
        while let Some(mut cursor) = at {
            let wanted = limit - items.len();
            let found = self.query(cursor.query().limit(wanted)).await?;
            for each in &found {
                items.extend(cursor.credential(each)?);
            }
            if let Some(last) = found.last() {
                cursor.after.clone_from(&last.id);
                cursor.seals_nothing = false;
            }
            if found.len() == wanted {
                return Ok(Page { items, next: Some(cursor.to_string()) });
            }
            if cursor.seals_nothing && cursor.apart {
                self.drained(&cursor.key).await?;
            }
            at = match cursor.apart {
                false => Some(Cursor { apart: true, after: String::new(), ..cursor }),
                true => self.retired_after(&cursor.key).await?,
            };
        }
        Ok(Page { items, next: None })
    }

    async fn destroy_keys(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let of_tenant = |collection| Query::of(collection).equal("tenantId", text(tenant.as_str()));
        self.delete_found(&of_tenant(REVOCATIONS)).await?;
        let owner = owner_path(&KeyOwner::Tenant(tenant.clone()));
        self.commit_always(vec![self.delete(&owner, When::Always)]).await?;
        self.delete_found(&of_tenant(DATA_KEYS)).await
    }
}

impl Firestore {
    /// A key, and how many documents it seals.
    async fn key_use(&self, found: &Snapshot) -> Result<KeyUse, StoreError> {
        let own = self.count(sealed_with(CONNECTIONS, &found.id)).await?;
        let apart = self.count(sealed_with(CREDENTIALS, &found.id)).await?;
        let active = found.fields.of("data key", &found.id).text("state")? == ACTIVE;
        Ok(KeyUse { key: key(found)?, active, credentials: own + apart })
    }

    /// Where the next retired key begins that may still seal something.
    async fn retired_after(&self, key: &str) -> Result<Option<Cursor>, StoreError> {
        let mut query = Query::of(DATA_KEYS).equal("state", text(RETIRED)).limit(1);
        if !key.is_empty() {
            query = query.after(None, key);
        }
        let found = self.query(query).await?.pop();
        Ok(found.map(|found| Cursor {
            key: found.id,
            apart: false,
            after: String::new(),
            seals_nothing: true,
        }))
    }

    /// Notes that a key seals nothing, if it has been retired for so long that this stays so.
    async fn drained(&self, key: &str) -> Result<(), StoreError> {
        let place = path(DATA_KEYS, key);
        let mut got = self.link.get(std::slice::from_ref(&place)).await?;
        let now = self.time.at(got.at);
        let Some(mut found) = got.take(&place) else { return Ok(()) };
        let retired_at = found.fields.of("data key", &found.id).time_or_none("retiredAt")?;
        if retired_at.is_some_and(|at| at + STILL_SEALS <= now) {
            found.fields.set("state", text(DRAINED));
            // If somebody else wrote to it, the next run notes it.
            self.link.commit(vec![self.put(&place, found.fields, When::as_read(found.update_time))]).await?;
        }
        Ok(())
    }
}

/// How far the search for what a retired key seals has come.
struct Cursor {
    key: String,
    /// Among credentials with documents of their own; else among connections.
    apart: bool,
    /// Behind this document; empty: at the first.
    after: String,
    /// Whether this search has seen all of the key so far, and nothing in it.
    seals_nothing: bool,
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, StoreError> {
        let mut parts = text.splitn(3, '.');
        let (Some(key), Some(stage @ ("own" | "apart")), Some(after)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(StoreError::Malformed {
                what: "cursor",
                id: text.to_owned(),
                problem: "it does not come from a page of credentials".to_owned(),
            });
        };
        Ok(Self {
            key: key.to_owned(),
            apart: stage == "apart",
            after: after.to_owned(),
            seals_nothing: false,
        })
    }

    fn query(&self) -> Query {
        let query = sealed_with(if self.apart { CREDENTIALS } else { CONNECTIONS }, &self.key);
        if self.after.is_empty() { query } else { query.after(None, self.after.as_str()) }
    }

    fn credential(&self, of: &Snapshot) -> Result<Option<Credential>, StoreError> {
        match self.apart {
            true => Ok(Some(documents::credential(of)?.credential)),
            false => Ok(documents::connection(of)?.own),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.key, if self.apart { "apart" } else { "own" }, self.after)
    }
}

fn sealed_with(collection: &'static str, key: &str) -> Query {
    Query::of(collection).contains("keyIds", text(key))
}

fn owner_path(owner: &KeyOwner) -> String {
    path(KEY_OWNERS, &digest_id(&[&owner.as_text()]))
}

/// What an owner's document says of its active key.
fn owner_fields(key: &WrappedKey) -> Fields {
    let mut fields = Fields::default();
    fields.set("id", text(key.id.as_str()));
    fields.set("owner", text(key.owner.as_text()));
    fields.set("wrapped", bytes(key.wrapped.clone()));
    fields.set("createdAt", time(key.created_at));
    fields
}

/// The same, and what only the key's own document says.
fn key_fields(key: &WrappedKey) -> Fields {
    let mut fields = owner_fields(key);
    fields.set("state", text(ACTIVE));
    match &key.owner {
        KeyOwner::Service => {}
        KeyOwner::Tenant(tenant) => fields.set("tenantId", text(tenant.as_str())),
    }
    fields
}

/// The key that a key's or an owner's document holds.
fn key(of: &Snapshot) -> Result<WrappedKey, StoreError> {
    let read = of.fields.of("data key", &of.id);
    let owner = read.text("owner")?;
    Ok(WrappedKey {
        id: read.text("id")?,
        owner: KeyOwner::from_text(&owner).ok_or_else(|| read.malformed(format!("{owner} is no owner")))?,
        wrapped: read.bytes("wrapped")?,
        created_at: read.time("createdAt")?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Time, tests};
    use super::*;
    use crate::store::Connections as _;
    use crate::testing::{TestClock, build};

    #[tokio::test]
    async fn a_key_that_has_long_sealed_nothing_is_not_asked_for_again() {
        let clock = Arc::new(TestClock::new());
        let Some((store, _emulator)) = tests::open(Time::Clock(clock.clone())) else { return };
        store.connect(&build::connection(1), build::NOW, &[]).await.unwrap();
        let owner = KeyOwner::Tenant(build::tenant("acme"));
        for (id, replaces) in [("idle", None), ("key-1", Some("idle")), ("new", Some("key-1"))] {
            let owner = owner.clone();
            let key = WrappedKey { id: id.to_owned(), owner, wrapped: vec![1], created_at: build::NOW };
            store.add_key(&key, replaces).await.unwrap();
        }
        let state = async |id: &str| {
            let found = store.get_one(path(DATA_KEYS, id)).await.unwrap().unwrap();
            found.fields.of("data key", id).text("state").unwrap()
        };
        let sealed = async || store.sealed_with_old_keys(None, 10).await.unwrap().items.len();
        assert_eq!((sealed().await, state("idle").await), (1, RETIRED.to_owned()));
        clock.advance(STILL_SEALS);
        assert_eq!((sealed().await, state("idle").await), (1, DRAINED.to_owned()));
        assert_eq!((state("key-1").await, state("new").await), (RETIRED.to_owned(), ACTIVE.to_owned()));
        // It opens what a backup brings back.
        assert!(store.key("idle").await.unwrap().is_some());
        assert!(store.sealed_with_old_keys(Some("yesterday"), 10).await.is_err());
    }
}
