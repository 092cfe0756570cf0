//! Tokens that an earlier service encrypted with the KMS key itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_kms::{Corrupt, Effect, Fault};

use super::cloud::Cloud;
use super::*;
use crate::seal::is_ours;
use crate::secret::SecretBytes;

/// A world, and the KMS in it.
async fn world() -> (World, Arc<Cloud>) {
    let cloud = Arc::new(Cloud::own().await);
    (World::new(Arc::clone(&cloud) as Arc<dyn TestKey>), cloud)
}

/// A text as the earlier service stored it.
async fn earlier(wrap: &dyn KeyWrap) -> Sealed {
    let token = SecretBytes::new(CANARY.as_bytes().to_vec());
    Sealed(STANDARD.encode(wrap.wrap(&token, b"").await.unwrap()))
}

async fn is_key_unavailable(keyring: &Keyring, it: &World, sealed: &Sealed) -> bool {
    matches!(keyring.open(&it.place(), sealed).await, Err(SealError::KeyUnavailable(_)))
}

#[tokio::test]
async fn opens_what_an_earlier_service_sealed_and_knows_that_it_is_to_be_sealed_anew() {
    let (it, _) = world().await;
    let sealed = earlier(&*it.key.open()).await;
    assert!(!is_ours(&sealed));
    it.opens(&sealed).await.unwrap();
    assert!(is_ours(&it.seal().await.unwrap()));
}

#[tokio::test]
async fn keeps_nothing_of_it() {
    let (it, _) = world().await;
    let sealed = earlier(&*it.key.open()).await;
    it.opens(&sealed).await.unwrap();
    it.key.set_away(true);
    assert!(is_key_unavailable(&it.keyring, &it, &sealed).await);
}

#[tokio::test]
async fn what_a_key_refuses_that_opened_others_is_unreadable() {
    let (it, _) = world().await;
    let sealed = earlier(&*it.key.open()).await;
    it.opens(&sealed).await.unwrap();
    let Sealed(sealed) = sealed;
    let mut changed = STANDARD.decode(&sealed).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    for text in [STANDARD.encode(changed), STANDARD.encode("anything else"), sealed[4..].to_owned()] {
        assert!(refuses(&it.keyring, &it.place(), &Sealed(text)).await);
    }
    let no_text = it.key.open().wrap(&SecretBytes::new(vec![0xff]), b"").await.unwrap();
    assert!(refuses(&it.keyring, &it.place(), &Sealed(STANDARD.encode(no_text))).await);
}

#[tokio::test]
async fn a_wrapped_data_key_is_not_taken_for_a_token() {
    let (it, _) = world().await;
    it.opens(&earlier(&*it.key.open()).await).await.unwrap();
    it.seal().await.unwrap();
    let keys = it.shelf.keys().unwrap().clone();
    for key in keys {
        assert!(refuses(&it.keyring, &it.place(), &Sealed(STANDARD.encode(key.wrapped))).await);
    }
}

#[tokio::test]
async fn the_wrong_key_condemns_nothing_even_when_it_wraps_our_own_data_keys() {
    let (it, _) = world().await;
    let sealed = earlier(&*it.key.open()).await;
    let wrong = it.process_with_another_key();
    wrong.digest(&["the service has a key of its own"]).await.unwrap();
    wrong.seal(&it.place(), &SecretString::from(CANARY)).await.unwrap();
    assert!(is_key_unavailable(&wrong, &it, &sealed).await);
}

#[tokio::test]
async fn what_was_changed_on_the_way_condemns_nothing() {
    let (it, cloud) = world().await;
    let sealed = earlier(&*it.key.open()).await;
    it.opens(&sealed).await.unwrap();
    for corrupt in [Corrupt::Request, Corrupt::Data, Corrupt::Checksum] {
        cloud.kms.fault(Fault::new(Effect::Corrupt(corrupt)).until_cleared());
        assert!(is_key_unavailable(&it.keyring, &it, &sealed).await, "{corrupt:?}");
        cloud.kms.clear_faults();
        it.opens(&sealed).await.unwrap();
    }
}
