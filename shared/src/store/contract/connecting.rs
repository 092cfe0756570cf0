//! Connecting: all of a connection is written, or nothing.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Subject, again};
use crate::domain::{ConnectionId, EventKind, Sealed, Status, StatusReason, TokenKind};
use crate::store::{Connect, EventFilter, Leased};
use crate::testing::build;

pub async fn a_new_connection_is_read_back_as_it_was_written(s: Subject) {
    let mut connection = build::slack(1, "T1");
    connection.revoked = Some(build::revoked());
    connection.health.error = Some("none".to_owned());
    assert_eq!(s.connect(&connection).await, connection);
    for credential in &connection.credentials {
        assert_eq!(s.store.credential(&credential.id).await.unwrap().as_ref(), Some(credential));
    }
    assert_eq!(s.store.connection(build::connection_id(2)).await.unwrap(), None);
}

pub async fn a_connection_is_replaced_when_every_version_is_the_next(s: Subject) {
    let first = s.connect(&build::connection(1)).await;
    let mut second = again(&first);
    second.requested_scopes.clear();
    second.account.email = None;
    assert_eq!(s.connect(&second).await, second);
}

pub async fn a_version_that_is_not_the_next_conflicts_and_writes_nothing(s: Subject) {
    let mut new = build::slack(1, "T1");
    new.credentials[1].version = 2;
    assert_eq!(s.try_connect(&new).await, Connect::Conflict);
    assert_eq!(s.store.connection(new.id).await.unwrap(), None);
    assert_eq!(s.store.credential(&new.credentials[0].id).await.unwrap(), None);

    let stored = s.connect(&build::slack(1, "T1")).await;
    for version in [0, 1, 3] {
        let mut wrong = again(&stored);
        wrong.account.email = Some("changed@example.com".to_owned());
        wrong.credentials[1].version = version;
        assert_eq!(s.try_connect(&wrong).await, Connect::Conflict);
        assert_eq!(s.connection(stored.id).await, stored);
    }
}

pub async fn a_place_that_another_id_holds_conflicts_and_writes_nothing(s: Subject) {
    let holder = s.connect(&build::connection(1)).await;
    let mut other = build::connection(2);
    other.user_id = holder.user_id.clone();
    other.account = holder.account.clone();
    assert_eq!(s.try_connect(&other).await, Connect::Conflict);
    assert_eq!(s.store.connection(other.id).await.unwrap(), None);
    assert_eq!(s.store.credential(&other.credentials[0].id).await.unwrap(), None);

    // Another team, tenant, user or provider is another place.
    other.account.team_id = Some("T1".to_owned());
    s.connect(&other).await;
}

pub async fn simultaneous_connects_of_one_account_make_one_connection(s: Subject) {
    let rivals: Vec<_> = (1..=50)
        .map(|number| {
            let mut rival = build::connection(number);
            rival.user_id = build::user("ann");
            rival.account = build::connection(1).account;
            rival
        })
        .collect();
    let outcomes = join_all(rivals.iter().map(|rival| s.try_connect(rival))).await;
    let done = outcomes.iter().filter(|outcome| **outcome == Connect::Done).count();
    let found = s.store.select(&rivals[0].tenant_id, &rivals[0].user_id, &rivals[0].provider).await.unwrap();
    assert_eq!((done, found.len()), (1, 1));
}

pub async fn connecting_again_ends_leases_and_intents(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let id = &connection.credentials[0].id;
    s.store.lease(id, 1, "me", Duration::from_secs(30)).await.unwrap();
    let leased = s.credential(&connection).await;
    assert!(leased.lease.is_some() && leased.intent_at.is_some());

    s.connect(&again(&connection)).await;
    let free = s.credential(&connection).await;
    assert_eq!((free.lease, free.intent_at, free.version), (None, None, 2));
    let taken = s.store.lease(id, 2, "other", Duration::from_secs(30)).await.unwrap();
    assert!(matches!(taken, Leased::Taken(_)));
}

pub async fn credentials_that_a_consent_did_not_bring_are_kept_and_the_bot_stays_the_default(s: Subject) {
    let both = s.connect(&build::slack(1, "T1")).await;
    let mut user_only = again(&both);
    user_only.credentials.remove(0);
    let merged = s.connect(&user_only).await;
    assert_eq!(merged.credentials, [both.credentials[0].clone(), user_only.credentials[0].clone()]);
}

pub async fn a_kept_credential_that_is_dead_is_not_the_default(s: Subject) {
    let both = s.connect(&build::slack(1, "T1")).await;
    let bot = &both.credentials[0];
    let event = build::event(EventKind::GrantEnded, &both);
    s.store.condemn(&bot.id, bot.version, StatusReason::AppUninstalled, &event).await.unwrap();
    let mut user_only = again(&both);
    user_only.credentials.remove(0);
    let merged = s.connect(&user_only).await;
    assert_eq!(merged.status, Status::Active);
    assert_eq!(merged.credential(None), Some(&user_only.credentials[0]));
    assert_eq!(merged.credentials[1].status, Status::Revoked);
}

pub async fn a_shared_credential_reactivates_its_connections_but_those_revoked_here(s: Subject) {
    let connections: Vec<_> = (1..=3).map(|number| in_workspace(number, u64::from(number))).collect();
    for connection in &connections {
        s.connect(connection).await;
    }
    let [first, second, third] = &connections[..] else { unreachable!() };
    let event = build::event(EventKind::GrantEnded, first);
    s.revoke(third).await.unwrap();
    let bot = s.credential(first).await;
    let reason = StatusReason::AppUninstalled;
    s.store.condemn(&bot.id, bot.version, reason, &event).await.unwrap();
    assert_eq!(s.connection(second.id).await.status, Status::Revoked);

    let mut consent = again(&s.connection(first.id).await);
    (consent.status, consent.status_reason) = (Status::Active, None);
    consent.credentials.truncate(1);
    (consent.credentials[0].status, consent.credentials[0].status_reason) = (Status::Active, None);
    s.connect(&consent).await;

    let second = s.connection(second.id).await;
    assert_eq!((second.status, second.status_reason), (Status::Active, None));
    assert_eq!(second.credentials[0].status, Status::Active);
    let third = s.connection(third.id).await;
    assert_eq!(third.status_reason, Some(StatusReason::RevokedByCaller));
}

pub async fn the_events_are_written_with_the_connection(s: Subject) {
    let connection = build::connection(1);
    let event = build::event(EventKind::Connected, &connection);
    let events = std::slice::from_ref(&event);
    let all = EventFilter::default();
    let first = s.store.connect(&connection, build::NOW, events).await.unwrap();
    let repeated = s.store.connect(&connection, build::NOW, events).await.unwrap();
    assert_eq!((first, repeated), (Connect::Done, Connect::Conflict));
    assert_eq!(s.store.events(&all, None, 10).await.unwrap().items, [event]);
}

/// Connection `number` of workspace T1, whose shared bot credential is written for the `version`th time.
pub(super) fn in_workspace(number: u32, version: u64) -> crate::domain::Connection {
    let mut connection = build::slack(number, "T1");
    let bot = &mut connection.credentials[0];
    assert_eq!(bot.kind, TokenKind::Bot);
    bot.version = version;
    bot.access = Some(Sealed(format!("v1.key-1.bot-{version}")));
    connection
}

/// The id of connection `number`, to shorten lists of expectations.
pub(super) fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<ConnectionId> {
    numbers.into_iter().map(build::connection_id).collect()
}
