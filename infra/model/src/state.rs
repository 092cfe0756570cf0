//! What a state of the model is made of: the store, the provider, the parked tokens, two processes, and what is on its way.

/// Numbers of token sets. Every answer with tokens carries a set of a new number; 0 is the one of the connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sets(u16);

impl Sets {
    /// None.
    pub const NONE: Self = Self(0);

    /// Just this one.
    #[must_use]
    pub const fn of(set: u8) -> Self {
        Self(1 << set)
    }
    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, set: u8) -> bool {
        self.0 & (1 << set) != 0
    }
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// Adds one.
    pub const fn add(&mut self, set: u8) {
        self.0 |= 1 << set;
    }
    /// Takes one out.
    pub const fn remove(&mut self, set: u8) {
        self.0 &= !(1 << set);
    }
    /// Those that are in one of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Those that are not among the others.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
    /// One after the other.
    pub fn each(self) -> impl Iterator<Item = u8> {
        (0..16).filter(move |set| self.has(*set))
    }
}

/// A token set as it is saved or parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tokens {
    /// The version that they are to become.
    pub version: u8,
    /// Which set.
    pub set: u8,
    /// The set whose refresh token brought them.
    pub from: u8,
}

/// One of the two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The first.
    A,
    /// The second.
    B,
}

impl Who {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// Its place.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// Why a credential has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// `grant_expired`: the provider says so, and nothing of ours explains it.
    GrantExpired,
    /// `refresh_outcome_unknown`: a call of ours may have spent the token.
    OutcomeUnknown,
}

/// Whether the stored credential can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It can.
    Active,
    /// Its grant is taken for dead.
    Ended(Reason),
    /// It was revoked through the service.
    Revoked,
}

/// Whose lease it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The flight that is under way in that process.
    Flight(Who),
    /// A flight that is over, or was killed.
    Gone,
}

/// A lease as the store has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    /// Whose.
    pub holder: Holder,
    /// Whether it runs by the store's time.
    pub running: bool,
}

/// The credential in the store, and the pending revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Store {
    /// The fence.
    pub version: u8,
    /// Its tokens; `None` once erased.
    pub set: Option<u8>,
    /// Whether it is usable.
    pub status: Status,
    /// Who may refresh it.
    pub lease: Option<Lease>,
    /// Whether a refresh of this version may have been sent.
    pub intent: bool,
    /// Whether the access token of this version still lives.
    pub live: bool,
    /// What the provider has still to be told of: (version, set).
    pub pending: [Option<(u8, u8)>; 4],
}

/// The provider's side of the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provider {
    /// How many sets it has issued.
    pub issued: u8,
    /// Those whose refresh token was not used, or is not used up by it.
    pub fresh: Sets,
    /// Those whose refresh token was used and may be used again for a moment.
    pub grace: Sets,
    /// Those whose refresh token is used up.
    pub spent: Sets,
}

impl Provider {
    /// The sets whose refresh token it would accept.
    #[must_use]
    pub const fn honoured(&self) -> Sets {
        self.fresh.and(self.grace)
    }
}

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wire {
    /// On its way to the provider.
    Sent,
    /// On its way back, with a new set.
    Issued(u8),
    /// On its way back: the refresh token is refused (`invalid_grant`).
    Refused,
    /// Nothing came that says what became of it: no answer in time, or a 5xx.
    Silence,
    /// It is certain that it was not acted upon: 429, or no connection.
    Unacted,
}

/// What a flight does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// There is no flight.
    Idle,
    /// It has read the credential, and asks for the lease (or waits for it).
    Wants,
    /// It has the lease, and looks for parked tokens if it must.
    Leased,
    /// It looks whether enough of the lease is left.
    Ready,
    /// Enough was left; it sends.
    Checked,
    /// It waits for the answer.
    Calling(Wire),
    /// It saves a set: what it received, or what was parked.
    Saving(Tokens),
    /// The store would not take the set; it parks it.
    Parking(Tokens),
    /// It was refused, and looks for parked tokens again.
    LookingAgain,
    /// It ends the credential.
    Condemning,
    /// It gives the lease back; `true`: and leaves the intent.
    Releasing(bool),
    /// It was fenced out by a revocation, and records what it received.
    Recording(Tokens),
    /// It was fenced out by a revocation, and tells the provider.
    Telling(Tokens),
}

