//! What a caller may be allowed to do: the closed list of calls that grants name.

use serde::{Deserialize, Serialize};

/// A call of a service, as grants name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    /// `POST /api/v1/oauth/authorize`.
    #[serde(rename = "oauth.authorize")]
    Authorize,
    /// `GET /api/v1/oauth/connections`.
    #[serde(rename = "oauth.connections")]
    Connections,
    /// `POST /api/v1/oauth/complete`.
    #[serde(rename = "oauth.complete")]
    Complete,
    /// `POST /api/v1/connect/sessions`.
    #[serde(rename = "connect.sessions")]
    Sessions,
    /// `POST /api/v1/tokens/get`.
    #[serde(rename = "tokens.get")]
    TokensGet,
    /// `POST /api/v1/tokens/refresh/{id}`.
    #[serde(rename = "tokens.refresh")]
    TokensRefresh,
    /// `POST /api/v1/tokens/revoke/{id}`.
    #[serde(rename = "tokens.revoke")]
    TokensRevoke,
}

impl Call {
    /// Its name in grants and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "oauth.authorize",
            Self::Connections => "oauth.connections",
            Self::Complete => "oauth.complete",
            Self::Sessions => "connect.sessions",
            Self::TokensGet => "tokens.get",
            Self::TokensRefresh => "tokens.refresh",
            Self::TokensRevoke => "tokens.revoke",
        }
    }
}

/// What an operator may do; the later includes the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Look.
    Read,
    /// Act: run jobs, rotate keys, erase a tenant.
    Write,
}

impl Right {
    /// Its name in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "admin.read",
            Self::Write => "admin.write",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_as_it_is_written() {
        for call in [
            Call::Authorize,
            Call::Connections,
            Call::Complete,
            Call::Sessions,
            Call::TokensGet,
            Call::TokensRefresh,
            Call::TokensRevoke,
        ] {
            assert_eq!(serde_json::to_value(call).unwrap(), call.as_str());
        }
    }
}
