//! What someone decides on a consent page, by form, by control API or in process: one path for all three.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{endpoint::Endpoint, google, http::call::Params, slack, state::State};

/// Someone's decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Consent {
    /// Who decides: an account name or e-mail address. An unknown one is made up, always the same way.
    pub account: String,
    /// Slack: the workspace (`T…`), or the organisation (`E…`) for an org-wide installation.
    /// Unset means the `team` that the request preselects, else the first workspace.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Refuses.
    #[serde(default)]
    pub deny: bool,
    /// Google: scopes whose boxes are left unticked.
    #[serde(default)]
    pub untick: Vec<String>,
}

/// Why there is no redirect but an error page.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// The vendor's error code.
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Consent {
    /// Approves everything that is asked.
    #[must_use]
    pub fn approve(account: &str) -> Self {
        Self { account: account.to_owned(), workspace: None, deny: false, untick: Vec::new() }
    }

    /// Refuses.
    #[must_use]
    pub fn deny(account: &str) -> Self {
        Self { deny: true, ..Self::approve(account) }
    }

    /// Slack: installs into this workspace or organisation.
    #[must_use]
    pub fn in_workspace(mut self, id: &str) -> Self {
        self.workspace = Some(id.to_owned());
        self
    }

    /// Google: leaves the box of this scope unticked.
    #[must_use]
    pub fn without(mut self, scope: &str) -> Self {
        self.untick.push(scope.to_owned());
        self
    }
}

impl Refused {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }
}

/// Where the browser goes after this decision, and the outcome to count.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) redirect: String,
    pub(crate) outcome: &'static str,
}

/// Takes the decision as the consent page would, and counts it as a call of the authorization endpoint.
pub(crate) fn decide(
    state: &mut State,
    authorization_url: &str,
    consent: &Consent,
) -> Result<String, String> {
    let url = Url::parse(authorization_url)
        .map_err(|error| format!("{authorization_url:?} is not a URL: {error}"))?;
    let query = Params::parse(url.query().unwrap_or_default().as_bytes());
    let (endpoint, decided) = match url.path() {
        slack::AUTHORIZE_PATH => (Endpoint::SlackAuthorize, slack::authorize::decide(state, &query, consent)),
        google::AUTHORIZE_PATH => {
            (Endpoint::GoogleAuthorize, google::authorize::decide(state, &query, consent))
        }
        other => return Err(format!("no provider has an authorization page at {other}")),
    };
    state.book.enter(endpoint);
    state.book.leave(endpoint);
    let outcome = decided.as_ref().map_or_else(|refused| refused.code, |decided| decided.outcome);
    state.finish(endpoint, None, outcome);
    decided.map(|decided| decided.redirect).map_err(|refused| format!("{}: {}", refused.code, refused.detail))
}
