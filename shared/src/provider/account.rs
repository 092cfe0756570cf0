//! Who consented: from the answer to the code, and from the provider's own word.

use serde_json::Value;

use super::descriptor::{AccountRules, Userinfo};
use super::failure::Failure;
use super::pointer::Pointer;
use crate::domain::Account;

/// What the answer to a code says.
pub(super) struct Known {
    pub(super) user_id: Option<String>,
    pub(super) team_id: Option<String>,
}

impl Known {
    pub(super) fn from(rules: &AccountRules, answer: &Value) -> Self {
        let first = |places: &[Pointer]| places.iter().find_map(|place| place.identifier(answer));
        Self { user_id: first(&rules.user_id), team_id: first(&rules.team_id) }
    }

    /// The account as far as it is known.
    pub(super) fn account(self, email: Option<String>) -> Result<Account, Failure> {
        let user_id = self.user_id.ok_or_else(|| Failure::malformed("no answer has a user id"))?;
        Ok(Account { user_id, team_id: self.team_id, email })
    }

    /// The account with what the provider said of it when asked.
    pub(super) fn confirmed_by(self, rules: &Userinfo, said: &Value) -> Result<Account, Failure> {
        let asked = rules.user_id.identifier(said);
        if self.user_id.is_some() && self.user_id != asked {
            return Err(Failure::malformed("the provider names two different users"));
        }
        Self { user_id: asked, ..self }.account(rules.email.text(said).map(str::to_owned))
    }
}
