//! Connections and credentials as documents: the given fields of `oauth_connections`, and ours beside them.
//!
//! A connection's document holds the credential that is its own (`encryptedAccessToken` and what belongs to it);
//! shared ones, and a second own one, have documents in `oauth_credentials` with the same fields. A document of
//! an earlier service is one that stands in no selection yet: at first it also lacks our other fields, has
//! version 0, and its tokens are sealed in its way.

use std::collections::HashMap;

use super::fields::{Fields, Reader, json, list, name, null, number, text, texts, time, unsigned};
use super::link::Snapshot;
use super::selection::selection_id;
use super::write::When;
use super::{CONNECTIONS, CREDENTIALS, path};
use crate::domain::{
    Account, Connection, ConnectionId, Credential, CredentialId, Health, Lease, Revoked, Sealed, Status,
    StatusReason, Timestamp, TokenKind,
};
use crate::store::{StoreError, shard_of};

/// A connection's document.
#[derive(Clone)]
pub(super) struct ConnectionDoc {
    /// What it says of the connection; `credentials` is empty until they are joined.
    pub(super) connection: Connection,
    /// The credential that it holds itself.
    pub(super) own: Option<Credential>,
    /// All of the connection's credentials, the default first.
    pub(super) credential_ids: Vec<CredentialId>,
    /// When its health check is due; `None`: never.
    pub(super) next_probe_at: Option<Timestamp>,
    /// Whether an earlier service wrote it, and it stands in no selection yet.
    pub(super) earlier: bool,
    /// All fields, also those that we don't know.
    pub(super) fields: Fields,
    /// On which it is written again.
    pub(super) when: When,
}

/// A credential's own document.
#[derive(Clone)]
pub(super) struct CredentialDoc {
    pub(super) credential: Credential,
    pub(super) fields: Fields,
    pub(super) when: When,
}

/// The path of a connection's document.
pub(super) fn connection_path(id: ConnectionId) -> String {
    path(CONNECTIONS, &id.to_string())
}

/// The path of a credential's own document.
pub(super) fn credential_path(id: &CredentialId) -> String {
    path(CREDENTIALS, id.as_str())
}

/// Reads a connection's document. One that is malformed is a connection that can't be read, as long as it says
/// whose it is.
pub(super) fn connection(of: &Snapshot) -> Result<ConnectionDoc, StoreError> {
    sound(of).or_else(|error| {
        let broken = broken(of)?;
        tracing::error!(
            connection.id = of.id,
            error = &error as &dyn std::error::Error,
            "a document is malformed"
        );
        Ok(broken)
    })
}

/// All that is left of a malformed document: whose it is, and that it can't be read.
fn broken(of: &Snapshot) -> Result<ConnectionDoc, StoreError> {
    let read = of.fields.of("connection", &of.id);
    let mut fields = Fields::default();
    for name in ["tenantId", "userId", "provider"] {
        fields.set(name, text(read.text(name)?));
    }
    let start = || time(Timestamp::from_millis(0));
    for name in ["providerUserId", "encryptedAccessToken", "encryptedRefreshToken"] {
        // No failure clears a token, and this is one.
        fields.set(name, text(read.text_or_none(name).ok().flatten().unwrap_or_default()));
    }
    fields.set("createdAt", start());
    fields.set("updatedAt", start());
    fields.set("status", name(Status::Error));
    let mut doc = sound(&Snapshot { id: of.id.clone(), fields, update_time: of.update_time })?;
    let reason = Some(StatusReason::Unreadable);
    doc.connection.status_reason = reason;
    if let Some(own) = &mut doc.own {
        own.status_reason = reason;
    }
    doc.earlier = !read.has("selectionId");
    doc.fields.clone_from(&of.fields);
    Ok(doc)
}

