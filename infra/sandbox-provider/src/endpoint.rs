//! Names the endpoints that faults, latency and counters speak about.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two vendors that the sandbox stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Slack (`slack.com`).
    Slack,
    /// Google (`accounts.google.com`, `oauth2.googleapis.com`, `gmail.googleapis.com`).
    Google,
}

/// One endpoint of a provider; in JSON its dotted name, such as `slack.token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Endpoint {
    /// `GET`/`POST /oauth/v2/authorize`
    SlackAuthorize,
    /// `POST /api/oauth.v2.access`
    SlackToken,
    /// `/api/auth.test`
    SlackAuthTest,
    /// `/api/users.info`
    SlackUsersInfo,
    /// `/api/auth.revoke`
    SlackAuthRevoke,
    /// `/api/apps.uninstall`
    SlackAppsUninstall,
    /// `GET`/`POST /o/oauth2/v2/auth`
    GoogleAuthorize,
    /// `POST /token`
    GoogleToken,
    /// `POST /revoke`
    GoogleRevoke,
    /// `GET /v1/userinfo`
    GoogleUserinfo,
    /// `GET /gmail/v1/users/me/profile`
    GoogleProfile,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 11] = [
        Self::SlackAuthorize,
        Self::SlackToken,
        Self::SlackAuthTest,
        Self::SlackUsersInfo,
        Self::SlackAuthRevoke,
        Self::SlackAppsUninstall,
        Self::GoogleAuthorize,
        Self::GoogleToken,
        Self::GoogleRevoke,
        Self::GoogleUserinfo,
        Self::GoogleProfile,
    ];

    /// The dotted name that the control API uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SlackAuthorize => "slack.authorize",
            Self::SlackToken => "slack.token",
            Self::SlackAuthTest => "slack.auth.test",
            Self::SlackUsersInfo => "slack.users.info",
            Self::SlackAuthRevoke => "slack.auth.revoke",
            Self::SlackAppsUninstall => "slack.apps.uninstall",
            Self::GoogleAuthorize => "google.authorize",
            Self::GoogleToken => "google.token",
            Self::GoogleRevoke => "google.revoke",
            Self::GoogleUserinfo => "google.userinfo",
            Self::GoogleProfile => "google.profile",
        }
    }

    /// Whether calls carry a `grant_type`.
    pub(crate) fn is_token(self) -> bool {
        matches!(self, Self::SlackToken | Self::GoogleToken)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Endpoint> for &'static str {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.name()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|endpoint| endpoint.name() == name).ok_or_else(|| {
            format!("unknown endpoint {name:?}; known are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}
