//! The verbs of the store, each one atomic step, as `shared/src/store/sqlite` does them.

use crate::scenario::{Scenario, Without};
use crate::state::{Holder, Lease, Past, Reason, Sets, State, Status, Store, Tokens, Who};

/// What became of asking for the lease.
pub(crate) enum Leased {
    /// It is ours.
    Taken,
    /// Somebody else's is running.
    Held,
    /// The version is another one, or it is no longer active.
    Moved,
}

/// What became of a save.
#[derive(PartialEq, Eq)]
pub(crate) enum Saved {
    /// Written, now or before.
    Done,
    /// Somebody else wrote in between.
    Fenced,
}

impl Store {
    /// A credential that was just connected.
    pub(crate) const NEW: Self = Self {
        version: 1,
        set: Some(0),
        status: Status::Active,
        lease: None,
        intent: false,
        live: true,
        pending: [None; 4],
    };

    /// `lease`: if it is active, still has `version`, and no lease runs. Writes the intent.
    pub(crate) fn lease(&mut self, version: u8, who: Who) -> Leased {
        if self.version != version || self.status != Status::Active {
            return Leased::Moved;
        }
        if self.lease.is_some_and(|lease| lease.running) {
            return Leased::Held;
        }
        self.lease = Some(Lease { holder: Holder::Flight(who), running: true });
        self.intent = true;
        Leased::Taken
    }

    /// `save_refreshed`: if the stored version is one lower. The credential is active again, whatever was
    /// thought of it meanwhile.
    pub(crate) fn save(&mut self, tokens: Tokens, past: &mut Past) -> Saved {
        if (self.version, self.set) == (tokens.version, Some(tokens.set)) {
            return Saved::Done;
        }
        if self.version + 1 != tokens.version {
            return Saved::Fenced;
        }
        self.write(tokens, past);
        Saved::Done
    }

    /// What a save writes.
    pub(crate) fn write(&mut self, tokens: Tokens, past: &mut Past) {
        past.overwrote |= self.set != Some(tokens.from);
        past.replaced = self.set.map_or(past.replaced, |old| past.replaced.and(Sets::of(old)));
        *self = Self {
            version: self.version + 1,
            set: Some(tokens.set),
            status: Status::Active,
            lease: None,
            intent: false,
            live: true,
            pending: self.pending,
        };
    }

    /// `release`: if the lease is still that flight's, running or not.
    pub(crate) fn release(&mut self, who: Who, intent: bool) {
        if self.lease.is_some_and(|lease| lease.holder == Holder::Flight(who)) {
            self.lease = None;
            self.intent = intent;
        }
    }

    /// `condemn`: if it still has `version`. The tokens stay. Whether it was done.
    pub(crate) fn condemn(&mut self, version: u8, reason: Reason) -> bool {
        let same = self.version == version;
        if same {
            self.status = Status::Ended(reason);
            self.lease = None;
            self.intent = false;
        }
        same
    }

    /// `begin_revocation`: the tokens move into a pending revocation, and the version rises.
    pub(crate) fn begin_revocation(&mut self, scenario: &Scenario) {
        if let Some(set) = self.set.take() {
            self.record(scenario, self.version, set);
        }
        self.version += 1;
        self.status = Status::Revoked;
        self.lease = None;
        self.intent = false;
    }

    /// `add_revocation`: one per token, what is there stays.
    pub(crate) fn record(&mut self, scenario: &Scenario, version: u8, set: u8) {
        let same = |each: (u8, u8)| each.0 == version && (each.1 == set || scenario.lacks(Without::Mark));
        let known = self.pending.into_iter().flatten().any(same);
        if let Some(slot) = self.pending.iter_mut().find(|slot| slot.is_none())
            && !known
        {
            *slot = Some((version, set));
        }
        self.pending.sort_unstable();
    }

    /// `settle_revocation`: that of the token.
    pub(crate) fn settle(&mut self, scenario: &Scenario, version: u8, set: u8) {
        let same = |each: &(u8, u8)| each.0 == version && (each.1 == set || scenario.lacks(Without::Mark));
        for slot in &mut self.pending {
            *slot = slot.filter(|each| !same(each));
        }
        self.pending.sort_unstable();
    }
}

impl State {
    /// `parked::find`: what is parked for exactly the next version.
    pub(crate) fn parked_after(&self, version: u8) -> Option<Tokens> {
        self.parked.into_iter().flatten().find(|parked| parked.version == version + 1)
    }

    /// `parked::park`: over what is there of the same version.
    pub(crate) fn park(&mut self, scenario: &Scenario, tokens: Tokens) {
        // Of two sets for one version, one is let go.
        let other = self.parked_after(tokens.version - 1).filter(|other| other.set != tokens.set);
        self.past.lost = other.map_or(self.past.lost, |other| self.past.lost.and(Sets::of(other.set)));
        match scenario.lacks(Without::PlacePerVersion) {
            true => self.parked = [None; 3],
            false => self.forget(tokens.version),
        }
        if let Some(slot) = self.parked.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(tokens);
        }
        self.parked.sort_unstable();
    }

    /// Takes out what is parked of a version.
    pub(crate) fn forget(&mut self, version: u8) {
        for slot in &mut self.parked {
            *slot = slot.filter(|parked| parked.version != version);
        }
        self.parked.sort_unstable();
    }
}
