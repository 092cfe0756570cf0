//! Brings a working access token: from the cache, from the store, or refreshed first; or says precisely why not.

use std::sync::Arc;
use std::time::Duration;

use super::renew::{RenewError, Trigger, renew};
use super::select::{Narrowing, Selection, select};
use super::{Context, served};
use crate::cache::{CacheAnswer, CachedToken, Candidate, LookupKey};
use crate::domain::{
    Connection, ConnectionId, Credential, ProviderId, RefreshState, Scopes, Sealed, Status, StatusReason,
    Timestamp, TokenKind, lives_for, missing,
};
use crate::error::Code;
use crate::seal::{Part, Place, SealError, is_ours};
use crate::secret::SecretString;
use crate::store::StoreError;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Whose, and where.
    pub who: LookupKey,
    /// Which connection, where there are several.
    pub narrowing: Narrowing,
    /// Which half; `None`: the connection's default.
    pub token_kind: Option<TokenKind>,
    /// How long it must live yet; never more than half of its lifetime is insisted on.
    pub minimum: Duration,
    /// Scopes that it must have.
    pub required_scopes: Scopes,
}

/// A token to use.
pub struct ServedToken {
    /// The access token.
    pub access: SecretString,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// What was granted.
    pub scopes: Scopes,
    /// The connection it is of.
    pub connection_id: ConnectionId,
    /// The workspace.
    pub team_id: Option<String>,
    /// Which half.
    pub token_kind: TokenKind,
    /// What was asked for at the last consent and not granted.
    pub missing_scopes: Scopes,
    /// How it stands with its refresh.
    pub refresh_state: RefreshState,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such provider.
    #[error("there is no provider {0}")]
    UnknownProvider(ProviderId),
    /// No connection matches.
    #[error("no connection matches")]
    NotFound,
    /// Several match.
    #[error("{} connections match", .0.len())]
    Ambiguous(Vec<Candidate>),
    /// The grant is gone.
    #[error("the user must connect again: {1:?}")]
    Reauthorize(ConnectionId, Option<StatusReason>),
    /// There is no token of that kind.
    #[error("the connection has no such token")]
    NoSuchKind(ConnectionId),
    /// Required scopes were not granted.
    #[error("required scopes were not granted")]
    ScopeMissing(ConnectionId, Scopes),
    /// The token had to be refreshed, and was not.
    #[error("the token was not refreshed")]
    Renew(ConnectionId, #[source] Arc<RenewError>),
    /// The token can't be opened.
    #[error("the token can't be opened")]
    Seal(ConnectionId, #[source] SealError),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
}

impl ReadError {
    /// The public code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownProvider(_) => Code::UnknownProvider,
            Self::NotFound => Code::ConnectionNotFound,
            Self::Ambiguous(_) => Code::ConnectionAmbiguous,
            Self::Reauthorize(..) => Code::ReauthorizationRequired,
            Self::NoSuchKind(_) => Code::TokenKindUnavailable,
            Self::ScopeMissing(..) => Code::ScopeMissing,
            Self::Renew(_, error) => error.code(),
            Self::Seal(_, error) => error.code(),
            Self::Store(_) => Code::StoreUnavailable,
        }
    }
}

/// Brings a token.
pub async fn read(ctx: &Arc<Context>, request: &ReadRequest) -> Result<ServedToken, ReadError> {
    if ctx.providers.get(&request.who.provider).is_none() {
        return Err(ReadError::UnknownProvider(request.who.provider.clone()));
    }
    let candidates = candidates(ctx, &request.who).await?;
    let chosen = match select(&candidates, &request.narrowing) {
        Selection::One(chosen) => chosen,
        Selection::None => return Err(ReadError::NotFound),
        Selection::Revoked(one) => return Err(ReadError::Reauthorize(one.connection_id, one.status_reason)),
        Selection::Several(several) => {
            return Err(ReadError::Ambiguous(several.into_iter().cloned().collect()));
        }
    };
    let kind = match (request.token_kind, chosen.kinds.first()) {
        (Some(kind), _) if chosen.kinds.iter().any(|(each, _)| *each == kind) => kind,
        (None, Some((default, _))) => *default,
        (Some(_), _) | (None, None) => return Err(ReadError::NoSuchKind(chosen.connection_id)),
    };
    let served = match cached(ctx, request, chosen, kind).await? {
        Some(served) => served,
        // Boxed: a whole refresh hangs on it, and a hit should not carry (allocate, move) room for one.
        None => Box::pin(stored(ctx, request, chosen, kind)).await?,
    };
    let ungranted = missing(&request.required_scopes, &served.scopes);
    if !ungranted.is_empty() {
        return Err(ReadError::ScopeMissing(chosen.connection_id, ungranted));
    }
    served::count(ctx, chosen.connection_id).await;
    Ok(served)
}

