//! Makes a connection active: seals what the provider issued and writes it, in place where the account is connected already.

use super::note::note;
use super::tokens::{Next, grant_digest};
use super::{Context, actor, schedule};
use crate::cache::LookupKey;
use crate::domain::{
    Account, Attempt, Connection, ConnectionId, Credential, CredentialId, Event, EventKind, Health, Sealed,
    Status, Timestamp,
};
use crate::error::Code;
use crate::provider::{IssuedToken, Provider, TokenAnswer};
use crate::seal::{Part, Place, SealError};
use crate::store::{Connect, StoreError};

/// How often a connect is tried when others write to the same account, or the same bot, at the same time.
const TRIES: u32 = 20;

/// A consent that has been given.
pub struct Consented<'a> {
    /// What was asked for.
    pub attempt: &'a Attempt,
    /// The provider that gave it.
    pub provider: &'a Provider,
    /// Who gave it.
    pub account: &'a Account,
    /// The tokens.
    pub answer: &'a TokenAnswer,
    /// When they came.
    pub received_at: Timestamp,
}

/// Why a connection did not become active.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A connection was to be renewed, and another account consented.
    #[error("another provider account consented than the one that is connected")]
    OtherAccount,
    /// The tokens can't be sealed.
    #[error("the tokens can't be sealed")]
    Seal(#[source] SealError),
    /// The store did not answer.
    #[error("the connection can't be written")]
    Store(#[source] StoreError),
    /// Others wrote at the same time, again and again.
    #[error("the connection was written by others {TRIES} times in a row")]
    Contended,
}

impl ConnectError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::OtherAccount => Code::IdentityMismatch,
            Self::Seal(error) => error.code(),
            Self::Store(_) | Self::Contended => Code::StoreUnavailable,
        }
    }
}

/// Writes the connection. Simultaneous callbacks of one account end in one connection.
pub async fn connect(ctx: &Context, consented: &Consented<'_>) -> Result<Connection, ConnectError> {
    let attempt = consented.attempt;
    for tried in 0..TRIES {
        if tried > 0 {
            // Those who came together would lose together again.
            tokio::time::sleep(schedule::contention_wait(tried, ctx.ids.as_ref())).await;
        }
        let existing = existing(ctx, consented).await.map_err(ConnectError::Store)?;
        if let Some(wanted) = attempt.connection_id
            && existing.as_ref().map(|each| each.id) != Some(wanted)
        {
            return Err(ConnectError::OtherAccount);
        }
        let connection = build(ctx, consented, existing.as_ref()).await?;
        let event = [event(&connection, existing.is_some())];
        let next_probe_at = schedule::probe_due(ctx.clock.now(), ctx.ids.as_ref());
        let written =
            ctx.store.connect(&connection, next_probe_at, &event).await.map_err(ConnectError::Store)?;
        if written == Connect::Done {
            event.iter().for_each(|event| note(ctx, event));
            forget_cached(ctx, &connection).await;
            for credential in
                connection.credentials.iter().filter(|each| consented.provider.shared_by_team(each.kind))
            {
                forget_older_tokens(ctx, credential).await;
            }
            return Ok(connection);
        }
    }
    Err(ConnectError::Contended)
}

/// The connection of the account that consented. An earlier service may have known the account by its e-mail only:
/// that connection is renewed in place, and known by the account's own id from now on.
async fn existing(ctx: &Context, consented: &Consented<'_>) -> Result<Option<Connection>, StoreError> {
    let Consented { attempt, account, .. } = consented;
    let find = async |account: &Account| {
        ctx.store.find(&attempt.tenant_id, &attempt.user_id, &attempt.provider, account).await
    };
    match (find(account).await?, &account.email) {
        (None, Some(email)) => find(&Account { user_id: email.clone(), ..(*account).clone() }).await,
        (found, _) => Ok(found),
    }
}

async fn build(
    ctx: &Context,
    consented: &Consented<'_>,
    existing: Option<&Connection>,
) -> Result<Connection, ConnectError> {
    let attempt = consented.attempt;
    let id = existing.map_or_else(|| ConnectionId::new(ctx.ids.uuid()), |each| each.id);
    let mut credentials = Vec::with_capacity(consented.answer.tokens.len());
    for issued in &consented.answer.tokens {
        credentials.push(credential(ctx, consented, existing, id, issued).await?);
    }
    // Bot before user: the first is the default kind.
    credentials.sort_by_key(|each| each.kind);
    Ok(Connection {
        id,
        tenant_id: attempt.tenant_id.clone(),
        user_id: attempt.user_id.clone(),
        provider: attempt.provider.clone(),
        account: consented.account.clone(),
        requested_scopes: attempt.requested_scopes.clone(),
        credentials,
        status: Status::Active,
        status_reason: None,
        created_at: existing.map_or(consented.received_at, |each| each.created_at),
        updated_at: consented.received_at,
        health: Health::default(),
        revoked: None,
    })
}

