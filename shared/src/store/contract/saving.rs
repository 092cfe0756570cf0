//! Saving and condemning: what a refresh brings is written once, and never over somebody else's.

use std::time::Duration;

use super::connecting::{ids, in_workspace};
use super::{Subject, again};
use crate::domain::{Connection, Credential, Event, EventKind, Status, StatusReason};
use crate::store::{EventFilter, Release, Saved};
use crate::testing::build;

const LENGTH: Duration = Duration::from_secs(30);

fn told(connection: &Connection) -> Event {
    build::event(EventKind::Refreshed, connection)
}

pub async fn new_tokens_end_the_lease_the_intent_and_the_failures(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let old = &connection.credentials[0];
    s.store.lease(&old.id, 1, "me", LENGTH).await.unwrap();
    let failed = Release {
        id: old.id.clone(),
        owner: "me".to_owned(),
        intent_at: Some(build::NOW),
        next_refresh_at: None,
        failures: 2,
        last_failure: Some("provider_unavailable".to_owned()),
        event: None,
    };
    s.store.release(&failed).await.unwrap();
    s.store.lease(&old.id, 1, "me", LENGTH).await.unwrap();

    let new = build::refreshed(old, build::NOW + LENGTH);
    // What a flow may have left in its copy is not written.
    let sent = Credential { failures: 2, intent_at: Some(build::NOW), ..new.clone() };
    assert_eq!(s.store.save_refreshed(&sent, &told(&connection)).await.unwrap(), Saved::Done);
    assert_eq!(s.credential(&connection).await, new);
}

pub async fn saying_the_same_twice_is_done_twice_and_told_once(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let new = build::refreshed(&connection.credentials[0], build::NOW);
    for _ in 0..2 {
        assert_eq!(s.store.save_refreshed(&new, &told(&connection)).await.unwrap(), Saved::Done);
    }
    assert_eq!(s.credential(&connection).await, new);
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [told(&connection)]);
}

pub async fn tokens_of_a_version_that_somebody_has_written_are_fenced(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let mine = build::refreshed(&connection.credentials[0], build::NOW);
    let theirs = s.connect(&again(&connection)).await.credentials.remove(0);
    let mine = Credential { access: mine.refresh.clone(), ..mine };
    for version in [1, 2, 4] {
        let mine = Credential { version, ..mine.clone() };
        let saved = s.store.save_refreshed(&mine, &told(&connection)).await.unwrap();
        assert_eq!(saved, Saved::Fenced(Box::new(theirs.clone())));
    }
    assert_eq!(s.credential(&connection).await, theirs);
    assert_eq!(s.store.events(&EventFilter::default(), None, 10).await.unwrap().items, []);
}

pub async fn tokens_that_arrive_after_a_revocation_are_fenced(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let old = &connection.credentials[0];
    s.store.lease(&old.id, 1, "me", LENGTH).await.unwrap();
    s.revoke(&connection).await.unwrap();
    let erased = s.credential(&connection).await;
    assert_eq!((&erased.access, &erased.refresh, &erased.lease), (&None, &None, &None));

    let new = build::refreshed(old, build::NOW);
    let saved = s.store.save_refreshed(&new, &told(&connection)).await.unwrap();
    assert_eq!(saved, Saved::Fenced(Box::new(erased.clone())));
    assert_eq!(s.credential(&connection).await, erased);
}

pub async fn tokens_of_nothing_are_missing(s: Subject) {
    let new = build::refreshed(&build::credential(1), build::NOW);
    let saved = s.store.save_refreshed(&new, &told(&build::connection(1))).await.unwrap();
    assert_eq!(saved, Saved::Missing);
}

pub async fn tokens_that_arrive_after_a_condemnation_revive(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let old = &connection.credentials[0];
    let event = build::event(EventKind::GrantEnded, &connection);
    s.store.condemn(&old.id, 1, StatusReason::RefreshOutcomeUnknown, &event).await.unwrap();
    let new = build::refreshed(old, build::NOW);
    assert_eq!(s.store.save_refreshed(&new, &told(&connection)).await.unwrap(), Saved::Done);
    let alive = s.connection(connection.id).await;
    assert_eq!((alive.status, alive.status_reason), (Status::Active, None));
    assert_eq!(alive.credentials, [new]);
}

