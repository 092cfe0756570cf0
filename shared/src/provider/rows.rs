//! The failure table of a provider file: where an answer says that it is an error, and what each error means.

use serde::Deserialize;

use super::pointer::{Marker, Pointer};
use super::standard;
use crate::domain::StatusReason;

/// Where answers say that they are errors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorShape {
    /// Where the error code may stand, the most telling place first.
    pub codes: Vec<Pointer>,
    /// What every good answer has; absent: a good answer is 2xx without an error code.
    pub success: Option<Marker>,
}

/// One row of the failure table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRow {
    /// During which calls; absent: during any.
    #[serde(default)]
    pub when: Vec<Call>,
    /// With which HTTP status; absent: any but 408, 425, 429 and 5xx, which say nothing about a token.
    pub status: Option<u16>,
    /// With one of which codes; absent: any.
    #[serde(default)]
    pub codes: Vec<String>,
    /// What it means.
    pub class: RowClass,
    /// Why the grant is gone; with `class = "user"` only.
    pub reason: Option<StatusReason>,
}

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A code for tokens.
    Exchange,
    /// A refresh token for new tokens.
    Refresh,
    /// Who the user is, or whether a token works.
    Api,
    /// To revoke a token.
    Revoke,
}

/// What a row of the failure table means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowClass {
    /// The grant is gone; the user must connect again.
    User,
    /// The app's registration is wrong.
    Operator,
    /// The client secret is wrong: the next one is tried, then it is the operator's.
    BadSecret,
    /// Too many calls.
    RateLimited,
    /// The provider's own trouble, or an administrator's passing restriction.
    Passing,
    /// The access token is not accepted; a refresh may help.
    Stale,
    /// The request is refused, which says nothing about the token.
    Refused,
    /// The access token is accepted and only lacks a scope.
    Alive,
    /// The token that was to be revoked was dead already.
    AlreadyInvalid,
}

impl FailureRow {
    /// Whether it speaks of that call.
    pub(super) fn is_about(&self, call: Call) -> bool {
        self.when.is_empty() || self.when.contains(&call)
    }

    /// Whether it speaks of answers with that status.
    pub(super) fn fits(&self, status: u16) -> bool {
        match self.status {
            Some(only) => only == status,
            None => !standard::STATUSES.iter().any(|row| row.says_nothing && row.statuses.contains(&status)),
        }
    }

    /// A code of it that never counts, because rows before it decide during all of its calls.
    pub(super) fn hidden(&self, before: &[Self]) -> Option<&str> {
        let calls = [Call::Exchange, Call::Refresh, Call::Api, Call::Revoke];
        let decides = |row: &Self, call: Call, code: &str| {
            let statuses = match row.status {
                Some(only) => self.status == Some(only),
                None => self.status.is_none_or(|status| row.fits(status)),
            };
            let codes = row.codes.is_empty() || row.codes.iter().any(|each| each == code);
            statuses && codes && row.is_about(call)
        };
        let never = |code: &&str| {
            calls
                .into_iter()
                .filter(|call| self.is_about(*call))
                .all(|call| before.iter().any(|row| decides(row, call, code)))
        };
        // A row without codes is about any: one that is in no table stands for them.
        let any = self.codes.is_empty().then_some("*");
        self.codes.iter().map(String::as_str).chain(any).find(never)
    }

    /// What makes no sense in it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let only = |call: Call| self.when == [call];
        if self.status.is_none() && self.codes.is_empty() {
            return Some("needs status, codes, or both");
        }
        match (self.class, self.reason) {
            (RowClass::User, None) => Some("class user needs a reason"),
            (RowClass::User, Some(reason)) if !may_say(reason) => {
                Some("the reason is not one that a provider can give")
            }
            (RowClass::User, Some(_)) => {
                let fits = |call: &Call| matches!(call, Call::Refresh | Call::Api);
                (self.when.is_empty() || !self.when.iter().all(fits))
                    .then_some("class user goes with refresh and api only")
            }
            (_, Some(_)) => Some("a reason goes with class user only"),
            (RowClass::AlreadyInvalid, None) => {
                (!only(Call::Revoke)).then_some("class already_invalid goes with revoke only")
            }
            (RowClass::Alive | RowClass::Stale, None) => {
                (!only(Call::Api)).then_some("classes alive and stale go with api only")
            }
            (
                RowClass::Operator
                | RowClass::BadSecret
                | RowClass::RateLimited
                | RowClass::Passing
                | RowClass::Refused,
                None,
            ) => None,
        }
    }
}

/// Whether it is something that a provider, and not this service, can know.
const fn may_say(reason: StatusReason) -> bool {
    match reason {
        StatusReason::GrantExpired
        | StatusReason::SessionPolicy
        | StatusReason::TestingAppExpired
        | StatusReason::RevokedAtProvider
        | StatusReason::AppUninstalled
        | StatusReason::AccountDisabled => true,
        StatusReason::NoRefreshToken
        | StatusReason::RevokedByCaller
        | StatusReason::RefreshOutcomeUnknown
        | StatusReason::Unreadable => false,
    }
}
