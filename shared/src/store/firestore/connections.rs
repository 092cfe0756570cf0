//! Connections in Firestore.

use std::collections::HashMap;

use async_trait::async_trait;

use super::documents::{self, ConnectionDoc, connection_path, credential_path};
use super::fields::{Fields, name, number, text, time};
use super::link::Snapshot;
use super::query::Query;
use super::selection::{Selection, selection_path};
use super::{CONNECTIONS, Firestore, TRIES, contended};
use crate::domain::{
    Account, Connection, ConnectionId, Credential, CredentialId, Event, ProviderId, Status, TenantId,
    Timestamp, UserId,
};
use crate::store::{Connect, Connections, Filter, HealthWrite, Page, StoreError, Tally};

/// How many documents one call of `list` reads at most for a filter that no index serves.
const SCAN: usize = 2000;

#[async_trait]
impl Connections for Firestore {
    async fn connect(
        &self,
        connection: &Connection,
        next_probe_at: Timestamp,
        events: &[Event],
    ) -> Result<Connect, StoreError> {
        self.connect_all(connection, next_probe_at, events).await
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let Some(doc) = self.connection_doc(id).await? else { return Ok(None) };
        Ok(self.join(vec![doc], HashMap::new()).await?.pop())
    }

    async fn find(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: &ProviderId,
        account: &Account,
    ) -> Result<Option<Connection>, StoreError> {
        let all = self.select(tenant, user, provider).await?;
        let holds = |each: &Connection| {
            each.account.user_id == account.user_id && each.account.team_id == account.team_id
        };
        Ok(all.into_iter().find(holds))
    }

    async fn select(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: &ProviderId,
    ) -> Result<Vec<Connection>, StoreError> {
        if !self.all_adopted().await? {
            // What an earlier service wrote stands in no selection yet.
            let query = Query::of(CONNECTIONS)
                .equal("tenantId", text(tenant.as_str()))
                .equal("userId", text(user.as_str()))
                .equal("provider", text(provider.as_str()));
            let docs = read_all(&self.query(query).await?)?;
            return self.join(docs, HashMap::new()).await;
        }
        let place = selection_path(tenant, user, provider);
        let selection = Selection::read(self.get_one(place).await?)?;
        let mut paths: Vec<_> = selection.entries().iter().map(|each| connection_path(each.id)).collect();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let others: Vec<_> = selection.entries().iter().flat_map(|each| &each.others).collect();
        paths.extend(others.iter().map(|id| credential_path(id)));
        let mut got = self.link.get(&paths).await?;
        let known = read_credentials(others.iter().filter_map(|id| got.take(&credential_path(id))))?;
        let found: Vec<_> = paths.iter().filter_map(|path| got.take(path)).collect();
        self.join(read_all(&found)?, known).await
    }

    async fn list(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Connection>, StoreError> {
        let limit = limit.max(1);
        let mut last = after.map(cursor).transpose()?;
        let mut items = Vec::new();
        let mut read = 0;
        loop {
            let mut query = page(filter).limit(limit + 1);
            if let Some(last) = last {
                query = query.after(None, last.to_string());
            }
            let docs = read_all(&self.query(query).await?)?;
            read += docs.len();
            let at_end = docs.len() <= limit;
            for connection in self.join(docs, HashMap::new()).await? {
                if items.len() == limit {
                    return Ok(Page { items, next: last.map(|id: ConnectionId| id.to_string()) });
                }
                last = Some(connection.id);
                if expires_in_time(filter, &connection) {
                    items.push(connection);
                }
            }
            if at_end {
                return Ok(Page { items, next: None });
            }
            // A page that is short says so by its cursor.
            if read >= SCAN {
                return Ok(Page { items, next: last.map(|id| id.to_string()) });
            }
        }
    }

    async fn due_probes(
        &self,
        shard: u8,
        before: Timestamp,
        after: Option<(Timestamp, ConnectionId)>,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Connection)>, StoreError> {
        let mut query = Query::of(CONNECTIONS)
            .equal("probeShard", number(shard.into()))
            .less("nextProbeAt", time(before))
            .ascending("nextProbeAt")
            .limit(limit);
        if let Some((at, id)) = after {
            query = query.after(Some(time(at)), id.to_string());
        }
        let docs = read_all(&self.query(query).await?)?;
        let due: HashMap<_, _> = docs.iter().map(|doc| (doc.connection.id, doc.next_probe_at)).collect();
        let connections = self.join(docs, HashMap::new()).await?;
        let with_time = |each: Connection| Some((due.get(&each.id).copied().flatten()?, each));
        Ok(connections.into_iter().filter_map(with_time).collect())
    }

    async fn set_health(&self, write: &HealthWrite) -> Result<bool, StoreError> {
        let (tested, version) = &write.tested;
        for tried in 0..TRIES {
            let Some(mut doc) = self.connection_doc(write.connection_id).await? else { return Ok(false) };
            let own = doc.own.as_ref().filter(|own| own.id == *tested).map(|own| own.version);
            let stored = match own {
                Some(version) => Some(version),
                None => self.credential_doc(tested).await?.map(|doc| doc.credential.version),
            };
            if stored != Some(*version) || doc.connection.status == Status::Revoked {
                return Ok(false);
            }
            doc.next_probe_at = Some(write.next_probe_at);
            if let Some((verdict, error)) = &write.verdict {
                let health = &mut doc.connection.health;
                health.status = Some(*verdict);
                health.error.clone_from(error);
                health.checked_at = Some(write.checked_at);
            }
            let (path, when) = (connection_path(write.connection_id), doc.when);
            let mut writes = vec![self.put(&path, doc.into_fields(), when)];
            writes.extend(write.event.iter().map(|event| self.event_write(event)));
            if self.link.commit(writes).await?.is_done() {
                return Ok(true);
            }
            self.lost(tried).await;
        }
        Err(contended())
    }

    async fn tallies(&self, providers: &[ProviderId]) -> Result<Vec<Tally>, StoreError> {
        self.count_all(providers).await
    }

    async fn delete_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.delete_all(tenant).await
    }
}

