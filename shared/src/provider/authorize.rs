//! The authorization request: which scopes are asked for, and the URL that the browser is sent to.

use std::collections::BTreeMap;

use url::Url;

use super::descriptor::{AskedBy, Pkce};
use super::{NotConfigured, Provider};
use crate::domain::{Scopes, TokenKind};

/// What goes into an authorization URL.
pub struct AuthorizationRequest<'a> {
    /// The `state`.
    pub state: &'a str,
    /// Where the provider sends the browser back to.
    pub redirect_uri: &'a str,
    /// What is asked for, by kind; see [`Provider::scopes_to_ask`].
    pub scopes: &'a BTreeMap<TokenKind, Scopes>,
    /// Whom to sign in, where the provider takes that.
    pub login_hint: Option<&'a str>,
    /// The workspace to preselect, where the provider takes that.
    pub team: Option<&'a str>,
    /// The S256 code challenge, where the provider takes one.
    pub code_challenge: Option<&'a str>,
}

/// Why a caller's scopes can't be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopesRefused {
    /// Both lists are empty.
    #[error("must name at least one scope")]
    Empty,
    /// The provider has no tokens of that kind.
    #[error("this provider has no user scopes of their own")]
    NoUserScopes,
    /// A character that RFC 6749 section 3.3 forbids, or the provider's separator.
    #[error("has a scope that is empty or has a forbidden character: {0:?}")]
    NotAScope(String),
}

impl Provider {
    /// The scopes to ask for, by kind: the caller's, or the defaults of every kind when it names none; with
    /// them the scopes that the account is known by. A kind that a caller with scopes does not name is not
    /// asked for.
    ///
    /// # Errors
    /// When a list can't be asked for.
    pub fn scopes_to_ask(
        &self,
        scopes: Option<&[String]>,
        user_scopes: Option<&[String]>,
    ) -> Result<BTreeMap<TokenKind, Scopes>, ScopesRefused> {
        let credentials = &self.descriptor.credentials;
        let separator = self.descriptor.authorization.scope_separator;
        if let Some(bad) =
            [scopes, user_scopes].into_iter().flatten().flatten().find(|scope| !is_scope(scope, separator))
        {
            return Err(ScopesRefused::NotAScope(bad.clone()));
        }
        let by_default = scopes.is_none() && user_scopes.is_none();
        let takes_user_scopes = credentials.iter().any(|rules| rules.asked_by == AskedBy::UserScopes);
        if user_scopes.is_some_and(|scopes| !scopes.is_empty()) && !takes_user_scopes {
            return Err(ScopesRefused::NoUserScopes);
        }
        let mut asked = BTreeMap::new();
        for rules in credentials {
            let named = match rules.asked_by {
                _ if by_default => rules.default_scopes.as_slice(),
                AskedBy::Scopes => scopes.unwrap_or_default(),
                AskedBy::UserScopes => user_scopes.unwrap_or_default(),
            };
            if named.is_empty() {
                continue;
            }
            let mut all = Scopes::new();
            for scope in named.iter().chain(&rules.always_scopes) {
                if !all.contains(scope) {
                    all.push(scope.clone());
                }
            }
            asked.insert(rules.kind, all);
        }
        if asked.is_empty() { Err(ScopesRefused::Empty) } else { Ok(asked) }
    }

    /// The URL to send the browser to.
    pub(super) fn authorization_url(&self, request: &AuthorizationRequest<'_>) -> Result<Url, NotConfigured> {
        let app = self.app().ok_or_else(|| NotConfigured(self.id().clone()))?;
        let rules = &self.descriptor.authorization;
        let mut url = rules.url.url();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &app.client_id)
            .append_pair("redirect_uri", request.redirect_uri)
            .append_pair("state", request.state);
        let separator = rules.scope_separator.to_string();
        for credential in &self.descriptor.credentials {
            if let Some(scopes) = request.scopes.get(&credential.kind).filter(|all| !all.is_empty()) {
                query.append_pair(&credential.scope_parameter, &scopes.join(&separator));
            }
        }
        if let (Pkce::S256, Some(challenge)) = (rules.pkce, request.code_challenge) {
            query.append_pair("code_challenge", challenge).append_pair("code_challenge_method", "S256");
        }
        query.extend_pairs(&rules.parameters);
        if let (Some(name), Some(hint)) = (&rules.login_hint_parameter, request.login_hint) {
            query.append_pair(name, hint);
        }
        if let (Some(name), Some(team)) = (&rules.team_parameter, request.team) {
            query.append_pair(name, team);
        }
        drop(query);
        Ok(url)
    }
}

/// RFC 6749 section 3.3: printable ASCII but space, quotation mark and backslash.
fn is_scope(scope: &str, separator: char) -> bool {
    !scope.is_empty()
        && scope
            .chars()
            .all(|each| each.is_ascii_graphic() && each != '"' && each != '\\' && each != separator)
}
