//! What the provider does with a refresh token, by its rotation class, as strict as the class allows.

use shared::domain::Rotation;

use crate::scenario::Scenario;
use crate::state::{Provider, Sets, Wire};

impl Provider {
    /// It has issued the first set.
    pub(crate) const NEW: Self = Self { issued: 1, fresh: Sets::of(0), grace: Sets::NONE, spent: Sets::NONE };

    /// Which set's refresh token is in a set: where it does not rotate, the first one's is in all.
    pub(crate) const fn refresh_token_of(scenario: &Scenario, set: u8) -> u8 {
        match scenario.rotation {
            Rotation::None => 0,
            Rotation::Sliding | Rotation::SingleUse | Rotation::SingleUseWithGrace => set,
        }
    }

    /// Whether it would accept the refresh token of a set.
    pub(crate) const fn honours(&self, scenario: &Scenario, set: u8) -> bool {
        self.honoured().has(Self::refresh_token_of(scenario, set))
    }

    /// Is asked to refresh.
    pub(crate) fn present(&mut self, scenario: &Scenario, set: u8) -> Wire {
        let token = Self::refresh_token_of(scenario, set);
        if !self.honoured().has(token) {
            // RFC 9700 section 4.14.2: a token that is used again after its time ends all of its family.
            if scenario.reuse_kills && self.spent.has(token) {
                *self = Self { fresh: Sets::NONE, grace: Sets::NONE, spent: Sets::NONE, ..*self };
            }
            return Wire::Refused;
        }
        let new = self.issued;
        self.issued += 1;
        match scenario.rotation {
            Rotation::None => {}
            Rotation::Sliding => self.fresh.add(new),
            Rotation::SingleUse => {
                self.fresh.remove(token);
                self.spent.add(token);
                self.fresh.add(new);
            }
            // Used again within the grace it brings another set, and the grace is not prolonged.
            Rotation::SingleUseWithGrace => {
                self.fresh.remove(token);
                self.grace.add(token);
                self.fresh.add(new);
            }
        }
        Wire::Issued(new)
    }

    /// The grace of a token is over.
    pub(crate) const fn end_grace(&mut self, token: u8) {
        self.grace.remove(token);
        self.spent.add(token);
    }

    /// Is asked to revoke: it ends that one token and no other.
    pub(crate) const fn revoke(&mut self, scenario: &Scenario, set: u8) {
        let token = Self::refresh_token_of(scenario, set);
        self.fresh.remove(token);
        self.grace.remove(token);
    }
}
