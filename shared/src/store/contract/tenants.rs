//! Tenants: one goes without a trace in the others.

use std::time::Duration;

use super::Subject;
use super::journal::attempt;
use crate::domain::{Connection, EventKind, ProviderRevocation};
use crate::store::{EventFilter, Filter, KeyOwner, OneTime, Space, WrappedKey};
use crate::testing::build;

/// Connections 1 and 2 of `acme`, 3 of `other`, each with an event and a count.
async fn two_tenants(s: &Subject) -> Vec<Connection> {
    let mut connections = [build::slack(1, "T1"), build::connection(2), build::slack(3, "T3")];
    connections[2].tenant_id = build::tenant("other");
    for credential in &mut connections[2].credentials {
        credential.tenant_id = build::tenant("other");
    }
    for connection in &connections {
        s.connect(connection).await;
        let event = build::event(EventKind::Connected, connection);
        s.store.record(&[event]).await.unwrap();
        s.store.count_served(&[(connection.id, 1, 1)]).await.unwrap();
    }
    connections.to_vec()
}

pub async fn a_deleted_tenant_is_gone_and_another_is_untouched(s: Subject) {
    let connections = two_tenants(&s).await;
    let kept = &connections[2];
    let end = build::NOW + Duration::from_secs(60);
    let other = OneTime { tenant_id: build::tenant("other"), ..attempt("other", end) };
    s.store.put_once(&attempt("acme", end)).await.unwrap();
    s.store.put_once(&other).await.unwrap();

    assert_eq!(s.store.delete_tenant(&build::tenant("acme")).await.unwrap(), 2);
    assert_eq!(s.store.delete_tenant(&build::tenant("acme")).await.unwrap(), 0);
    let left = s.store.list(&Filter::default(), None, 10).await.unwrap();
    assert_eq!(left.items, std::slice::from_ref(kept));
    for gone in &connections[..2] {
        assert_eq!(s.store.credential(&gone.credentials[0].id).await.unwrap(), None);
        assert_eq!(s.store.served(gone.id, 0).await.unwrap(), []);
    }
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [build::event(EventKind::Connected, kept)]);
    assert_eq!(s.store.served(kept.id, 0).await.unwrap(), [(1, 1)]);
    let take = |id| s.store.take_once(Space::Attempt, id, build::NOW);
    assert_eq!(take("acme").await.unwrap(), None);
    assert!(take("other").await.unwrap().is_some());
}

pub async fn pending_revocations_and_keys_outlive_their_tenant(s: Subject) {
    let connections = two_tenants(&s).await;
    let owner = KeyOwner::Tenant(build::tenant("acme"));
    let key = WrappedKey { id: "k1".to_owned(), owner, wrapped: vec![1], created_at: build::NOW };
    s.store.add_key(&key, None).await.unwrap();
    let event = build::event(EventKind::ProviderRevocation, &connections[0]);
    let pending = s.revoke(&connections[0]).await.unwrap().pending;
    assert_eq!(pending.len(), 2);

    s.store.delete_tenant(&build::tenant("acme")).await.unwrap();
    let mut due = s.store.due_revocations(build::NOW, 10).await.unwrap();
    due.sort_by_key(|each| each.kind);
    assert_eq!(due, pending);
    assert_eq!(s.store.active_key(&key.owner).await.unwrap().as_ref(), Some(&key));
    // The provider's answer still ends it, though there is no connection to keep it on.
    for each in &pending {
        let result = ProviderRevocation::Revoked;
        s.store.settle_revocation(each, result, &event).await.unwrap();
    }
    assert_eq!(s.store.due_revocations(build::NOW, 10).await.unwrap(), []);
}