async fn credential(
    ctx: &Context,
    consented: &Consented<'_>,
    existing: Option<&Connection>,
    connection_id: ConnectionId,
    issued: &IssuedToken,
) -> Result<Credential, ConnectError> {
    let (provider, attempt, kind) = (consented.provider, consented.attempt, issued.kind);
    let digest = grant_digest(ctx, provider, kind, consented.account).await.map_err(ConnectError::Seal)?;
    let (id, current) = if provider.shared_by_team(kind) {
        let digest = ctx.keyring.digest(&[attempt.tenant_id.as_str(), &digest]).await;
        let id = CredentialId::shared(&digest.map_err(ConnectError::Seal)?);
        let current = ctx.store.credential(&id).await.map_err(ConnectError::Store)?;
        (id, current)
    } else {
        let current = existing.and_then(|each| each.credential(Some(kind))).cloned();
        (CredentialId::owned(connection_id, kind), current)
    };
    let kept_refresh = match (&issued.refresh, &current) {
        (None, Some(current)) => keep_refresh(ctx, current).await.map_err(ConnectError::Seal)?,
        _ => None,
    };
    let next = Next {
        id,
        tenant_id: &attempt.tenant_id,
        provider,
        issued,
        current: current.as_ref(),
        kept_refresh,
        scopes: attempt.requested_scopes.get(&kind).cloned().unwrap_or_default(),
        grant_digest: digest,
        received_at: consented.received_at,
        refreshed: false,
    };
    next.seal(ctx).await.map_err(ConnectError::Seal)
}

/// A consent that brought no refresh token keeps the one that is there, sealed for the next version. One
/// that can't be opened is worth nothing and is left behind.
async fn keep_refresh(ctx: &Context, current: &Credential) -> Result<Option<Sealed>, SealError> {
    let Some(refresh) = &current.refresh else { return Ok(None) };
    let place = |version| Place::Token {
        tenant: &current.tenant_id,
        credential: &current.id,
        part: Part::Refresh,
        version,
    };
    match ctx.keyring.open(&place(current.version), refresh).await {
        Ok(opened) => {
            let version = Next::version(Some(current));
            ctx.keyring.seal(&place(version), &opened).await.map(Some)
        }
        Err(SealError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn event(connection: &Connection, again: bool) -> Event {
    let kind = if again { EventKind::Reconnected } else { EventKind::Connected };
    Event {
        tenant_id: Some(connection.tenant_id.clone()),
        provider: Some(connection.provider.clone()),
        connection_id: Some(connection.id),
        ..actor::event(connection.updated_at, kind)
    }
}

/// Drops what the cache says of a connection and of its user: it has changed.
pub async fn forget_cached(ctx: &Context, connection: &Connection) {
    let key = LookupKey {
        tenant_id: connection.tenant_id.clone(),
        user_id: connection.user_id.clone(),
        provider: connection.provider.clone(),
    };
    for result in [ctx.cache.drop_tokens(connection.id).await, ctx.cache.drop_lookup(&key).await] {
        if let Err(error) = result {
            tracing::warn!(
                connection.id = %connection.id,
                error = &error as &dyn std::error::Error,
                "the cache could not be told of a change; it may lag behind for its time to live"
            );
        }
    }
}

/// Drops the cached tokens that are older than a credential: with a shared bot, those of every connection of
/// its workspace. A tombstone stays: a refresh may not undo a revocation.
pub(super) async fn forget_older_tokens(ctx: &Context, credential: &Credential) {
    let lagging = |error: &(dyn std::error::Error + 'static)| {
        tracing::warn!(
            credential.id = %credential.id,
            error,
            "the cache could not be told of a refresh; it may lag behind for its time to live"
        );
    };
    let users = match credential.id.owner() {
        Some(connection) => vec![connection],
        None => match ctx.store.users(&credential.id).await {
            Ok(users) => users,
            Err(error) => return lagging(&error),
        },
    };
    for id in users {
        if let Err(error) = ctx.cache.drop_older(id, credential.kind, credential.version).await {
            lagging(&error);
        }
    }
}
