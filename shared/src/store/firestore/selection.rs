//! Which connections a user has at a provider: one document by name, so that nobody has to query for them.
//!
//! It also keeps one connection per account: every connect commits on condition that it has not changed.

use super::documents::ConnectionDoc;
use super::fields::{Fields, list, map, text, texts};
use super::link::Snapshot;
use super::write::When;
use super::{SELECTIONS, digest_id, path};
use crate::domain::{Account, Connection, ConnectionId, CredentialId, ProviderId, TenantId, UserId};
use crate::store::StoreError;

/// The connections of a user at a provider.
pub(super) struct Selection {
    entries: Vec<Entry>,
    fields: Fields,
    pub(super) when: When,
}

/// One of them: enough to read it, and all that is beside it, at once.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: ConnectionId,
    account: String,
    team: Option<String>,
    /// Its credentials that have documents of their own.
    pub(super) others: Vec<CredentialId>,
}

/// The name of a user's document for a provider.
pub(super) fn selection_id(tenant: &TenantId, user: &UserId, provider: &ProviderId) -> String {
    digest_id(&[tenant.as_str(), user.as_str(), provider.as_str()])
}

/// Its path.
pub(super) fn selection_path(tenant: &TenantId, user: &UserId, provider: &ProviderId) -> String {
    path(SELECTIONS, &selection_id(tenant, user, provider))
}

impl Selection {
    /// What is stored, or an empty one.
    pub(super) fn read(of: Option<Snapshot>) -> Result<Self, StoreError> {
        let Some(of) = of else {
            return Ok(Self { entries: Vec::new(), fields: Fields::default(), when: When::Absent });
        };
        let maps = of.fields.of("selection", &of.id).maps("connections")?;
        let entries = maps.iter().map(|each| {
            let read = each.of("selection", &of.id);
            let other = |id: String| id.parse().map_err(|_| read.malformed("it names no credential"));
            Ok(Entry {
                id: read.parsed("id")?,
                account: read.text("account")?,
                team: read.text_or_none("team")?,
                others: read.texts("others")?.into_iter().map(other).collect::<Result<_, _>>()?,
            })
        });
        let entries = entries.collect::<Result<_, StoreError>>()?;
        Ok(Self { entries, when: When::as_read(of.update_time), fields: of.fields })
    }

    /// All of them, in the order of their ids.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Who holds the place of this account.
    pub(super) fn holder(&self, account: &Account) -> Option<&Entry> {
        self.entries.iter().find(|each| each.account == account.user_id && each.team == account.team_id)
    }

    /// Puts a connection in, or in place of itself.
    pub(super) fn put(&mut self, doc: &ConnectionDoc) {
        let Connection { id, account, .. } = &doc.connection;
        self.entries.retain(|each| each.id != *id);
        self.entries.push(Entry {
            id: *id,
            account: account.user_id.clone(),
            team: account.team_id.clone(),
            others: doc.others().cloned().collect(),
        });
        self.entries.sort_by_key(|each| each.id);
    }

    /// The fields to write; `of` is any connection in it.
    pub(super) fn into_fields(self, of: &Connection) -> Fields {
        let mut fields = self.fields;
        fields.set("tenantId", text(of.tenant_id.as_str()));
        fields.set("userId", text(of.user_id.as_str()));
        fields.set("provider", text(of.provider.as_str()));
        let entry = |each: Entry| {
            let mut fields = Fields::default();
            fields.set("id", text(each.id.to_string()));
            fields.set("account", text(each.account));
            fields.set_or_remove("team", each.team.map(text));
            fields.set("others", texts(each.others.iter().map(CredentialId::as_str)));
            map(fields)
        };
        fields.set("connections", list(self.entries.into_iter().map(entry).collect()));
        fields
    }
}
