//! Data keys: one is active per owner, and none is lost while it seals something.

use futures_util::future::join_all;

use super::Subject;
use crate::domain::{Credential, Sealed};
use crate::store::{KeyOwner, KeyUse, WrappedKey};
use crate::testing::build;

fn key(id: &str, owner: &KeyOwner) -> WrappedKey {
    WrappedKey {
        id: id.to_owned(),
        owner: owner.clone(),
        wrapped: format!("wrapped {id}").into_bytes(),
        created_at: build::NOW,
    }
}

fn acme() -> KeyOwner {
    KeyOwner::Tenant(build::tenant("acme"))
}

pub async fn of_two_who_add_a_key_at_once_one_wins_and_both_learn_it(s: Subject) {
    let rivals: Vec<_> = (0..50).map(|number| key(&format!("k{number}"), &acme())).collect();
    let answers = join_all(rivals.iter().map(|rival| s.store.add_key(rival, None))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(rivals.contains(&answers[0]));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(s.store.active_key(&acme()).await.unwrap(), Some(answers[0].clone()));
    assert_eq!(s.store.key_uses(None).await.unwrap().len(), 1);
}

pub async fn a_key_replaces_only_the_one_it_says(s: Subject) {
    let [first, second, third] = ["k1", "k2", "k3"].map(|id| key(id, &acme()));
    assert_eq!(s.store.active_key(&acme()).await.unwrap(), None);
    assert_eq!(s.store.add_key(&first, None).await.unwrap(), first);
    assert_eq!(s.store.add_key(&second, Some("k1")).await.unwrap(), second);
    // Somebody who still believes in the first is told of the second.
    assert_eq!(s.store.add_key(&third, Some("k1")).await.unwrap(), second);
    assert_eq!(s.store.add_key(&third, None).await.unwrap(), second);
    assert_eq!(s.store.active_key(&acme()).await.unwrap(), Some(second));
    // The old one still opens what it sealed.
    assert_eq!(s.store.key("k1").await.unwrap(), Some(first));
    assert_eq!(s.store.key("k3").await.unwrap(), None);
}

pub async fn owners_have_keys_of_their_own(s: Subject) {
    let other = KeyOwner::Tenant(build::tenant("service"));
    for (id, owner) in [("k1", KeyOwner::Service), ("k2", acme()), ("k3", other)] {
        let key = key(id, &owner);
        assert_eq!(s.store.add_key(&key, None).await.unwrap(), key);
        assert_eq!(s.store.active_key(&owner).await.unwrap(), Some(key));
    }
}

pub async fn uses_are_counted_by_key_newest_first(s: Subject) {
    let old = key("k1", &acme());
    let new = WrappedKey { created_at: build::NOW + std::time::Duration::from_secs(1), ..key("k2", &acme()) };
    let other = key("k3", &KeyOwner::Tenant(build::tenant("other")));
    s.store.add_key(&old, None).await.unwrap();
    s.store.add_key(&new, Some("k1")).await.unwrap();
    s.store.add_key(&other, None).await.unwrap();
    // Both tokens under one key count once; one under each counts for each.
    for (number, access, refresh) in [(1, "k1", "k1"), (2, "k2", "k1"), (3, "k2", "k2"), (4, "k2", "k2")] {
        let mut connection = build::connection(number);
        connection.credentials[0].access = Some(Sealed(format!("v1.{access}.a")));
        connection.credentials[0].refresh = Some(Sealed(format!("v1.{refresh}.r")));
        s.connect(&connection).await;
    }
    let counted = |key, active, credentials| KeyUse { key, active, credentials };
    let uses = s.store.key_uses(Some(&build::tenant("acme"))).await.unwrap();
    assert_eq!(uses, [counted(new, true, 3), counted(old, false, 2)]);
    let all = s.store.key_uses(None).await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.contains(&counted(other, true, 0)));
}

/// Everything that old keys seal, read in pages.
async fn old_ones(s: &Subject, limit: usize) -> Vec<Credential> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = s.store.sealed_with_old_keys(after.as_deref(), limit).await.unwrap();
        assert!(page.items.len() == limit || page.next.is_none());
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

pub async fn what_old_keys_seal_is_found_and_resealed_only_as_it_was_read(s: Subject) {
    s.store.add_key(&key("key-1", &acme()), None).await.unwrap();
    for number in 1..=5 {
        s.connect(&build::connection(number)).await;
    }
    assert_eq!(old_ones(&s, 10).await, []);
    s.store.add_key(&key("key-2", &acme()), Some("key-1")).await.unwrap();
    let all: Vec<_> = (1..=5).map(build::credential).collect();
    for limit in 1..=6 {
        assert_eq!(old_ones(&s, limit).await, all);
    }

    let it = &all[0];
    let old = (it.access.as_ref(), it.refresh.as_ref());
    let [access, refresh] = ["v1.key-2.a", "v1.key-2.r"].map(|text| Sealed(text.to_owned()));
    let new = (Some(&access), Some(&refresh));
    assert!(!s.store.reseal(&it.id, (it.access.as_ref(), None), new).await.unwrap());
    assert!(!s.store.reseal(&it.id, new, new).await.unwrap());
    assert!(s.store.reseal(&it.id, old, new).await.unwrap());
    assert!(!s.store.reseal(&it.id, old, new).await.unwrap());
    let resealed = s.store.credential(&it.id).await.unwrap().unwrap();
    assert_eq!((resealed.access, resealed.refresh, resealed.version), (Some(access), Some(refresh), 1));
    assert_eq!(old_ones(&s, 10).await, all[1..]);

    // One token of two under the old key is enough to be found.
    let second = &all[1];
    let fresh = Sealed("v1.key-2.a2".to_owned());
    let old = (second.access.as_ref(), second.refresh.as_ref());
    s.store.reseal(&second.id, old, (Some(&fresh), second.refresh.as_ref())).await.unwrap();
    let found = old_ones(&s, 1).await;
    assert_eq!((found.len(), &found[0].id), (4, &second.id));
}

pub async fn destroying_keys_takes_the_pending_revocations_of_that_tenant_only(s: Subject) {
    let other = KeyOwner::Tenant(build::tenant("other"));
    s.store.add_key(&key("k1", &acme()), None).await.unwrap();
    s.store.add_key(&key("k2", &acme()), Some("k1")).await.unwrap();
    s.store.add_key(&key("k3", &other), None).await.unwrap();
    for (number, tenant) in [(1, "acme"), (2, "other")] {
        let mut connection = build::connection(number);
        connection.tenant_id = build::tenant(tenant);
        connection.credentials[0].tenant_id = build::tenant(tenant);
        s.connect(&connection).await;
        s.revoke(&connection).await.unwrap();
    }
    assert_eq!(s.store.destroy_keys(&build::tenant("acme")).await.unwrap(), 2);
    assert_eq!(s.store.key("k1").await.unwrap(), None);
    assert_eq!(s.store.active_key(&acme()).await.unwrap(), None);
    assert_eq!(s.store.active_key(&other).await.unwrap(), Some(key("k3", &other)));
    let left = s.store.due_revocations(build::NOW, 10).await.unwrap();
    assert_eq!(left.iter().map(|it| it.connection_id).collect::<Vec<_>>(), [build::connection_id(2)]);
}
