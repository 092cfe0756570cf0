//! What the keyring promises with every key-encryption key.

use std::collections::HashSet;

use super::*;

pub(super) async fn opens_what_it_sealed_in_this_process_and_another(it: World) {
    let sealed = it.seal().await.unwrap();
    it.opens(&sealed).await.unwrap();
    opens(&it.process(), &it.place(), &sealed).await.unwrap();
    assert!(!sealed.0.contains(CANARY));
}

pub(super) async fn opens_nowhere_but_in_its_place(it: World) {
    let sealed = it.seal().await.unwrap();
    let (tenant, credential, part, version) = (&it.tenant, &it.credential, Part::Access, 1);
    let other = CredentialId::shared("other");
    let elsewhere = [
        Place::Token { tenant, credential: &other, part, version },
        Place::Token { tenant, credential, part: Part::Refresh, version },
        Place::Token { tenant, credential, part, version: 2 },
        Place::Parked { tenant, id: credential.as_str() },
    ];
    for place in elsewhere {
        assert!(refuses(&it.keyring, &place, &sealed).await, "{place:?}");
    }
    let parked = Place::Parked { tenant, id: "1" };
    let sealed = it.keyring.seal(&parked, &SecretString::from(CANARY)).await.unwrap();
    opens(&it.keyring, &parked, &sealed).await.unwrap();
    assert!(refuses(&it.keyring, &Place::Parked { tenant, id: "2" }, &sealed).await);
}

pub(super) async fn refuses_another_tenants_key_even_where_the_names_agree(it: World) {
    let sealed = it.seal().await.unwrap();
    let other = tenant("other");
    let place = Place::Token { tenant: &other, credential: &it.credential, part: Part::Access, version: 1 };
    assert!(refuses(&it.keyring, &place, &sealed).await);
    // Somebody who can write to the store gives the key to the other tenant.
    for key in it.shelf.keys().unwrap().iter_mut() {
        key.owner = KeyOwner::Tenant(other.clone());
    }
    let opened = it.process().open(&place, &sealed).await;
    assert!(matches!(opened, Err(SealError::KeyUnavailable(_))), "the wrapped key is bound to its owner");
}

pub(super) async fn refuses_what_was_changed_or_is_of_another_format(it: World) {
    let Sealed(sealed) = it.seal().await.unwrap();
    let body = sealed.rfind('.').unwrap() + 1;
    for at in body..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = Sealed(String::from_utf8(changed).unwrap());
        assert!(refuses(&it.keyring, &it.place(), &changed).await, "{changed:?}");
    }
    for text in [
        "",
        "xoxb-in-clear",
        "v1..AAAA",
        &sealed[..sealed.len() - 4],
        &sealed[..body],
        &sealed[..body + 3],
        &sealed.replacen("v1", "v2", 1),
        &sealed.replacen("v1.", "v1.x", 1),
    ] {
        assert!(refuses(&it.keyring, &it.place(), &Sealed(text.to_owned())).await, "{text}");
    }
    assert_eq!(key_id(&Sealed("xoxb-in-clear".to_owned())), None);
}

