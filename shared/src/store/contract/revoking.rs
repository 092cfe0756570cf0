//! Revoking: from then on no token is served, and what the provider must still be told is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use super::connecting::in_workspace;
use super::{Subject, again};
use crate::domain::{
    Connection, Credential, Event, EventKind, PendingRevocation, ProviderRevocation, Revoked, Status,
    StatusReason, TokenKind,
};
use crate::store::{EventFilter, RevokeStarted};
use crate::testing::build;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn told(connection: &Connection) -> Event {
    build::event(EventKind::Revoked, connection)
}

async fn revoke(s: &Subject, connection: &Connection) -> RevokeStarted {
    s.revoke(connection).await.unwrap()
}

fn results(connection: &Connection) -> Vec<(TokenKind, ProviderRevocation)> {
    let revoked = connection.revoked.as_ref().unwrap();
    revoked.at_provider.iter().map(|(kind, result)| (*kind, *result)).collect()
}

fn pending(connection: &Connection, credential: &Credential) -> PendingRevocation {
    PendingRevocation {
        connection_id: connection.id,
        credential_id: credential.id.clone(),
        tenant_id: credential.tenant_id.clone(),
        provider: credential.provider.clone(),
        kind: credential.kind,
        version: credential.version,
        access: credential.access.clone(),
        refresh: credential.refresh.clone(),
        next_try_at: build::NOW,
        give_up_at: build::NOW + DAY,
    }
}

pub async fn a_revoked_connection_has_no_tokens_and_what_is_pending_holds_them(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let old = &connection.credentials[0];
    let begun = revoke(&s, &connection).await;
    let waiting = pending(&connection, old);
    let due = s.store.due_revocations(build::NOW, 10).await.unwrap();
    assert_eq!((&begun.pending, due), (&vec![waiting.clone()], vec![waiting]));

    let reason = Some(StatusReason::RevokedByCaller);
    let erased = Credential {
        version: 2,
        status: Status::Revoked,
        status_reason: reason,
        access: None,
        refresh: None,
        next_refresh_at: None,
        ..old.clone()
    };
    let at_provider = BTreeMap::from([(TokenKind::User, ProviderRevocation::Pending)]);
    let expected = Connection {
        status: Status::Revoked,
        status_reason: reason,
        revoked: Some(Revoked { at_provider, ..build::revoked() }),
        credentials: vec![erased],
        ..connection.clone()
    };
    assert_eq!(begun.connection, expected);
    assert_eq!(s.connection(connection.id).await, expected);
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [told(&connection)]);
}

pub async fn a_shared_credential_stays_while_another_connection_uses_it(s: Subject) {
    let first = s.connect(&in_workspace(1, 1)).await;
    let second = s.connect(&in_workspace(2, 2)).await;
    let begun = revoke(&s, &first).await;
    assert_eq!(
        results(&begun.connection),
        [(TokenKind::Bot, ProviderRevocation::Shared), (TokenKind::User, ProviderRevocation::Pending)]
    );
    assert_eq!(begun.pending, [pending(&first, &first.credentials[1])]);
    assert_eq!(s.connection(second.id).await, second);
}

pub async fn the_last_connection_of_a_shared_credential_takes_it_along(s: Subject) {
    let first = s.connect(&in_workspace(1, 1)).await;
    let second = s.connect(&in_workspace(2, 2)).await;
    revoke(&s, &first).await;
    let begun = revoke(&s, &second).await;
    let expected: Vec<_> = second.credentials.iter().map(|each| pending(&second, each)).collect();
    assert_eq!(begun.pending, expected);
    assert_eq!(s.credential(&second).await.access, None);
}

/// Neither must leave the credential to the other.
pub async fn of_two_revoked_at_once_one_takes_a_shared_credential_along(s: Subject) {
    let first = s.connect(&in_workspace(1, 1)).await;
    let second = s.connect(&in_workspace(2, 2)).await;
    let (one, other) = tokio::join!(revoke(&s, &first), revoke(&s, &second));
    let bot = |begun: &RevokeStarted| results(&begun.connection)[0].1;
    let mut bots = [bot(&one), bot(&other)];
    bots.sort_by_key(|result| *result == ProviderRevocation::Pending);
    assert_eq!(bots, [ProviderRevocation::Shared, ProviderRevocation::Pending]);
    assert_eq!(s.credential(&first).await.access, None);
}

pub async fn of_two_revoked_at_once_one_tells_the_provider_of_their_grant(s: Subject) {
    let mut both = Vec::new();
    for (number, tenant) in [(1, "acme"), (2, "other")] {
        let mut connection = build::connection(number);
        connection.tenant_id = build::tenant(tenant);
        let credential = &mut connection.credentials[0];
        (credential.tenant_id, credential.grant_digest) = (build::tenant(tenant), "grant".to_owned());
        both.push(s.connect(&connection).await);
    }
    let (one, other) = tokio::join!(revoke(&s, &both[0]), revoke(&s, &both[1]));
    assert_eq!(one.pending.len() + other.pending.len(), 1);
    assert!(!s.store.grant_in_use("grant").await.unwrap());
}

