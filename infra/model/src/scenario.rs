//! What is checked: a class of provider, how much may happen, and which part of the protocol is taken out.

use shared::domain::Rotation;
use shared::domain::refresh::{self, First, Then};

use crate::faults::Fault;

/// A part of the protocol that is taken out, to see what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Everybody who asks for the lease gets it.
    Lease,
    /// The lease does not write that a refresh may have been sent.
    Intent,
    /// Parked tokens are not looked for before sending.
    FirstLook,
    /// A strictly single-use token whose fate is unknown is sent again at once.
    Patience,
    /// It is not looked at the clock before sending.
    Clock,
    /// A retry that is not sent gives the lease back without an intent: the first call is forgotten.
    FirstCall,
    /// A save is written whatever the version.
    Fence,
    /// What is parked has one place, whatever its version.
    PlacePerVersion,
    /// What is parked is forgotten when it is saved.
    Keeping,
    /// A cache that can't be read is taken for one with nothing in it.
    Doubt,
    /// A refused holder whose lease is over goes on to end the credential.
    LastWord,
    /// Parked tokens are not looked for before ending the credential.
    SecondLook,
    /// A credential is ended in the store although its version has moved.
    ConditionalCondemn,
    /// Who finds the version moved when it ends a credential says that the grant has ended.
    Adoption,
    /// No job looks through what is parked.
    Job,
    /// Pending revocations are kept and settled by version, not by what they revoke.
    Mark,
}

/// One check.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// Whether a spent refresh token that is presented ends the whole family.
    pub reuse_kills: bool,
    /// Whether a grace can end before the token is presented again by a later flight.
    pub grace_ends: bool,
    /// How many flights there are in all.
    pub flights: u8,
    /// How many faults may strike in all.
    pub faults: u8,
    /// Which.
    pub kinds: &'static [Fault],
    /// Whether it may be revoked.
    pub revocation: bool,
    /// What is taken out of the protocol.
    pub without: Option<Without>,
}

impl Scenario {
    /// The protocol as it is built: two processes, three flights, two faults of any kind, a revocation, and the
    /// strictest provider of the class.
    #[must_use]
    pub const fn of(rotation: Rotation) -> Self {
        Self {
            rotation,
            reuse_kills: true,
            grace_ends: true,
            flights: 3,
            faults: 2,
            kinds: Fault::ALL,
            revocation: true,
            without: None,
        }
    }

    /// The same, but only so many faults and only of these kinds.
    #[must_use]
    pub const fn with(self, faults: u8, kinds: &'static [Fault]) -> Self {
        Self { faults, kinds, ..self }
    }

    /// The same with so many flights.
    #[must_use]
    pub const fn flying(self, flights: u8) -> Self {
        Self { flights, ..self }
    }

    /// The same without a revocation.
    #[must_use]
    pub const fn unrevoked(self) -> Self {
        Self { revocation: false, ..self }
    }

    /// The same with a grace that lasts until the token is presented again.
    #[must_use]
    pub const fn patient_grace(self) -> Self {
        Self { grace_ends: false, ..self }
    }

    /// The same with a provider that refuses a spent token and does no more.
    #[must_use]
    pub const fn lenient(self) -> Self {
        Self { reuse_kills: false, ..self }
    }

    /// The same without a part of the protocol.
    #[must_use]
    pub const fn without(self, part: Without) -> Self {
        Self { without: Some(part), ..self }
    }

    /// Whether a part was taken out.
    pub(crate) fn lacks(&self, part: Without) -> bool {
        self.without == Some(part)
    }

    /// The product's own decision.
    pub(crate) fn first(&self, ambiguous: bool, parked: bool, live: bool) -> First {
        refresh::first(self.taken_for(), ambiguous, parked, live)
    }

    /// The product's own decision.
    pub(crate) fn then(&self, ambiguous: bool, retried: bool, unknown: bool) -> Then {
        refresh::then(self.taken_for(), ambiguous, retried, unknown)
    }

    /// The product's own decision.
    pub(crate) fn is_lost(&self, ambiguous: bool, retried: bool) -> bool {
        refresh::is_lost(self.taken_for(), ambiguous, retried)
    }

    /// What the service takes the provider for.
    fn taken_for(&self) -> Rotation {
        match self.rotation {
            Rotation::SingleUse if self.lacks(Without::Patience) => Rotation::SingleUseWithGrace,
            Rotation::None | Rotation::Sliding | Rotation::SingleUse | Rotation::SingleUseWithGrace => {
                self.rotation
            }
        }
    }
}