impl Firestore {
    /// A connection's document.
    pub(super) async fn connection_doc(&self, id: ConnectionId) -> Result<Option<ConnectionDoc>, StoreError> {
        let found = self.get_one(connection_path(id)).await?;
        found.map(|found| documents::connection(&found)).transpose()
    }

    /// The documents of the connections that use a credential, in the order of their ids.
    pub(super) async fn user_docs(&self, id: &CredentialId) -> Result<Vec<ConnectionDoc>, StoreError> {
        let query = Query::of(CONNECTIONS).contains("credentialIds", text(id.as_str()));
        read_all(&self.query(query).await?)
    }

    /// Puts connections together with their credentials, reading those that are not among the `known`.
    pub(super) async fn join(
        &self,
        docs: Vec<ConnectionDoc>,
        mut known: HashMap<CredentialId, Credential>,
    ) -> Result<Vec<Connection>, StoreError> {
        let mut missing: Vec<_> = docs.iter().flat_map(ConnectionDoc::others).collect();
        missing.retain(|id| !known.contains_key(*id));
        missing.sort();
        missing.dedup();
        let paths: Vec<_> = missing.into_iter().map(credential_path).collect();
        if !paths.is_empty() {
            let mut got = self.link.get(&paths).await?;
            known.extend(read_credentials(paths.iter().filter_map(|path| got.take(path)))?);
        }
        docs.into_iter().map(|doc| doc.join(&known)).collect()
    }
}

fn read_all(found: &[Snapshot]) -> Result<Vec<ConnectionDoc>, StoreError> {
    found.iter().map(documents::connection).collect()
}

fn read_credentials(
    found: impl Iterator<Item = Snapshot>,
) -> Result<HashMap<CredentialId, Credential>, StoreError> {
    found.map(|each| Ok(documents::credential(&each)?.credential)).map(keyed).collect()
}

fn keyed(read: Result<Credential, StoreError>) -> Result<(CredentialId, Credential), StoreError> {
    read.map(|credential| (credential.id.clone(), credential))
}

/// What the indexes serve of a filter.
fn page(filter: &Filter) -> Query {
    let mut fields = Fields::default();
    fields.set_or_remove("tenantId", filter.tenant_id.as_ref().map(|each| text(each.as_str())));
    fields.set_or_remove("userId", filter.user_id.as_ref().map(|each| text(each.as_str())));
    fields.set_or_remove("provider", filter.provider.as_ref().map(|each| text(each.as_str())));
    fields.set_or_remove("status", filter.status.map(name));
    fields.set_or_remove("healthCheckStatus", filter.health.map(name));
    let mut query = Query::of(CONNECTIONS);
    for field in ["tenantId", "userId", "provider", "status", "healthCheckStatus"] {
        if let Some(value) = fields.0.remove(field) {
            query = query.equal(field, value);
        }
    }
    query
}

/// An index on a time that rises with every write would be hot: this is judged on what was read.
fn expires_in_time(filter: &Filter, connection: &Connection) -> bool {
    let Some(end) = filter.expiring_before else { return true };
    connection.credentials.first().and_then(|default| default.expires_at).is_some_and(|at| at < end)
}

/// The id of the last connection of the page before.
fn cursor(text: &str) -> Result<ConnectionId, StoreError> {
    text.parse().map_err(|_| StoreError::Malformed {
        what: "cursor",
        id: text.to_owned(),
        problem: "it does not come from a page of connections".to_owned(),
    })
}
