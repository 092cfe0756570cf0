//! How often who may call: a rate per class of calls and per kind of "who", each with a default.

use crate::domain::Rate;
use crate::limit::Class;

/// The rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `authorize`, `connections`, `complete`, connect sessions.
    pub connect: Shares,
    /// `tokens/*`.
    pub tokens: Shares,
    /// `admin/*`, per operator.
    pub admin: Rate,
    /// The callback, per address.
    pub callback: Rate,
    /// Calls that prove nothing, per address: beyond it they are not recorded one by one.
    pub refused: Rate,
}

/// Who shares a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Each service.
    pub caller: Rate,
    /// Each tenant, over all callers.
    pub tenant: Rate,
    /// Each user of a tenant, over all callers.
    pub user: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        let shares = |caller, tenant, user| Shares {
            caller: Rate::per_minute(caller),
            tenant: Rate::per_minute(tenant),
            user: Rate::per_minute(user),
        };
        Self {
            connect: shares(6_000, 3_000, 60),
            tokens: shares(60_000, 60_000, 1_200),
            admin: Rate::per_minute(600),
            callback: Rate::per_minute(120),
            refused: Rate::per_minute(60),
        }
    }
}

impl Limits {
    /// What each caller may do in a class.
    #[must_use]
    pub fn caller(&self, class: Class) -> Rate {
        match class {
            Class::Connect => self.connect.caller,
            Class::Tokens => self.tokens.caller,
            Class::Admin => self.admin,
            Class::Callback => self.callback,
            Class::Refused => self.refused,
        }
    }

    /// What tenants and users share in a class; `None`: nothing.
    #[must_use]
    pub fn shares(&self, class: Class) -> Option<&Shares> {
        match class {
            Class::Connect => Some(&self.connect),
            Class::Tokens => Some(&self.tokens),
            Class::Admin | Class::Callback | Class::Refused => None,
        }
    }
}
