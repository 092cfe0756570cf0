//! Who may make a call at all: every endpoint has one rule, which the guard keeps and the API's document shows.

use super::caller::Caller;
use super::respond::Problem;
use crate::access::{Call, NotGranted, Right};
use crate::error::Code;
use crate::limit::Class;

/// Who may make a call. For which tenants and providers is looked at when the call has been read: see [`super::Asked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anybody, unrecorded: probes.
    Public,
    /// Anybody, limited by address: a browser that a provider sends back.
    Callback,
    /// Services that are granted the call.
    Service(Call),
    /// The same, and a user's browser for itself.
    ServiceOrSession(Call),
    /// A user's browser.
    Session,
    /// Operators.
    Operator(Right),
}

impl Rule {
    /// The name of the call in the audit log and in the document; `None`: it is not recorded.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Public => None,
            Self::Callback => Some("oauth.callback"),
            Self::Service(call) | Self::ServiceOrSession(call) => Some(call.as_str()),
            Self::Session => Some("connect.session"),
            Self::Operator(right) => Some(right.as_str()),
        }
    }

    /// Which limits hold.
    pub(super) const fn class(self) -> Option<Class> {
        match self {
            Self::Public => None,
            Self::Callback => Some(Class::Callback),
            Self::Service(Call::TokensGet | Call::TokensRefresh | Call::TokensRevoke) => Some(Class::Tokens),
            Self::Service(_) | Self::ServiceOrSession(_) | Self::Session => Some(Class::Connect),
            Self::Operator(_) => Some(Class::Admin),
        }
    }

    /// Whether browsers call it from pages of other origins, with a connect session.
    #[must_use]
    pub const fn is_for_sessions(self) -> bool {
        matches!(self, Self::ServiceOrSession(_) | Self::Session)
    }

    /// Whether who is asking has to be known.
    pub(super) const fn is_guarded(self) -> bool {
        !matches!(self, Self::Public | Self::Callback)
    }

    /// Lets a kind of caller through, or not.
    ///
    /// # Errors
    /// `forbidden`; `unauthenticated` where a session is wanted and none came.
    pub(super) fn admit(self, caller: &Caller) -> Result<(), Problem> {
        match (self, caller) {
            (Self::Public | Self::Callback, _)
            | (Self::Service(_) | Self::ServiceOrSession(_) | Self::Operator(_), Caller::Open)
            | (Self::ServiceOrSession(_) | Self::Session, Caller::Session(_)) => Ok(()),
            (Self::Service(call) | Self::ServiceOrSession(call), Caller::Service(service)) => {
                service.may_call(call).map_err(not_granted)
            }
            (Self::Operator(right), Caller::Operator(operator)) if operator.right >= right => Ok(()),
            (Self::Operator(_), Caller::Operator(_)) => Err(forbidden("This operator may look, not act.")),
            (Self::Session, Caller::Open | Caller::Anonymous | Caller::Service(_) | Caller::Operator(_)) => {
                Err(Problem::new(Code::Unauthenticated).detail("Send the session as a bearer token."))
            }
            (Self::Service(_) | Self::ServiceOrSession(_), Caller::Operator(_)) => {
                Err(forbidden("Operators make no calls of services."))
            }
            (Self::Operator(_), Caller::Service(_)) => Err(forbidden("This call is for operators.")),
            (Self::Service(_) | Self::Operator(_), Caller::Session(_)) => {
                Err(forbidden("A connect session may not make this call."))
            }
            (Self::Service(_) | Self::ServiceOrSession(_) | Self::Operator(_), Caller::Anonymous) => {
                Err(Problem::new(Code::Unauthenticated))
            }
        }
    }

    /// Which credentials the document says are taken, by the names of its security schemes; none for a call that anybody may make.
    pub(super) const fn security(self) -> &'static [&'static str] {
        match self {
            Self::Public | Self::Callback => &[],
            Self::Service(_) => &["idToken", "apiKey"],
            Self::ServiceOrSession(_) => &["idToken", "apiKey", "connectSession"],
            Self::Session => &["connectSession"],
            Self::Operator(_) => &["idToken", "identityAwareProxy"],
        }
    }
}

pub(super) fn not_granted(what: NotGranted) -> Problem {
    forbidden(match what {
        NotGranted::Call => "This caller is not granted this call.",
        NotGranted::Tenant => "This caller is not granted this call for this tenant.",
        NotGranted::Provider => "This caller is not granted this call at this provider.",
    })
}

pub(super) fn forbidden(detail: &'static str) -> Problem {
    Problem::new(Code::Forbidden).detail(detail)
}
