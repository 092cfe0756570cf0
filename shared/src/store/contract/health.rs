//! Health: verdicts on the tokens that were tested, and on no others.

use std::time::Duration;

use super::connecting::ids;
use super::{Subject, again};
use crate::domain::{Connection, EventKind, Health, HealthStatus};
use crate::store::{EventFilter, HealthWrite, SHARDS, shard_of};
use crate::testing::build;

fn unhealthy(connection: &Connection) -> HealthWrite {
    let credential = &connection.credentials[0];
    HealthWrite {
        connection_id: connection.id,
        tested: (credential.id.clone(), credential.version),
        verdict: Some((HealthStatus::Unhealthy, Some("token_revoked".to_owned()))),
        checked_at: build::NOW,
        next_probe_at: build::NOW + Duration::from_secs(3600),
        event: Some(build::event(EventKind::Health, connection)),
    }
}

async fn due(s: &Subject, connection: &Connection) -> Option<crate::domain::Timestamp> {
    let shard = shard_of(&connection.id.to_string());
    let far = build::NOW + Duration::from_secs(1_000_000);
    let due = s.store.due_probes(shard, far, None, 100).await.unwrap();
    due.into_iter().find(|(_, it)| it.id == connection.id).map(|(at, _)| at)
}

pub async fn a_verdict_is_written_and_touches_no_version(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let write = unhealthy(&connection);
    assert!(s.store.set_health(&write).await.unwrap());
    let health = Health {
        status: Some(HealthStatus::Unhealthy),
        error: Some("token_revoked".to_owned()),
        checked_at: Some(build::NOW),
    };
    assert_eq!(s.connection(connection.id).await, Connection { health, ..connection.clone() });
    assert_eq!(due(&s, &connection).await, Some(write.next_probe_at));
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [write.event.unwrap()]);

    // The refresh that was under way is not fenced out by it.
    let next = build::refreshed(&connection.credentials[0], build::NOW);
    let event = build::event(EventKind::Refreshed, &connection);
    let saved = s.store.save_refreshed(&next, &event).await.unwrap();
    assert_eq!(saved, crate::store::Saved::Done);
}

pub async fn a_check_that_said_nothing_only_moves_the_next_one(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let write = HealthWrite { verdict: None, event: None, ..unhealthy(&connection) };
    assert!(s.store.set_health(&write).await.unwrap());
    assert_eq!(s.connection(connection.id).await, connection);
    assert_eq!(due(&s, &connection).await, Some(write.next_probe_at));
}

pub async fn a_verdict_on_other_tokens_or_a_revoked_connection_is_refused(s: Subject) {
    let old = s.connect(&build::connection(1)).await;
    let new = s.connect(&again(&old)).await;
    assert!(!s.store.set_health(&unhealthy(&old)).await.unwrap());
    assert_eq!(s.connection(new.id).await, new);

    let event = build::event(EventKind::Revoked, &new);
    s.revoke(&new).await.unwrap();
    let revoked = s.connection(new.id).await;
    assert!(!s.store.set_health(&unhealthy(&revoked)).await.unwrap());
    assert_eq!(s.connection(new.id).await, revoked);
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [event]);
}

pub async fn probes_are_due_by_shard_oldest_first_in_pages(s: Subject) {
    // Later numbers are due earlier, but for two that are due at the same time.
    let at = |number: u32| build::NOW - Duration::from_secs(u64::from(number / 2));
    for number in 1..=40 {
        let connection = build::connection(number);
        s.store.connect(&connection, at(number), &[]).await.unwrap();
    }
    let revoked = build::connection(40);
    s.revoke(&revoked).await.unwrap();

    let mut seen = Vec::new();
    for shard in 0..SHARDS {
        let (mut after, mut of_shard) = (None, Vec::new());
        loop {
            let page = s.store.due_probes(shard, at(2), after, 2).await.unwrap();
            of_shard.extend(page.iter().map(|(at, it)| (*at, it.id)));
            assert!(page.iter().all(|(_, it)| shard_of(&it.id.to_string()) == shard));
            assert!(page.iter().all(|(_, it)| it.credentials.len() == 1));
            after = page.last().map(|(at, it)| (*at, it.id));
            if page.len() < 2 {
                break;
            }
        }
        assert!(of_shard.is_sorted());
        seen.extend(of_shard.into_iter().map(|(_, id)| id));
    }
    seen.sort();
    // Numbers 1 to 3 are due at or after `at(2)`.
    assert_eq!(seen, ids(4..=39));
}