pub async fn condemning_keeps_the_tokens_and_names_the_connections(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let old = &connection.credentials[0];
    s.store.lease(&old.id, 1, "me", LENGTH).await.unwrap();
    let event = build::event(EventKind::GrantEnded, &connection);
    let reason = StatusReason::GrantExpired;
    let users = s.store.condemn(&old.id, 1, reason, &event).await.unwrap();
    assert_eq!(users, Some(ids([1])));

    let dead = s.connection(connection.id).await;
    assert_eq!((dead.status, dead.status_reason), (Status::Expired, Some(reason)));
    let credential = &dead.credentials[0];
    assert_eq!((credential.status, credential.status_reason), (Status::Expired, Some(reason)));
    assert_eq!((&credential.access, &credential.refresh), (&old.access, &old.refresh));
    assert_eq!(credential.version, 1);
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [event]);
}

pub async fn condemning_carries_to_those_of_which_it_is_the_default_but_those_revoked_here(s: Subject) {
    for number in 1..=3 {
        s.connect(&in_workspace(number, u64::from(number))).await;
    }
    let fourth = s.connect(&in_workspace(4, 4)).await;
    let [bot, user] = &fourth.credentials[..] else { unreachable!() };
    let [first, second, third] = ids(1..=3)[..] else { unreachable!() };
    let event = build::event(EventKind::GrantEnded, &fourth);
    s.store.begin_revocation(third, &build::revoked(), &event).await.unwrap();

    let reason = StatusReason::AppUninstalled;
    // The user's half is not the default of the fourth.
    let users = s.store.condemn(&user.id, user.version, reason, &event).await.unwrap();
    assert_eq!(users, Some(vec![fourth.id]));
    assert_eq!(s.connection(fourth.id).await.status_reason, None);

    let users = s.store.condemn(&bot.id, bot.version, reason, &event).await.unwrap();
    assert_eq!(users, Some(ids(1..=4)));
    for (id, reason) in [
        (first, StatusReason::AppUninstalled),
        (second, StatusReason::AppUninstalled),
        (third, StatusReason::RevokedByCaller),
        (fourth.id, StatusReason::AppUninstalled),
    ] {
        assert_eq!(s.connection(id).await.status_reason, Some(reason));
    }
}

pub async fn the_users_of_a_shared_credential_are_all_connections_of_its_workspace(s: Subject) {
    for number in 1..=2 {
        s.connect(&in_workspace(number, u64::from(number))).await;
    }
    let elsewhere = s.connect(&build::connection(3)).await;
    let connection = s.connection(ids(1..=1)[0]).await;
    let [bot, user] = &connection.credentials[..] else { unreachable!() };
    assert_eq!(s.store.users(&bot.id).await.unwrap(), ids(1..=2));
    assert_eq!(s.store.users(&user.id).await.unwrap(), ids(1..=1));
    assert_eq!(s.store.users(&elsewhere.credentials[0].id).await.unwrap(), [elsewhere.id]);
}

pub async fn condemning_another_version_does_nothing_and_says_so(s: Subject) {
    let old = s.connect(&build::connection(1)).await;
    let new = s.connect(&again(&old)).await;
    let event = build::event(EventKind::GrantEnded, &old);
    let id = &old.credentials[0].id;
    let users = s.store.condemn(id, 1, StatusReason::GrantExpired, &event).await.unwrap();
    assert_eq!(users, None);
    let nothing = build::credential(7).id;
    assert_eq!(s.store.condemn(&nothing, 1, StatusReason::GrantExpired, &event).await.unwrap(), None);
    assert_eq!(s.connection(new.id).await, new);
    assert_eq!(s.store.events(&EventFilter::default(), None, 10).await.unwrap().items, []);
}
