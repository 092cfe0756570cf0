//! What the standards say of an answer, as data: HTTP statuses, then the error codes of OAuth. A provider's own rows come first.

use std::ops::RangeInclusive;

use super::rows::Call::{self, Api, Exchange, Refresh, Revoke};
use super::rows::RowClass;
use crate::domain::StatusReason;

/// A class for HTTP statuses.
pub(super) struct StatusRow {
    pub(super) statuses: RangeInclusive<u16>,
    /// During which calls.
    pub(super) when: &'static [Call],
    pub(super) class: RowClass,
    /// Whether such an answer says nothing about token or app, whatever its body says.
    pub(super) says_nothing: bool,
}

/// A class for error codes.
pub(super) struct CodeRow {
    /// During which calls.
    pub(super) when: &'static [Call],
    pub(super) codes: &'static [&'static str],
    pub(super) class: RowClass,
    /// Why the grant is gone; with class user only.
    pub(super) reason: Option<StatusReason>,
}

const ANY: &[Call] = &[Exchange, Refresh, Api, Revoke];

/// HTTP statuses, the first row that matches.
pub(super) const STATUSES: &[StatusRow] = &[
    // Too Many Requests: RFC 6585 section 4.
    StatusRow { statuses: 429..=429, when: ANY, class: RowClass::RateLimited, says_nothing: true },
    // Request Timeout: RFC 9110 section 15.5.9.
    StatusRow { statuses: 408..=408, when: ANY, class: RowClass::Passing, says_nothing: true },
    // Too Early: RFC 8470 section 5.2.
    StatusRow { statuses: 425..=425, when: ANY, class: RowClass::Passing, says_nothing: true },
    // Server errors: RFC 9110 section 15.6.
    StatusRow { statuses: 500..=999, when: ANY, class: RowClass::Passing, says_nothing: true },
    // A token that is not accepted: RFC 6750 section 3.1.
    StatusRow { statuses: 401..=401, when: &[Api], class: RowClass::Stale, says_nothing: false },
];

/// Error codes, the first row that matches.
pub(super) const CODES: &[CodeRow] = &[
    // RFC 6749 section 5.2.
    row(&[Exchange], &["invalid_grant"], RowClass::Refused),
    CodeRow {
        when: &[Refresh],
        codes: &["invalid_grant"],
        class: RowClass::User,
        reason: Some(StatusReason::GrantExpired),
    },
    row(&[Exchange, Refresh, Revoke], &["invalid_client"], RowClass::BadSecret),
    row(
        &[Exchange, Refresh],
        &["invalid_request", "unauthorized_client", "unsupported_grant_type", "invalid_scope"],
        RowClass::Operator,
    ),
    // RFC 8707 section 2, at the token endpoint.
    row(&[Exchange, Refresh], &["invalid_target"], RowClass::Operator),
    // RFC 6749 section 4.1.2.1, which token endpoints use as well.
    row(ANY, &["server_error", "temporarily_unavailable"], RowClass::Passing),
    // RFC 6750 section 3.1.
    row(&[Api], &["invalid_request"], RowClass::Refused),
    row(&[Api], &["invalid_token"], RowClass::Stale),
    row(&[Api], &["insufficient_scope"], RowClass::Alive),
    // RFC 7009 section 2.2.1.
    row(&[Revoke], &["unsupported_token_type"], RowClass::Refused),
    // Where a provider does not do as RFC 7009 section 2.2 says: an unknown token is no error.
    row(&[Revoke], &["invalid_token"], RowClass::AlreadyInvalid),
];

const fn row(when: &'static [Call], codes: &'static [&'static str], class: RowClass) -> CodeRow {
    CodeRow { when, codes, class, reason: None }
}

/// What a status means by itself.
pub(super) fn by_status(call: Call, status: u16) -> Option<&'static StatusRow> {
    STATUSES.iter().find(|row| row.statuses.contains(&status) && row.when.contains(&call))
}

/// What a code means.
pub(super) fn by_code(call: Call, code: &str) -> Option<&'static CodeRow> {
    CODES.iter().find(|row| row.when.contains(&call) && row.codes.contains(&code))
}