pub async fn a_grant_that_another_tenant_uses_is_shared(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let mut other = build::connection(2);
    other.tenant_id = build::tenant("other");
    other.credentials[0].tenant_id = build::tenant("other");
    other.credentials[0].grant_digest = connection.credentials[0].grant_digest.clone();
    let other = s.connect(&other).await;

    let begun = revoke(&s, &connection).await;
    assert_eq!(results(&begun.connection), [(TokenKind::User, ProviderRevocation::Shared)]);
    assert_eq!(begun.pending, []);
    assert_eq!(s.credential(&connection).await.access, None);
    assert_eq!(s.connection(other.id).await, other);

    let begun = revoke(&s, &other).await;
    assert_eq!(results(&begun.connection), [(TokenKind::User, ProviderRevocation::Pending)]);
}

pub async fn two_halves_of_one_grant_do_not_keep_each_other_alive(s: Subject) {
    let mut connection = build::slack(1, "T1");
    connection.credentials[1].grant_digest = connection.credentials[0].grant_digest.clone();
    let connection = s.connect(&connection).await;
    assert_eq!(revoke(&s, &connection).await.pending.len(), 2);
}

pub async fn revoking_twice_changes_nothing_and_answers_what_is_pending(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let first = revoke(&s, &connection).await;
    let later = Revoked { at: build::NOW + DAY, by: None, ..build::revoked() };
    let event = told(&connection);
    let again = s.store.begin_revocation(connection.id, &later, &event).await.unwrap();
    assert_eq!(again, Some(first));
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items.len(), 1);
}

pub async fn revoking_nothing_is_none(s: Subject) {
    assert_eq!(s.revoke(&build::connection(1)).await, None);
    assert_eq!(s.store.events(&EventFilter::default(), None, 10).await.unwrap().items, []);
}

pub async fn settling_deletes_the_tokens_and_keeps_the_result(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let waiting = revoke(&s, &connection).await.pending.remove(0);
    let event = build::event(EventKind::ProviderRevocation, &connection);
    for result in [ProviderRevocation::Revoked, ProviderRevocation::AlreadyInvalid] {
        s.store.settle_revocation(&waiting, result, &event).await.unwrap();
        // The second time there is nothing to settle.
        let stored = s.connection(connection.id).await;
        assert_eq!(results(&stored), [(TokenKind::User, ProviderRevocation::Revoked)]);
    }
    assert_eq!(s.store.due_revocations(build::NOW + DAY, 10).await.unwrap(), []);
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [event, told(&connection)]);
}

pub async fn two_sets_of_tokens_of_one_version_are_revoked_apart(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let one = revoke(&s, &connection).await.pending.remove(0);
    let other = PendingRevocation {
        refresh: Some(crate::domain::Sealed("v1.key.what-a-frozen-process-received".to_owned())),
        ..one.clone()
    };
    s.store.add_revocation(&other).await.unwrap();
    let event = build::event(EventKind::ProviderRevocation, &connection);
    s.store.settle_revocation(&other, ProviderRevocation::Revoked, &event).await.unwrap();
    assert_eq!(s.store.due_revocations(build::NOW, 10).await.unwrap(), [one]);
}

pub async fn a_revocation_that_is_put_off_is_due_later(s: Subject) {
    let mut waiting = Vec::new();
    for number in 1..=3 {
        let connection = s.connect(&build::connection(number)).await;
        waiting.extend(revoke(&s, &connection).await.pending);
    }
    let later = build::NOW + Duration::from_secs(60);
    let first = &waiting[0];
    s.store.postpone_revocation(first, later).await.unwrap();
    assert_eq!(s.store.due_revocations(build::NOW, 10).await.unwrap(), waiting[1..]);
    assert_eq!(s.store.due_revocations(build::NOW, 1).await.unwrap(), waiting[1..2]);
    let due = s.store.due_revocations(later, 10).await.unwrap();
    assert_eq!(due[..2], waiting[1..]);
    assert_eq!(due[2], PendingRevocation { next_try_at: later, ..first.clone() });
}

pub async fn tokens_that_came_too_late_are_pending_beside_the_others(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let begun = revoke(&s, &connection).await;
    let late = build::refreshed(&connection.credentials[0], build::NOW);
    let late = pending(&connection, &late);
    for _ in 0..2 {
        s.store.add_revocation(&late).await.unwrap();
    }
    let due = s.store.due_revocations(build::NOW, 10).await.unwrap();
    assert_eq!(due.len(), 2);
    assert!(due.contains(&late) && due.contains(&begun.pending[0]));
}

pub async fn a_grant_is_in_use_while_an_active_credential_of_any_tenant_has_it(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let digest = &connection.credentials[0].grant_digest;
    assert!(s.store.grant_in_use(digest).await.unwrap());
    assert!(!s.store.grant_in_use("grant-2").await.unwrap());
    revoke(&s, &connection).await;
    assert!(!s.store.grant_in_use(digest).await.unwrap());

    let mut back = again(&s.connection(connection.id).await);
    (back.status, back.status_reason, back.revoked) = (Status::Active, None, None);
    (back.credentials[0].status, back.credentials[0].status_reason) = (Status::Active, None);
    s.connect(&back).await;
    assert!(s.store.grant_in_use(digest).await.unwrap());
}
