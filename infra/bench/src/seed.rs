//! Fills a store as the service would, without asking a provider: connections with tokens that are really sealed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shared::app::{self, Parts};
use shared::config::Config;
use shared::domain::{
    Account, Connection, ConnectionId, Credential, CredentialId, Health, ProviderId, Status, TenantId,
    Timestamp, TokenKind,
};
use shared::flow::Context;
use shared::seal::{Part, Place};
use shared::secret::SecretString;
use shared::store::Connect;
use tokio::task::JoinSet;

use crate::Result;
use crate::lab;

/// The tenant of all connections.
pub(crate) const TENANT: &str = "acme";
/// Connections that are written at once: what the store commits together.
const AT_ONCE: u32 = 256;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The user of connection `number`; all names have the same length, and so all answers.
pub(crate) fn user(number: u32) -> String {
    format!("user-{number:06}")
}

/// Writes the connections `numbers` of Gmail to the store in `data`, with access tokens that live for an hour
/// yet. The first ones get these refresh tokens and are due for a refresh; the others have made-up ones, and
/// nothing is due for hours.
///
/// # Errors
/// When the store can't be written.
pub(crate) async fn fill(data: &Path, numbers: Range<u32>, due: &[String]) -> Result<()> {
    let config = Config::from_vars(lab::environment(data))?;
    let ctx = app::build(config, Parts::system("seed", true))?;
    let mut due = due.iter();
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + AT_ONCE);
        let mut writes = JoinSet::new();
        for number in from..to {
            let (ctx, refresh) = (Arc::clone(&ctx), due.next().cloned());
            writes.spawn(async move { write(&ctx, number, refresh).await });
        }
        while let Some(written) = writes.join_next().await {
            written??;
        }
        from = to;
    }
    Ok(())
}

async fn write(ctx: &Context, number: u32, due: Option<String>) -> Result<()> {
    let connection = connection(ctx, number, due).await?;
    let next_probe_at = connection.created_at + 24 * HOUR;
    match ctx.store.connect(&connection, next_probe_at, &[]).await? {
        Connect::Done => Ok(()),
        Connect::Conflict => Err(format!("connection {number} exists").into()),
    }
}

async fn connection(ctx: &Context, number: u32, due: Option<String>) -> Result<Connection> {
    let now = ctx.clock.now();
    // Spread over all shards, as random ids are.
    let id: ConnectionId = format!("{number:08x}-0000-4000-8000-000000000000").parse()?;
    let credential = credential(ctx, id, number, due, now).await?;
    Ok(Connection {
        id,
        tenant_id: credential.tenant_id.clone(),
        user_id: user(number).parse()?,
        provider: credential.provider.clone(),
        account: Account {
            user_id: format!("sub-{number}"),
            team_id: None,
            email: Some(format!("{}@example.com", user(number))),
        },
        requested_scopes: BTreeMap::from([(credential.kind, credential.scopes.clone())]),
        credentials: vec![credential],
        status: Status::Active,
        status_reason: None,
        created_at: now,
        updated_at: now,
        health: Health::default(),
        revoked: None,
    })
}

async fn credential(
    ctx: &Context,
    connection: ConnectionId,
    number: u32,
    due: Option<String>,
    now: Timestamp,
) -> Result<Credential> {
    let id = CredentialId::owned(connection, TokenKind::User);
    let tenant: TenantId = TENANT.parse()?;
    let gmail: ProviderId = "gmail".parse()?;
    let provider = ctx.providers.get(&gmail).ok_or("there is no Gmail")?;
    let scopes =
        provider.scopes_to_ask(None, None)?.remove(&TokenKind::User).ok_or("Gmail asks for no scopes")?;
    let place = |part| Place::Token { tenant: &tenant, credential: &id, part, version: 1 };
    // As long as Google's.
    let access = SecretString::from(format!("ya29.a0{number:0>200}"));
    let next_refresh_at = match due {
        Some(_) => now - HOUR / 60,
        None => now + 24 * HOUR,
    };
    let refresh = SecretString::from(due.unwrap_or_else(|| format!("1//0{number:0>90}")));
    let access = ctx.keyring.seal(&place(Part::Access), &access).await?;
    let refresh = ctx.keyring.seal(&place(Part::Refresh), &refresh).await?;
    Ok(Credential {
        id,
        tenant_id: tenant,
        provider: gmail,
        kind: TokenKind::User,
        version: 1,
        status: Status::Active,
        status_reason: None,
        access: Some(access),
        refresh: Some(refresh),
        scopes,
        granted_at: Some(now),
        issued_at: now,
        expires_at: Some(now + HOUR),
        live_until: vec![now + HOUR],
        next_refresh_at: Some(next_refresh_at),
        last_refreshed_at: None,
        failures: 0,
        last_failure: None,
        lease: None,
        intent_at: None,
        grant_digest: format!("grant-{number}"),
    })
}