pub(super) async fn two_hundred_first_calls_make_one_key_and_unwrap_it_once(it: World) {
    let it = Arc::new(it);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let it = Arc::clone(&it);
            tokio::spawn(async move { it.seal().await.unwrap() })
        })
        .collect();
    let mut ids = HashSet::new();
    for task in tasks {
        ids.insert(key_id(&task.await.unwrap()).unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(it.shelf.keys().unwrap().len(), 1);
    assert_eq!(it.calls().1, 1);
}

pub(super) async fn two_hundred_opens_of_a_fresh_process_unwrap_each_tenants_key_once(it: World) {
    let it = Arc::new(it);
    let other_tenant = tenant("other");
    let theirs = Place::Parked { tenant: &other_tenant, id: "1" };
    let theirs_sealed = it.keyring.seal(&theirs, &SecretString::from(CANARY)).await.unwrap();
    let ours_sealed = it.seal().await.unwrap();
    let (process, before) = (it.process(), it.calls().1);
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let (it, process) = (Arc::clone(&it), Arc::clone(&process));
            let (ours_sealed, theirs_sealed) = (ours_sealed.clone(), theirs_sealed.clone());
            tokio::spawn(async move {
                match number % 2 {
                    0 => opens(&process, &it.place(), &ours_sealed).await.unwrap(),
                    _ => {
                        let tenant = &tenant("other");
                        opens(&process, &Place::Parked { tenant, id: "1" }, &theirs_sealed).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(it.calls().1, before + 2);
}

pub(super) async fn processes_that_make_a_key_at_once_use_the_same(it: World) {
    let (other, place, secret) = (it.process(), it.place(), SecretString::from(CANARY));
    let (one, two) = tokio::join!(it.seal(), other.seal(&place, &secret));
    assert_eq!(key_id(&one.unwrap()), key_id(&two.unwrap()));
}

pub(super) async fn asks_nobody_while_its_keys_are_fresh(it: World) {
    let sealed = it.seal().await.unwrap();
    let calls = it.calls();
    it.clock.advance(ACTIVE_TTL.saturating_sub(Duration::from_secs(1)));
    it.seal().await.unwrap();
    it.opens(&sealed).await.unwrap();
    assert_eq!(it.calls(), calls);
}

pub(super) async fn keeps_no_key_for_more_than_its_time(it: World) {
    let sealed = it.seal().await.unwrap();
    it.clock.advance(UNWRAPPED_TTL);
    it.opens(&sealed).await.unwrap();
    assert_eq!(it.calls().1, 2);
}

pub(super) async fn a_rotation_is_followed_and_what_older_keys_sealed_still_opens(it: World) {
    let other = it.process();
    let secret = SecretString::from(CANARY);
    let before = other.seal(&it.place(), &secret).await.unwrap();

    let key = it.keyring.rotate(&KeyOwner::Tenant(it.tenant.clone())).await.unwrap();
    let after = it.seal().await.unwrap();
    assert_eq!(key_id(&after), Some(&*key.id));
    assert_ne!(key_id(&after), key_id(&before));
    it.opens(&before).await.unwrap();
    opens(&other, &it.place(), &after).await.unwrap();

    it.clock.advance(ACTIVE_TTL);
    let followed = other.seal(&it.place(), &secret).await.unwrap();
    assert_eq!(key_id(&followed), Some(&*key.id));
}

pub(super) async fn digests_are_the_same_in_every_process_and_after_a_rotation(it: World) {
    let digest = it.keyring.digest(&["client", "account"]).await.unwrap();
    it.keyring.rotate(&KeyOwner::Service).await.unwrap();
    it.clock.advance(UNWRAPPED_TTL);
    assert_eq!(it.keyring.digest(&["client", "account"]).await.unwrap(), digest);
    assert_eq!(it.process().digest(&["client", "account"]).await.unwrap(), digest);
    for parts in [&["client", "accoun", "t"][..], &["clienta", "ccount"], &["account", "client"]] {
        assert_ne!(it.keyring.digest(parts).await.unwrap(), digest);
    }
    let elsewhere = World::new(Arc::clone(&it.key));
    assert_ne!(elsewhere.keyring.digest(&["client", "account"]).await.unwrap(), digest);
}

pub(super) async fn without_the_kms_what_is_unwrapped_goes_on_and_the_rest_says_so(it: World) {
    let sealed = it.seal().await.unwrap();
    it.key.set_away(true);
    it.opens(&sealed).await.unwrap();
    it.seal().await.unwrap();

    let other = it.process();
    let calls = it.calls().1;
    let place = it.place();
    let (one, two) = tokio::join!(opens(&other, &place, &sealed), opens(&other, &place, &sealed));
    assert!(matches!(one, Err(SealError::KeyUnavailable(_))));
    assert!(matches!(two, Err(SealError::KeyUnavailable(_))));
    assert_eq!(it.calls().1, calls + it.key.attempts(), "those who wait together fail together");

    it.key.set_away(false);
    opens(&other, &place, &sealed).await.unwrap();
}

pub(super) async fn without_the_store_what_is_unwrapped_goes_on_and_the_rest_says_so(it: World) {
    let sealed = it.seal().await.unwrap();
    it.shelf.away.store(true, Ordering::SeqCst);
    it.clock.advance(ACTIVE_TTL);
    it.opens(&sealed).await.unwrap();
    it.seal().await.unwrap();

    let other = it.process();
    assert!(matches!(opens(&other, &it.place(), &sealed).await, Err(SealError::Store(_))));
    it.shelf.away.store(false, Ordering::SeqCst);
    opens(&other, &it.place(), &sealed).await.unwrap();
}

pub(super) async fn another_key_encryption_key_is_the_operators_mistake_and_condemns_nothing(it: World) {
    let sealed = it.seal().await.unwrap();
    it.keyring.digest(&["the service has a key of its own"]).await.unwrap();
    let other = it.process_with_another_key();
    let opened = other.open(&it.place(), &sealed).await;
    assert!(matches!(opened, Err(SealError::KeyUnavailable(_))));
    assert!(other.ping().await.is_err(), "a probe tells before anybody asks for a token");
    it.keyring.ping().await.unwrap();
    it.opens(&sealed).await.unwrap();
}

pub(super) async fn a_forgotten_tenants_destroyed_key_opens_nothing_more(it: World) {
    let sealed = it.seal().await.unwrap();
    it.shelf.destroy_keys(&it.tenant).await.unwrap();
    it.opens(&sealed).await.unwrap();
    it.keyring.forget(&it.tenant);
    assert!(refuses(&it.keyring, &it.place(), &sealed).await);
}

pub(super) async fn a_good_answer_to_a_ping_holds_for_some_seconds(it: World) {
    it.keyring.ping().await.unwrap();
    it.key.set_away(true);
    it.keyring.ping().await.unwrap();
    it.clock.advance(PING_TTL);
    assert!(it.keyring.ping().await.is_err());
    it.key.set_away(false);
    it.keyring.ping().await.unwrap();
}