/// The user's connections at the provider, from the cache or the store.
async fn candidates(ctx: &Context, key: &LookupKey) -> Result<Arc<Vec<Candidate>>, ReadError> {
    match ctx.cache.lookup(key).await {
        Ok(Some(candidates)) => return Ok(candidates),
        Ok(None) => {}
        Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "the cache was not read"),
    }
    let connections =
        ctx.store.select(&key.tenant_id, &key.user_id, &key.provider).await.map_err(ReadError::Store)?;
    let candidates = Arc::new(connections.into_iter().map(candidate).collect::<Vec<_>>());
    // "None" is not cached: a user who is told to connect comes back within seconds.
    if !candidates.is_empty()
        && let Err(error) = ctx.cache.put_lookup(key, Arc::clone(&candidates)).await
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "a selection was not cached");
    }
    Ok(candidates)
}

fn candidate(connection: Connection) -> Candidate {
    let mut asked = connection.requested_scopes;
    Candidate {
        connection_id: connection.id,
        team_id: connection.account.team_id,
        provider_user_id: connection.account.user_id,
        email: connection.account.email,
        status: connection.status,
        status_reason: connection.status_reason,
        kinds: connection
            .credentials
            .iter()
            .map(|each| (each.kind, asked.remove(&each.kind).unwrap_or_default()))
            .collect(),
    }
}

/// The cached token, if it is good enough.
async fn cached(
    ctx: &Context,
    request: &ReadRequest,
    chosen: &Candidate,
    kind: TokenKind,
) -> Result<Option<ServedToken>, ReadError> {
    let token = match ctx.cache.token(chosen.connection_id, kind).await {
        Ok(CacheAnswer::Token(token)) => token,
        Ok(CacheAnswer::Buried) => {
            return Err(ReadError::Reauthorize(chosen.connection_id, Some(StatusReason::RevokedByCaller)));
        }
        Ok(CacheAnswer::Nothing) => return Ok(None),
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "the cache was not read");
            return Ok(None);
        }
    };
    if !lives_for(token.issued_at, token.expires_at, request.minimum, ctx.clock.now()) {
        return Ok(None);
    }
    let place = Place::Token {
        tenant: &request.who.tenant_id,
        credential: &token.credential_id,
        part: Part::Access,
        version: token.version,
    };
    // What the cache holds and can't be opened is worth nothing; the store knows better.
    let Ok(access) = ctx.keyring.open(&place, &token.access).await else { return Ok(None) };
    let (expires_at, scopes) = (token.expires_at, token.scopes.clone());
    Ok(Some(served_token(chosen, kind, access, expires_at, scopes, RefreshState::Current)))
}

/// The stored token, refreshed first when it does not live long enough.
async fn stored(
    ctx: &Arc<Context>,
    request: &ReadRequest,
    chosen: &Candidate,
    kind: TokenKind,
) -> Result<ServedToken, ReadError> {
    let id = chosen.connection_id;
    let connection = ctx.store.connection(id).await.map_err(ReadError::Store)?;
    let connection = connection.ok_or(ReadError::NotFound)?;
    if !is_asked_for(&connection, request) {
        tracing::error!(connection.id = %id, "a selection named a connection of somebody else; nothing was served");
        return Err(ReadError::NotFound);
    }
    if connection.revoked.is_some() {
        return Err(ReadError::Reauthorize(id, connection.status_reason));
    }
    let credential = connection.credential(Some(kind)).ok_or(ReadError::NoSuchKind(id))?;
    if credential.status != Status::Active {
        return Err(ReadError::Reauthorize(id, credential.status_reason));
    }
    let now = ctx.clock.now();
    if credential.is_live(now) && credential.lives_for(request.minimum, now) {
        return serve(ctx, chosen, credential, RefreshState::Current).await;
    }
    match renew(ctx, credential.clone(), Trigger::Caller).await {
        Ok(renewed) => serve(ctx, chosen, &renewed, RefreshState::Refreshed).await,
        Err(error) => {
            if let Some(reason) = error.ended() {
                return Err(ReadError::Reauthorize(id, Some(reason)));
            }
            if !credential.is_live(ctx.clock.now()) {
                return Err(ReadError::Renew(id, error));
            }
            // Serve while valid: what is there is still good.
            let state = if error.is_failure() { RefreshState::Failing } else { RefreshState::Current };
            serve(ctx, chosen, credential, state).await
        }
    }
}

