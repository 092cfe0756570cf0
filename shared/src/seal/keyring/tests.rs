//! What the keyring promises, against a store and key-encryption keys that count and can be taken away.

#[cfg(feature = "cloud")]
mod cloud;
mod double;
#[cfg(feature = "cloud")]
mod earlier;
mod promises;
mod shelf;

use std::sync::atomic::Ordering;

use self::shelf::Shelf;
use super::*;
use crate::domain::CredentialId;
use crate::seal::{Part, key_id};
use crate::testing::build::tenant;
use crate::testing::{TestClock, TestIds};

const CANARY: &str = "xoxb-canary";

/// A key-encryption key that counts and can be taken away.
trait TestKey: Send + Sync {
    /// The key, as a process opens it.
    fn open(&self) -> Arc<dyn KeyWrap>;

    /// Another key of the same kind.
    fn open_another(&self) -> Arc<dyn KeyWrap>;

    /// How often it was asked to unwrap.
    fn unwraps(&self) -> usize;

    /// How often one unwrapping asks it while it is away.
    fn attempts(&self) -> usize;

    fn set_away(&self, away: bool);
}

macro_rules! every_key {
    ($in_memory:ident, $gcp_kms:ident, $flavor:literal: $($promise:ident)*) => {
        every_key!($in_memory, double::InMemory::start, $flavor; $($promise)*);
        #[cfg(feature = "cloud")]
        every_key!($gcp_kms, cloud::Cloud::start, $flavor; $($promise)*);
    };
    ($key:ident, $start:path, $flavor:literal; $($promise:ident)*) => {
        mod $key {
            use super::*;
            $(
                #[tokio::test(flavor = $flavor)]
                async fn $promise() {
                    promises::$promise(World::new($start().await)).await;
                }
            )*
        }
    };
}

every_key! { in_memory_in_parallel, gcp_kms_in_parallel, "multi_thread":
    two_hundred_first_calls_make_one_key_and_unwrap_it_once
    two_hundred_opens_of_a_fresh_process_unwrap_each_tenants_key_once
}

every_key! { in_memory, gcp_kms, "current_thread":
    opens_what_it_sealed_in_this_process_and_another
    opens_nowhere_but_in_its_place
    refuses_another_tenants_key_even_where_the_names_agree
    refuses_what_was_changed_or_is_of_another_format
    processes_that_make_a_key_at_once_use_the_same
    asks_nobody_while_its_keys_are_fresh
    keeps_no_key_for_more_than_its_time
    a_rotation_is_followed_and_what_older_keys_sealed_still_opens
    digests_are_the_same_in_every_process_and_after_a_rotation
    without_the_kms_what_is_unwrapped_goes_on_and_the_rest_says_so
    without_the_store_what_is_unwrapped_goes_on_and_the_rest_says_so
    another_key_encryption_key_is_the_operators_mistake_and_condemns_nothing
    a_forgotten_tenants_destroyed_key_opens_nothing_more
    a_good_answer_to_a_ping_holds_for_some_seconds
}

struct World {
    shelf: Arc<Shelf>,
    key: Arc<dyn TestKey>,
    clock: Arc<TestClock>,
    keyring: Arc<Keyring>,
    tenant: TenantId,
    credential: CredentialId,
}

impl World {
    fn new(key: Arc<dyn TestKey>) -> Self {
        let shelf = Arc::new(Shelf::default());
        let clock = Arc::new(TestClock::new());
        let keyring = process(&shelf, key.open(), &clock);
        let credential = CredentialId::shared("one");
        Self { shelf, key, clock, keyring, tenant: tenant("acme"), credential }
    }

    /// Another process on the same store and key.
    fn process(&self) -> Arc<Keyring> {
        process(&self.shelf, self.key.open(), &self.clock)
    }

    /// A process with another key-encryption key in the place of the right one.
    fn process_with_another_key(&self) -> Arc<Keyring> {
        process(&self.shelf, self.key.open_another(), &self.clock)
    }

    fn place(&self) -> Place<'_> {
        Place::Token { tenant: &self.tenant, credential: &self.credential, part: Part::Access, version: 1 }
    }

    async fn seal(&self) -> Result<Sealed, SealError> {
        self.keyring.seal(&self.place(), &SecretString::from(CANARY)).await
    }

    async fn opens(&self, sealed: &Sealed) -> Result<(), SealError> {
        opens(&self.keyring, &self.place(), sealed).await
    }

    fn calls(&self) -> (usize, usize) {
        (self.shelf.reads.load(Ordering::SeqCst), self.key.unwraps())
    }
}

fn process(shelf: &Arc<Shelf>, wrap: Arc<dyn KeyWrap>, clock: &Arc<TestClock>) -> Arc<Keyring> {
    let (shelf, clock) = (Arc::clone(shelf), Arc::clone(clock));
    Arc::new(Keyring::new(wrap, shelf, clock, Arc::new(TestIds::new())))
}

#[expect(clippy::disallowed_methods, reason = "the test looks at what was opened")]
async fn opens(keyring: &Keyring, place: &Place<'_>, sealed: &Sealed) -> Result<(), SealError> {
    let secret = keyring.open(place, sealed).await?;
    assert_eq!(secret.expose_secret(), CANARY);
    Ok(())
}

async fn refuses(keyring: &Keyring, place: &Place<'_>, sealed: &Sealed) -> bool {
    matches!(keyring.open(place, sealed).await, Err(SealError::Unreadable { .. }))
}