/// A flight: one refresh in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flight {
    /// What it does next.
    pub phase: Phase,
    /// The version that it read.
    pub version: u8,
    /// The set that it read with the lease.
    pub set: u8,
    /// It found an intent.
    pub ambiguous: bool,
    /// It makes its second call under this lease.
    pub retried: bool,
    /// Its own call was the first use of the token, and opened the grace.
    pub opened: bool,
    /// It was frozen for longer than its lease runs.
    pub overdue: bool,
}

impl Flight {
    /// None.
    pub const NONE: Self = Self {
        phase: Phase::Idle,
        version: 0,
        set: 0,
        ambiguous: false,
        retried: false,
        opened: false,
        overdue: false,
    };

    /// Whether it is in its critical section, and was not frozen there.
    #[must_use]
    pub const fn is_in_time(&self) -> bool {
        self.is_critical() && !self.overdue
    }

    /// Whether it holds what it must finish within its lease.
    #[must_use]
    pub const fn is_critical(&self) -> bool {
        match self.phase {
            Phase::Leased
            | Phase::Ready
            | Phase::Checked
            | Phase::Calling(_)
            | Phase::Saving(_)
            | Phase::Parking(_)
            | Phase::LookingAgain
            | Phase::Condemning
            | Phase::Releasing(_) => true,
            Phase::Idle | Phase::Wants | Phase::Recording(_) | Phase::Telling(_) => false,
        }
    }

    /// Whether the provider has acted on its call, and the answer is under way.
    #[must_use]
    pub const fn is_being_answered(&self) -> bool {
        matches!(self.phase, Phase::Calling(Wire::Issued(_) | Wire::Refused))
    }

    /// The tokens that it has in hand.
    #[must_use]
    pub const fn in_hand(&self) -> Option<Tokens> {
        match self.phase {
            Phase::Calling(Wire::Issued(set)) => {
                Some(Tokens { version: self.version + 1, set, from: self.set })
            }
            Phase::Saving(tokens)
            | Phase::Parking(tokens)
            | Phase::Recording(tokens)
            | Phase::Telling(tokens) => Some(tokens),
            Phase::Idle
            | Phase::Wants
            | Phase::Leased
            | Phase::Ready
            | Phase::Checked
            | Phase::Calling(_)
            | Phase::LookingAgain
            | Phase::Condemning
            | Phase::Releasing(_) => None,
        }
    }
}

/// What has happened, for the properties alone: nothing in the protocol reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Past {
    /// Sets that were in an answer, or in hand, when a fault destroyed it.
    pub lost: Sets,
    /// A holder was frozen past its lease between its last look at the clock and the end of its save.
    pub frozen: bool,
    /// A request came so late that its sender had given up, or a save so late that its sender's lease was over.
    pub delayed: bool,
    /// Without a fault: the versions below this one have been presented.
    pub presented: u8,
    /// Without a fault: a version was presented twice.
    pub twice: bool,
    /// Without a fault or a revocation: a flight ended without a token.
    pub empty_handed: bool,
    /// Somebody was told that the grant has ended while the stored one was active and honoured.
    pub told_wrongly: bool,
    /// Where old tokens go on: sets that were replaced in the store.
    pub replaced: Sets,
    /// A save replaced tokens other than those that it was made from.
    pub overwrote: bool,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The store.
    pub store: Store,
    /// The parked tokens, in Redis or in a journal.
    pub parked: [Option<Tokens>; 3],
    /// The provider.
    pub provider: Provider,
    /// The flight in each process.
    pub flights: [Flight; 2],
    /// Requests whose senders have given up, and which may yet arrive: the sets that they present.
    pub strays: [Option<u8>; 2],
    /// A save whose sender has given up, and which may yet arrive; `true`: its sender's lease is over.
    pub late_save: Option<(Tokens, bool)>,
    /// How many flights may yet begin.
    pub flights_left: u8,
    /// How many faults may yet strike.
    pub faults_left: u8,
    /// Whether somebody may yet revoke.
    pub may_revoke: bool,
    /// For the properties.
    pub past: Past,
}

impl State {
    /// The flight in a process.
    #[must_use]
    pub const fn flight(&self, who: Who) -> &Flight {
        &self.flights[who.index()]
    }
    /// The same, to change it.
    pub const fn flight_mut(&mut self, who: Who) -> &mut Flight {
        &mut self.flights[who.index()]
    }
}
