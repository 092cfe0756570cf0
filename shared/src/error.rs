//! The closed list of public codes, and what each one means to a caller.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every code that an error answer can carry; documented in `docs/errors.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Body, query, header or path is wrong; `errors` names the field.
    InvalidRequest,
    /// No such provider.
    UnknownProvider,
    /// The provider has no client id or secret.
    ProviderNotConfigured,
    /// `redirectUri` is not on the allow-list.
    RedirectNotAllowed,
    /// The state is unknown, used, expired, or for another provider.
    StateInvalid,
    /// The completion code is unknown, used or expired.
    CompletionInvalid,
    /// Another person than the one who started.
    CompletionMismatch,
    /// The user said no at the provider.
    AccessDenied,
    /// The callback came from another issuer than the request went to.
    IssuerMismatch,
    /// The provider did not exchange the code.
    ExchangeFailed,
    /// Consent came back as another provider account.
    IdentityMismatch,
    /// No credential, or a bad one.
    Unauthenticated,
    /// Not allowed for this tenant, provider or call.
    Forbidden,
    /// No connection matches.
    ConnectionNotFound,
    /// Several connections match.
    ConnectionAmbiguous,
    /// The grant is gone; the user must connect again.
    ReauthorizationRequired,
    /// A required scope was not granted.
    ScopeMissing,
    /// The connection has no token of that kind.
    TokenKindUnavailable,
    /// There is no refresh token.
    NotRefreshable,
    /// The provider's limit on live tokens forbids a refresh now.
    RefreshTooSoon,
    /// The provider refuses our client id, secret or redirect.
    ProviderMisconfigured,
    /// The provider limits us.
    ProviderRateLimited,
    /// The provider does not answer, or answers with an error of its own.
    ProviderUnavailable,
    /// Another process is refreshing and did not finish in time.
    RefreshInProgress,
    /// The caller asks too often.
    RateLimited,
    /// The store can't be reached.
    StoreUnavailable,
    /// The key-encryption key can't be reached.
    KeyUnavailable,
    /// The keys of the issuer of the caller's token can't be read.
    IssuerUnavailable,
    /// The audit log can't be written.
    AuditUnavailable,
    /// An unexpected failure; the cause is in the log only.
    Internal,
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The person who connects the account.
    User,
    /// Whoever runs this service.
    Operator,
    /// The provider.
    Provider,
    /// The calling service.
    Caller,
}

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The HTTP status.
    pub status: u16,
    /// Who has to act.
    pub actor: Actor,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// A short, fixed title.
    pub title: &'static str,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 30] = [
        Self::InvalidRequest,
        Self::UnknownProvider,
        Self::ProviderNotConfigured,
        Self::RedirectNotAllowed,
        Self::StateInvalid,
        Self::CompletionInvalid,
        Self::CompletionMismatch,
        Self::AccessDenied,
        Self::IssuerMismatch,
        Self::ExchangeFailed,
        Self::IdentityMismatch,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ConnectionNotFound,
        Self::ConnectionAmbiguous,
        Self::ReauthorizationRequired,
        Self::ScopeMissing,
        Self::TokenKindUnavailable,
        Self::NotRefreshable,
        Self::RefreshTooSoon,
        Self::ProviderMisconfigured,
        Self::ProviderRateLimited,
        Self::ProviderUnavailable,
        Self::RefreshInProgress,
        Self::RateLimited,
        Self::StoreUnavailable,
        Self::KeyUnavailable,
        Self::IssuerUnavailable,
        Self::AuditUnavailable,
        Self::Internal,
    ];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnknownProvider => "unknown_provider",
            Self::ProviderNotConfigured => "provider_not_configured",
            Self::RedirectNotAllowed => "redirect_not_allowed",
            Self::StateInvalid => "state_invalid",
            Self::CompletionInvalid => "completion_invalid",
            Self::CompletionMismatch => "completion_mismatch",
            Self::AccessDenied => "access_denied",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::ExchangeFailed => "exchange_failed",
            Self::IdentityMismatch => "identity_mismatch",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::ConnectionNotFound => "connection_not_found",
            Self::ConnectionAmbiguous => "connection_ambiguous",
            Self::ReauthorizationRequired => "reauthorization_required",
            Self::ScopeMissing => "scope_missing",
            Self::TokenKindUnavailable => "token_kind_unavailable",
            Self::NotRefreshable => "not_refreshable",
            Self::RefreshTooSoon => "refresh_too_soon",
            Self::ProviderMisconfigured => "provider_misconfigured",
            Self::ProviderRateLimited => "provider_rate_limited",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::RefreshInProgress => "refresh_in_progress",
            Self::RateLimited => "rate_limited",
            Self::StoreUnavailable => "store_unavailable",
            Self::KeyUnavailable => "key_unavailable",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::AuditUnavailable => "audit_unavailable",
            Self::Internal => "internal",
        }
    }

    /// What it means. A code is in one row of this table and nowhere else.
    #[must_use]
    pub const fn meaning(self) -> Meaning {
        use Actor::{Caller, Operator, Provider, User};
        let (status, actor, retryable, title) = match self {
            Self::InvalidRequest => (400, Caller, false, "The request is not valid"),
            Self::UnknownProvider => (404, Caller, false, "There is no such provider"),
            Self::ProviderNotConfigured => (503, Operator, false, "The provider is not configured"),
            Self::RedirectNotAllowed => (400, Caller, false, "The redirect URI is not allowed"),
            Self::StateInvalid => (400, User, false, "The attempt to connect is unknown or over"),
            Self::CompletionInvalid => (400, Caller, false, "The completion code is not valid"),
            Self::CompletionMismatch => (403, Caller, false, "Another person started this"),
            Self::AccessDenied => (400, User, false, "The user did not consent"),
            Self::IssuerMismatch => (400, User, false, "The answer came from another issuer"),
            Self::ExchangeFailed => (502, User, false, "The provider did not accept the code"),
            Self::IdentityMismatch => (409, User, false, "Another account consented"),
            Self::Unauthenticated => (401, Caller, false, "The caller is not authenticated"),
            Self::Forbidden => (403, Caller, false, "The caller may not do this"),
            Self::ConnectionNotFound => (404, Caller, false, "There is no such connection"),
            Self::ConnectionAmbiguous => (409, Caller, false, "Several connections match"),
            Self::ReauthorizationRequired => (409, User, false, "The user must connect again"),
            Self::ScopeMissing => (409, User, false, "A required scope was not granted"),
            Self::TokenKindUnavailable => (409, Caller, false, "There is no token of that kind"),
            Self::NotRefreshable => (409, Caller, false, "There is no refresh token"),
            Self::RefreshTooSoon => (409, Caller, true, "The provider forbids a refresh now"),
            Self::ProviderMisconfigured => (502, Operator, false, "The provider refuses this app"),
            Self::ProviderRateLimited => (503, Provider, true, "The provider limits this app"),
            Self::ProviderUnavailable => (503, Provider, true, "The provider is not available"),
            Self::RefreshInProgress => (503, Caller, true, "A refresh is under way"),
            Self::RateLimited => (429, Caller, true, "Too many requests"),
            Self::StoreUnavailable => (503, Operator, true, "The store is not available"),
            Self::KeyUnavailable => (503, Operator, true, "The key is not available"),
            Self::IssuerUnavailable => (503, Operator, true, "The caller's token can't be judged"),
            Self::AuditUnavailable => (503, Operator, true, "The audit log is not available"),
            Self::Internal => (500, Operator, false, "Unexpected failure"),
        };
        Meaning { status, actor, retryable, title }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_has_the_name_that_it_is_written_with() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