fn sound(of: &Snapshot) -> Result<ConnectionDoc, StoreError> {
    let read = of.fields.of("connection", &of.id);
    let id: ConnectionId = of.id.parse().map_err(|_| read.malformed("its name is not a connection's id"))?;
    let earlier = !read.has("selectionId");
    let own = match read.named_or_none("tokenKind")? {
        Some(kind) => Some(credential_with(CredentialId::owned(id, kind), kind, read)?),
        None if earlier => Some(earlier_credential(id, read)?),
        None => None,
    };
    let credential_ids = match &own {
        Some(own) if earlier => vec![own.id.clone()],
        _ => ids(read, "credentialIds")?,
    };
    let connection = Connection {
        id,
        tenant_id: read.parsed("tenantId")?,
        user_id: read.parsed("userId")?,
        provider: read.parsed("provider")?,
        account: Account {
            user_id: read.text("providerUserId")?,
            team_id: read.text_or_none("providerTeamId")?,
            email: read.text_or_none("email")?,
        },
        requested_scopes: read.json_or_default("requestedScopes")?,
        credentials: Vec::new(),
        status: read.named("status")?,
        status_reason: read.named_or_none("statusReason")?,
        created_at: read.time("createdAt")?,
        updated_at: read.time("updatedAt")?,
        health: Health {
            status: read.named_or_none("healthCheckStatus")?,
            error: read.text_or_none("healthCheckError")?,
            checked_at: read.time_or_none("lastHealthCheckAt")?,
        },
        revoked: match read.time_or_none("revokedAt")? {
            None => None,
            Some(at) => Some(Revoked {
                at,
                by: read.text_or_none("revokedBy")?,
                reason: read.text_or_none("revokedReason")?,
                at_provider: read.json_or_default("revokedAtProvider")?,
            }),
        },
    };
    Ok(ConnectionDoc {
        connection,
        own,
        credential_ids,
        next_probe_at: read.time_or_none("nextProbeAt")?,
        earlier,
        fields: of.fields.clone(),
        when: When::as_read(of.update_time),
    })
}

/// Reads a credential's own document.
pub(super) fn credential(of: &Snapshot) -> Result<CredentialDoc, StoreError> {
    let read = of.fields.of("credential", &of.id);
    let id = of.id.parse().map_err(|_| read.malformed("its name is not a credential's id"))?;
    let credential = credential_with(id, read.named("tokenKind")?, read)?;
    Ok(CredentialDoc { credential, fields: of.fields.clone(), when: When::as_read(of.update_time) })
}

fn credential_with(id: CredentialId, kind: TokenKind, read: Reader<'_>) -> Result<Credential, StoreError> {
    let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Credential {
        id,
        tenant_id: read.parsed("tenantId")?,
        provider: read.parsed("provider")?,
        kind,
        version: u64::try_from(read.number_or_none("credentialVersion")?.unwrap_or(0)).unwrap_or(0),
        status: read.named("credentialStatus")?,
        status_reason: read.named_or_none("credentialStatusReason")?,
        access: token(read, "encryptedAccessToken")?,
        refresh: token(read, "encryptedRefreshToken")?,
        scopes: read.texts("scopes")?,
        issued_at: read.time("issuedAt")?,
        expires_at: read.time_or_none("expiresAt")?,
        live_until: read.times("liveUntil")?,
        next_refresh_at: read.time_or_none("nextRefreshAt")?,
        last_refreshed_at: read.time_or_none("lastRefreshedAt")?,
        failures: small(read.number_or_none("refreshFailures")?.unwrap_or(0)),
        last_failure: read.text_or_none("lastRefreshFailure")?,
        lease: match (read.text_or_none("leaseOwner")?, read.time_or_none("leaseUntil")?) {
            (Some(owner), Some(until)) => Some(Lease { owner, until }),
            _ => None,
        },
        intent_at: read.time_or_none("intentAt")?,
        granted_at: read.time_or_none("grantedAt")?,
        grant_digest: read.text_or_none("grantDigest")?.unwrap_or_default(),
    })
}

