//! Describes what the fake does wrong on demand: refuse, delay, hang up, or answer with something else than it means.

use serde::{Deserialize, Serialize};

/// What to do with the next calls. Delays add up; the first other fault that matches a call ends the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Only this call; both if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// How many calls it hits before it is spent: one if absent, all until it is cleared if null.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// What happens.
    pub effect: Effect,
}

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Call {
    /// `:encrypt`
    Encrypt,
    /// `:decrypt`
    Decrypt,
}

/// What a fault does to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Answers with an error in Google's shape.
    Refuse {
        /// The HTTP status.
        code: u16,
        /// Google's name for it, such as `UNAVAILABLE`.
        status: String,
    },
    /// Waits this many milliseconds, then goes on.
    Slow(u64),
    /// Closes the TCP connection without any HTTP answer.
    Drop,
    /// Changes something on the way.
    Corrupt(Corrupt),
}

/// What is changed on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Corrupt {
    /// What was asked: the checksum that came with it does not fit.
    Request,
    /// The ciphertext or plaintext in the answer; its checksum is that of the right one.
    Data,
    /// The checksum in the answer.
    Checksum,
    /// The answer says that the checksums of the request have not arrived.
    Verified,
}

fn once() -> Option<u32> {
    Some(1)
}

impl Fault {
    /// Hits the next call of either kind.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self { call: None, times: once(), effect }
    }

    /// Refuses the next call.
    #[must_use]
    pub fn refuse(code: u16, status: &str) -> Self {
        Self::new(Effect::Refuse { code, status: status.to_owned() })
    }

    /// Hits only such calls.
    #[must_use]
    pub fn of(mut self, call: Call) -> Self {
        self.call = Some(call);
        self
    }

    /// Hits this many calls instead of one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits every call until it is cleared.
    #[must_use]
    pub fn until_cleared(mut self) -> Self {
        self.times = None;
        self
    }
}

/// What the faults that hit one call add up to.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Milliseconds to wait first.
    pub(crate) wait: u64,
    /// What else goes wrong.
    pub(crate) end: Option<Effect>,
}

/// Takes what hits this call out of the waiting faults.
pub(crate) fn take(faults: &mut Vec<Fault>, call: Call) -> Plan {
    let mut plan = Plan::default();
    for fault in faults.iter_mut().filter(|fault| fault.call.is_none_or(|only| only == call)) {
        fault.times = fault.times.map(|times| times.saturating_sub(1));
        match &fault.effect {
            Effect::Slow(milliseconds) => plan.wait += milliseconds,
            effect @ (Effect::Refuse { .. } | Effect::Drop | Effect::Corrupt(_)) => {
                plan.end = Some(effect.clone());
                break;
            }
        }
    }
    faults.retain(|fault| fault.times != Some(0));
    plan
}
