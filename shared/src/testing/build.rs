//! Connections, credentials and events with sensible contents; a test changes the fields it is about.
#![expect(clippy::unwrap_used, reason = "the texts are constants that are known to be identifiers")]

use std::collections::BTreeMap;
use std::time::Duration;

use super::TestClock;
use crate::domain::{
    Account, Connection, ConnectionId, Credential, CredentialId, Event, EventKind, Health, ProviderId,
    Revoked, Sealed, Status, TenantId, Timestamp, TokenKind, UserId,
};

/// The time at which everything here was made.
pub const NOW: Timestamp = TestClock::START;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A tenant by name.
#[must_use]
pub fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

/// A user by name.
#[must_use]
pub fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

/// A provider by name.
#[must_use]
pub fn provider(name: &str) -> ProviderId {
    name.parse().unwrap()
}

/// The id of connection number `number`; ids are in the order of their numbers.
#[must_use]
pub fn connection_id(number: u32) -> ConnectionId {
    ConnectionId::new(uuid::Uuid::from_u128(u128::from(number)))
}

/// Connection number `number`: `user-{number}` of tenant `acme` at `gmail`, active, never checked, with
/// one [`credential`] for the user.
#[must_use]
pub fn connection(number: u32) -> Connection {
    let credential = credential(number);
    Connection {
        id: connection_id(number),
        tenant_id: credential.tenant_id.clone(),
        user_id: user(&format!("user-{number}")),
        provider: credential.provider.clone(),
        account: Account {
            user_id: format!("sub-{number}"),
            team_id: None,
            email: Some(format!("user-{number}@example.com")),
        },
        requested_scopes: BTreeMap::from([(credential.kind, credential.scopes.clone())]),
        credentials: vec![credential],
        status: Status::Active,
        status_reason: None,
        created_at: NOW,
        updated_at: NOW,
        health: Health::default(),
        revoked: None,
    }
}

/// Connection number `number` in Slack workspace `team`: a bot credential that all connections of that
/// workspace (and tenant) share, and one of the user's own.
#[must_use]
pub fn slack(number: u32, team: &str) -> Connection {
    let slack = provider("slack");
    let mut connection = connection(number);
    connection.provider = slack.clone();
    connection.account.team_id = Some(team.to_owned());
    let user = Credential { provider: slack, ..credential(number) };
    let bot = Credential {
        id: CredentialId::shared(team),
        kind: TokenKind::Bot,
        grant_digest: format!("grant-{team}"),
        ..user.clone()
    };
    connection.requested_scopes =
        BTreeMap::from([(TokenKind::Bot, bot.scopes.clone()), (TokenKind::User, user.scopes.clone())]);
    connection.credentials = vec![bot, user];
    connection
}

/// The user credential of connection number `number`: version 1, refreshable, valid for an hour from
/// [`NOW`], due after half of it. Its sealed tokens are made up.
#[must_use]
pub fn credential(number: u32) -> Credential {
    Credential {
        id: CredentialId::owned(connection_id(number), TokenKind::User),
        tenant_id: tenant("acme"),
        provider: provider("gmail"),
        kind: TokenKind::User,
        version: 1,
        status: Status::Active,
        status_reason: None,
        access: Some(sealed(number, "access", 1)),
        refresh: Some(sealed(number, "refresh", 1)),
        scopes: vec!["mail.read".to_owned(), "mail.send".to_owned()],
        granted_at: Some(NOW),
        issued_at: NOW,
        expires_at: Some(NOW + HOUR),
        live_until: vec![NOW + HOUR],
        next_refresh_at: Some(NOW + HOUR / 2),
        last_refreshed_at: None,
        failures: 0,
        last_failure: None,
        lease: None,
        intent_at: None,
        grant_digest: format!("grant-{number}"),
    }
}

/// `credential` as a refresh at `at` would leave it: one version on, new tokens, an hour more.
#[must_use]
pub fn refreshed(credential: &Credential, at: Timestamp) -> Credential {
    let version = credential.version + 1;
    let next =
        |token: &Option<Sealed>| token.as_ref().map(|Sealed(text)| Sealed(format!("{text}-{version}")));
    Credential {
        version,
        access: next(&credential.access),
        refresh: next(&credential.refresh),
        issued_at: at,
        expires_at: Some(at + HOUR),
        live_until: vec![at + HOUR],
        next_refresh_at: Some(at + HOUR / 2),
        last_refreshed_at: Some(at),
        failures: 0,
        last_failure: None,
        lease: None,
        intent_at: None,
        ..credential.clone()
    }
}

/// An event about `connection` and its default credential, at [`NOW`].
#[must_use]
pub fn event(kind: EventKind, connection: &Connection) -> Event {
    Event {
        at: NOW,
        kind,
        tenant_id: Some(connection.tenant_id.clone()),
        provider: Some(connection.provider.clone()),
        connection_id: Some(connection.id),
        credential_id: connection.credential(None).map(|credential| credential.id.clone()),
        detail: None,
        by: Some("service:billing".to_owned()),
        request_id: Some("request-1".to_owned()),
    }
}

/// A revocation by `ops` at [`NOW`].
#[must_use]
pub fn revoked() -> Revoked {
    Revoked {
        at: NOW,
        by: Some("ops".to_owned()),
        reason: Some("asked to".to_owned()),
        at_provider: BTreeMap::new(),
    }
}

/// Made-up ciphertext in the form that `seal` writes, under the data key `key-1`.
fn sealed(number: u32, part: &str, version: u64) -> Sealed {
    Sealed(format!("v1.key-1.{part}-{number}-{version}"))
}