/// What an earlier service's document says of its tokens: a workspace's are its bot's, unless it says otherwise.
fn earlier_credential(id: ConnectionId, read: Reader<'_>) -> Result<Credential, StoreError> {
    let kind = match read.text_or_none("tokenType")?.as_deref() {
        Some("bot") => TokenKind::Bot,
        Some("user") => TokenKind::User,
        _ if read.has("providerTeamId") => TokenKind::Bot,
        _ => TokenKind::User,
    };
    let mut filled = read.cloned();
    filled.set_or_remove("credentialStatus", read.text_or_none("status")?.map(text));
    let issued = match read.time_or_none("lastRefreshedAt")? {
        Some(at) => at,
        None => read.time("createdAt")?,
    };
    filled.set("issuedAt", time(issued));
    credential_with(CredentialId::owned(id, kind), kind, filled.of("connection", &id.to_string()))
}

/// An empty text stands where a given field must be and there is no token.
fn token(read: Reader<'_>, name: &str) -> Result<Option<Sealed>, StoreError> {
    Ok(read.text_or_none(name)?.filter(|token| !token.is_empty()).map(Sealed))
}

fn ids(read: Reader<'_>, name: &str) -> Result<Vec<CredentialId>, StoreError> {
    let parse = |id: String| id.parse().map_err(|_| read.malformed(format!("{name} has no id in it")));
    read.texts(name)?.into_iter().map(parse).collect()
}

impl ConnectionDoc {
    /// The connection with its credentials, the default first.
    pub(super) fn join(self, others: &HashMap<CredentialId, Credential>) -> Result<Connection, StoreError> {
        let mut connection = self.connection;
        for id in &self.credential_ids {
            let own = self.own.as_ref().filter(|own| own.id == *id);
            connection.credentials.extend(own.or_else(|| others.get(id)).cloned());
        }
        if connection.credentials.is_empty() {
            let id = connection.id.to_string();
            return Err(self.fields.of("connection", &id).malformed("it has no credential"));
        }
        Ok(connection)
    }

    /// The credentials that have documents of their own.
    pub(super) fn others(&self) -> impl Iterator<Item = &CredentialId> {
        let own = self.own.as_ref().map(|own| &own.id);
        self.credential_ids.iter().filter(move |id| Some(*id) != own)
    }

    /// The fields to write.
    pub(super) fn into_fields(self) -> Fields {
        let Self { connection, own, credential_ids, next_probe_at, earlier, mut fields, .. } = self;
        let Connection { account, health, revoked, .. } = &connection;
        fields.set("id", text(connection.id.to_string()));
        if !earlier {
            let selection = selection_id(&connection.tenant_id, &connection.user_id, &connection.provider);
            fields.set("selectionId", text(selection));
        }
        fields.set("tenantId", text(connection.tenant_id.as_str()));
        fields.set("userId", text(connection.user_id.as_str()));
        fields.set("provider", text(connection.provider.as_str()));
        fields.set("providerUserId", text(account.user_id.as_str()));
        fields.set_or_remove("providerTeamId", account.team_id.as_deref().map(text));
        fields.set("email", account.email.as_deref().map_or_else(null, text));
        fields.set("requestedScopes", json(&connection.requested_scopes));
        fields.set("status", name(connection.status));
        fields.set_or_remove("statusReason", connection.status_reason.map(name));
        fields.set("createdAt", time(connection.created_at));
        fields.set("updatedAt", time(connection.updated_at));
        fields.set_or_remove("healthCheckStatus", health.status.map(name));
        fields.set_or_remove("healthCheckError", health.error.as_deref().map(text));
        fields.set_or_remove("lastHealthCheckAt", health.checked_at.map(time));
        fields.set_or_remove("revokedAt", revoked.as_ref().map(|each| time(each.at)));
        fields.set_or_remove("revokedBy", revoked.as_ref().and_then(|each| each.by.as_deref()).map(text));
        fields.set_or_remove(
            "revokedReason",
            revoked.as_ref().and_then(|each| each.reason.as_deref()).map(text),
        );
        fields.set_or_remove("revokedAtProvider", revoked.as_ref().map(|each| json(&each.at_provider)));
        fields.set("credentialIds", texts(credential_ids.iter().map(CredentialId::as_str)));
        // Only what is active is checked; what is not is in no index of what is due.
        let probe = next_probe_at.filter(|_| connection.status == Status::Active);
        fields.set_or_remove("nextProbeAt", next_probe_at.map(time));
        fields.set_or_remove("probeShard", probe.map(|_| shard(&connection.id.to_string())));
        fields.set("tokenType", text("Bearer"));
        match &own {
            Some(own) => put_credential(&mut fields, own),
            // The given fields are always there; whose token it is stands in `credentialIds`.
            None => fields.set("encryptedAccessToken", text("")),
        }
        fields
    }
}