/// Whether a connection, and what it gets its tokens from, are of the tenant, user and provider that were asked for: a selection comes
/// from a cache, which others may have written to.
fn is_asked_for(connection: &Connection, request: &ReadRequest) -> bool {
    let LookupKey { tenant_id, user_id, provider } = &request.who;
    let of_tenant =
        |credential: &Credential| credential.tenant_id == *tenant_id && credential.provider == *provider;
    connection.tenant_id == *tenant_id
        && connection.user_id == *user_id
        && connection.provider == *provider
        && connection.credentials.iter().all(of_tenant)
}

/// Opens a stored token, and caches it as it is stored; what an earlier service sealed is sealed anew for that, so
/// that no hit needs the KMS.
async fn serve(
    ctx: &Context,
    chosen: &Candidate,
    credential: &Credential,
    refresh_state: RefreshState,
) -> Result<ServedToken, ReadError> {
    let id = chosen.connection_id;
    let Some(sealed) = &credential.access else {
        return Err(ReadError::Reauthorize(id, credential.status_reason));
    };
    let place = Place::Token {
        tenant: &credential.tenant_id,
        credential: &credential.id,
        part: Part::Access,
        version: credential.version,
    };
    let access = match ctx.keyring.open(&place, sealed).await {
        Ok(access) => access,
        Err(SealError::Unreadable { .. }) => {
            super::renew::unreadable(ctx, credential).await;
            return Err(ReadError::Reauthorize(id, Some(StatusReason::Unreadable)));
        }
        Err(error) => return Err(ReadError::Seal(id, error)),
    };
    let to_cache = match is_ours(sealed) {
        true => Ok(sealed.clone()),
        false => ctx.keyring.seal(&place, &access).await,
    };
    match to_cache {
        Ok(sealed) => cache(ctx, id, credential, sealed).await,
        Err(error) => {
            tracing::warn!(connection.id = %id, error = &error as &dyn std::error::Error, "a token could not be sealed anew, and was not cached");
        }
    }
    let (expires_at, scopes) = (credential.expires_at, credential.scopes.clone());
    Ok(served_token(chosen, credential.kind, access, expires_at, scopes, refresh_state))
}

async fn cache(ctx: &Context, id: ConnectionId, credential: &Credential, access: Sealed) {
    let token = Arc::new(CachedToken {
        credential_id: credential.id.clone(),
        kind: credential.kind,
        version: credential.version,
        access,
        issued_at: credential.issued_at,
        expires_at: credential.expires_at,
        scopes: credential.scopes.clone(),
    });
    if let Err(error) = ctx.cache.put_token(id, token).await {
        tracing::debug!(error = &error as &dyn std::error::Error, "a token was not cached");
    }
}

fn served_token(
    chosen: &Candidate,
    kind: TokenKind,
    access: SecretString,
    expires_at: Option<Timestamp>,
    scopes: Scopes,
    refresh_state: RefreshState,
) -> ServedToken {
    let asked = chosen.kinds.iter().find(|(each, _)| *each == kind);
    ServedToken {
        access,
        expires_at,
        missing_scopes: asked.map_or_else(Vec::new, |(_, asked)| missing(asked, &scopes)),
        scopes,
        connection_id: chosen.connection_id,
        team_id: chosen.team_id.clone(),
        token_kind: kind,
        refresh_state,
    }
}

#[cfg(all(test, feature = "cloud"))]
mod tests;
