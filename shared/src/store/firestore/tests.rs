//! The contract on the real emulator, and what only this backend promises.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::link::{Link, Place};
use super::{Firestore, Time};
use crate::clock::{Clock, SystemIds};
use crate::google::Google;
use crate::store::contract::{Opened, store_contract};
use crate::testing::firestore_emulator::FirestoreEmulator;

pub(super) mod indexes;

mod contract {
    /// Where there is no emulator, which is said, there is nothing that could keep the contract.
    async fn open(clock: super::Arc<dyn super::Clock>) -> Option<super::Opened> {
        let (store, emulator) = super::open(super::Time::Clock(clock))?;
        Some((super::Arc::new(store), Box::new(emulator)))
    }
    super::store_contract!(super::open);
}

/// A store of a test's own, in a project that nobody else has.
pub(super) fn open(time: Time) -> Option<(Firestore, FirestoreEmulator)> {
    let emulator = FirestoreEmulator::shared().unwrap()?;
    let place = Place {
        project: emulator.project().to_owned(),
        database: "(default)".to_owned(),
        emulator: Some(emulator.host()),
    };
    let store = Firestore {
        link: Link::new(place, Arc::new(Google::default())),
        time,
        ids: Arc::new(SystemIds),
        leases: Default::default(),
        // Nothing of an earlier service is in it, but where a test says so.
        adopted: AtomicBool::new(true),
    };
    Some((store, emulator))
}
