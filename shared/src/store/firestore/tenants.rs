//! All of a tenant, deleted; and how many connections there are, counted by index.

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::fields::{name, number, text};
use super::link::Snapshot;
use super::query::Query;
use super::write::{BATCH, When};
use super::{CONNECTIONS, CREDENTIALS, EVENTS, Firestore, ONE_TIME, SELECTIONS, SERVED, path};
use crate::domain::{HealthStatus, ProviderId, Status, TenantId};
use crate::store::{SHARDS, StoreError, Tally};

/// How many queries of one verb are under way at once.
const AT_ONCE: usize = 8;

const STATUSES: [Status; 4] = [Status::Active, Status::Expired, Status::Revoked, Status::Error];

impl Firestore {
    /// Deletes all of a tenant in batches; what an interrupted run leaves, the next one finds. A connection
    /// goes after its counts, which are found by its id, and before its credentials, so that none is left
    /// without tokens to be read by somebody.
    pub(super) async fn delete_all(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let of_tenant = |collection| Query::of(collection).equal("tenantId", text(tenant.as_str()));
        self.delete_found(&of_tenant(SELECTIONS)).await?;
        let mut gone = 0;
        loop {
            let page = self.query(of_tenant(CONNECTIONS).limit(BATCH)).await?;
            if page.is_empty() {
                break;
            }
            let mut counts = Vec::with_capacity(page.len());
            for found in &page {
                let id = text(found.id.as_str());
                let served = Query::of(SERVED).equal("connectionId", id).ascending("day");
                counts.push(async move { self.delete_found(&served).await }.boxed());
            }
            stream::iter(counts).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
            gone += self.delete_page(CONNECTIONS, &page).await?;
        }
        for collection in [CREDENTIALS, ONE_TIME] {
            self.delete_found(&of_tenant(collection)).await?;
        }
        for shard in 0..SHARDS {
            // By an index that events have anyway.
            let events = Query::of(EVENTS)
                .equal("shard", number(shard.into()))
                .equal("tenantId", text(tenant.as_str()))
                .descending("at");
            self.delete_found(&events).await?;
        }
        Ok(gone)
    }

    /// Deletes what a query finds. Returns how many documents.
    pub(super) async fn delete_found(&self, query: &Query) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let page = self.query(query.clone().limit(BATCH)).await?;
            gone += self.delete_page(query.collection, &page).await?;
            if page.len() < BATCH {
                return Ok(gone);
            }
        }
    }

    async fn delete_page(&self, collection: &str, page: &[Snapshot]) -> Result<u64, StoreError> {
        if !page.is_empty() {
            let delete = |found: &Snapshot| self.delete(&path(collection, &found.id), When::Always);
            self.commit_always(page.iter().map(delete).collect()).await?;
        }
        Ok(u64::try_from(page.len()).unwrap_or(u64::MAX))
    }

    /// Counts connections. What was never checked is the rest: an index has no entry for what is absent.
    pub(super) async fn count_all(&self, providers: &[ProviderId]) -> Result<Vec<Tally>, StoreError> {
        let mut groups = Vec::with_capacity(providers.len() * STATUSES.len());
        for provider in providers {
            groups.extend(STATUSES.map(|status| self.count_group(provider, status).boxed()));
        }
        let counted = stream::iter(groups).buffered(AT_ONCE).try_collect::<Vec<_>>().await?;
        let billed_reads: u64 = counted.iter().map(|(_, billed)| billed).sum();
        tracing::debug!(billed_reads, "connections were counted");
        Ok(counted.into_iter().flat_map(|(tallies, _)| tallies).collect())
    }

    /// The tallies of one provider and status, and what they cost.
    async fn count_group(
        &self,
        provider: &ProviderId,
        status: Status,
    ) -> Result<(Vec<Tally>, u64), StoreError> {
        let group =
            Query::of(CONNECTIONS).equal("provider", text(provider.as_str())).equal("status", name(status));
        let total = self.count(group.clone()).await?;
        let mut billed = billed_reads(total);
        let mut rest = total;
        let mut tallies = Vec::new();
        let mut tally = |health, count| {
            if count > 0 {
                tallies.push(Tally { provider: provider.clone(), status, health, count });
            }
        };
        if total > 0 {
            for health in [HealthStatus::Healthy, HealthStatus::Unhealthy] {
                let count = self.count(group.clone().equal("healthCheckStatus", name(health))).await?;
                billed += billed_reads(count);
                rest = rest.saturating_sub(count);
                tally(Some(health), count);
            }
        }
        tally(None, rest);
        Ok((tallies, billed))
    }
}

/// One for every thousand index entries that are counted, and at least one.
fn billed_reads(count: u64) -> u64 {
    count.div_ceil(1000).max(1)
}