/// The fields of a credential's own document.
pub(super) fn credential_fields(base: Fields, credential: &Credential) -> Fields {
    let mut fields = base;
    fields.set("tenantId", text(credential.tenant_id.as_str()));
    fields.set("provider", text(credential.provider.as_str()));
    put_credential(&mut fields, credential);
    fields
}

fn put_credential(fields: &mut Fields, credential: &Credential) {
    let lease = credential.lease.as_ref();
    fields.set("tokenKind", name(credential.kind));
    fields.set("credentialVersion", unsigned(credential.version));
    fields.set("credentialStatus", name(credential.status));
    fields.set_or_remove("credentialStatusReason", credential.status_reason.map(name));
    fields.set("encryptedAccessToken", text(sealed(credential.access.as_ref()).unwrap_or_default()));
    fields.set_or_remove("encryptedRefreshToken", sealed(credential.refresh.as_ref()).map(text));
    fields.set("scopes", texts(credential.scopes.iter().map(String::as_str)));
    fields.set("issuedAt", time(credential.issued_at));
    fields.set("expiresAt", credential.expires_at.map_or_else(null, time));
    fields.set("liveUntil", list(credential.live_until.iter().copied().map(time).collect()));
    // What is not active is never due, and a shard without a time is in no index of what is due.
    let due = credential.next_refresh_at.filter(|_| credential.status == Status::Active);
    fields.set_or_remove("nextRefreshAt", credential.next_refresh_at.map(time));
    fields.set_or_remove("refreshShard", due.map(|_| shard(credential.id.as_str())));
    fields.set_or_remove("lastRefreshedAt", credential.last_refreshed_at.map(time));
    fields.set("refreshFailures", number(credential.failures.into()));
    fields.set_or_remove("lastRefreshFailure", credential.last_failure.as_deref().map(text));
    fields.set_or_remove("leaseOwner", lease.map(|lease| text(lease.owner.as_str())));
    fields.set_or_remove("leaseUntil", lease.map(|lease| time(lease.until)));
    fields.set_or_remove("intentAt", credential.intent_at.map(time));
    fields.set_or_remove("grantedAt", credential.granted_at.map(time));
    fields.set("grantDigest", text(credential.grant_digest.as_str()));
    fields.set("keyIds", texts(key_ids(credential)));
}

fn sealed(token: Option<&Sealed>) -> Option<&str> {
    token.map(|token| token.0.as_str())
}

/// The data keys that seal a credential's tokens, each once: what stands between the first two dots.
fn key_ids(credential: &Credential) -> impl Iterator<Item = &str> {
    let access = sealed_with(credential.access.as_ref());
    let refresh = sealed_with(credential.refresh.as_ref()).filter(|key| Some(*key) != access);
    access.into_iter().chain(refresh)
}

fn sealed_with(token: Option<&Sealed>) -> Option<&str> {
    token?.0.strip_prefix("v1.")?.split('.').next()
}

fn shard(id: &str) -> gcloud_sdk::google::firestore::v1::Value {
    number(shard_of(id).into())
}
