//! What a provider is: the shape of one TOML file. `docs/adding-a-provider.md` explains every key.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::address::Address;
use super::pointer::{Marker, Pointer};
use super::rows::{ErrorShape, FailureRow};
use crate::domain::{ProviderId, Rotation, Scopes, TokenKind};

/// The key of the one address that may have a placeholder.
pub(super) const USERINFO: &str = "account.userinfo.url";

/// One provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Its id, which is also the name of its file.
    pub id: ProviderId,
    /// Its name, for people.
    pub name: String,
    /// How many calls a sweep has under way at this provider at most.
    pub sweep_concurrency: NonZeroUsize,
    /// How a user is sent there.
    pub authorization: Authorization,
    /// Its kinds of token, the default first.
    #[serde(rename = "credential")]
    pub credentials: Vec<CredentialRules>,
    /// Its token endpoint.
    pub token: TokenEndpoint,
    /// How tokens are refreshed.
    pub refresh: RefreshRules,
    /// How it says who the user is.
    pub account: AccountRules,
    /// How a token is tried out.
    pub health: HealthCheck,
    /// How a token is revoked; absent: it can't be.
    pub revocation: Option<RevocationRules>,
    /// Where its answers say that they are errors.
    pub errors: ErrorShape,
    /// What its errors mean, the first row that matches; else the standards decide.
    #[serde(rename = "failure", default)]
    pub failures: Vec<FailureRow>,
}

/// The authorization request (RFC 6749 section 4.1.1) and its response.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// The authorization endpoint.
    pub url: Address,
    /// Whether a code challenge is sent.
    pub pkce: Pkce,
    /// The issuer identifier that `iss` in the callback is compared to.
    pub issuer: Option<String>,
    /// Whether the callback has `iss`.
    pub issuer_parameter: IssuerParameter,
    /// Between two scopes of the request.
    pub scope_separator: char,
    /// The parameter that takes a login hint; absent: none does.
    pub login_hint_parameter: Option<String>,
    /// The parameter that preselects a workspace; absent: none does.
    pub team_parameter: Option<String>,
    /// Sent as they are with every request.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// Whether a code challenge is sent (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Pkce {
    /// With the SHA-256 method.
    S256,
    /// None: the provider refuses the parameter.
    #[serde(rename = "off")]
    Off,
}

/// Whether the callback has `iss` (RFC 9207).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerParameter {
    /// Always.
    Required,
    /// Sometimes: it must be right when it is there.
    Optional,
    /// Never: one that is there did not come from this provider.
    Absent,
}

impl Authorization {
    /// Whether a callback with this `iss`, decoded, may have come from the provider (RFC 9207 section 2.4:
    /// simple string comparison).
    #[must_use]
    pub fn accepts_issuer(&self, iss: Option<&str>) -> bool {
        match (self.issuer_parameter, iss) {
            (IssuerParameter::Required, None) => false,
            (IssuerParameter::Optional | IssuerParameter::Absent, None) => true,
            (IssuerParameter::Absent, Some(_)) => false,
            (IssuerParameter::Required | IssuerParameter::Optional, Some(iss)) => {
                self.issuer.as_deref() == Some(iss)
            }
        }
    }
}

/// One kind of token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRules {
    /// Which.
    pub kind: TokenKind,
    /// Whose it is at the provider, which is also what a revocation there ends.
    pub belongs_to: Owner,
    /// The field of a caller's request that replaces the default scopes.
    pub asked_by: AskedBy,
    /// The parameter of the authorization request that takes the scopes.
    pub scope_parameter: String,
    /// Asked for when the caller names no scopes.
    pub default_scopes: Scopes,
    /// Asked for in any case: what the account is known by.
    #[serde(default)]
    pub always_scopes: Scopes,
    /// Where the token stands in the answer to a code.
    pub code_answer: TokenPlace,
    /// Where it stands in the answer to a refresh.
    pub refresh_answer: TokenPlace,
}

/// Whose a token is at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The user's account (in a workspace, where there are such).
    Account,
    /// The workspace's: the connections of a workspace share it.
    Team,
}

/// A field of a caller's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBy {
    /// `scopes`.
    Scopes,
    /// `userScopes`.
    UserScopes,
}

/// An object with `access_token`, `refresh_token`, `expires_in` and `scope` (RFC 6749 section 5.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPlace {
    /// Where the object is.
    pub under: Pointer,
    /// What tells this kind's token from another's.
    pub when: Option<Marker>,
}

/// The token endpoint (RFC 6749 section 3.2).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEndpoint {
    /// Its address.
    pub url: Address,
    /// How the client proves itself.
    pub client_auth: ClientAuth,
    /// Between two scopes of an answer; white space separates too.
    pub scope_separator: char,
    /// The scope that asks for a refresh token, where answers do not name it: it is granted when one comes.
    pub refresh_token_scope: Option<String>,
}

/// How the client proves itself (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// By HTTP Basic.
    Basic,
    /// By `client_id` and `client_secret` in the form.
    Post,
}

/// How tokens are refreshed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshRules {
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// How long before its expiry a sweep refreshes a token.
    #[serde(rename = "window_seconds", deserialize_with = "seconds")]
    pub window: Duration,
    /// How long an access token lives that comes without `expires_in`; absent: it does not expire.
    #[serde(rename = "default_lifetime_seconds", default, deserialize_with = "some_seconds")]
    pub default_lifetime: Option<Duration>,
    /// How long a grant lives while our app at the provider is in testing; absent: as long as any other. A
    /// grant that ends at about that age is the operator's fault, not the user's.
    #[serde(rename = "testing_grant_seconds", default, deserialize_with = "some_seconds")]
    pub testing_grant: Option<Duration>,
    /// How many access tokens may live at once before a refresh revokes the oldest; absent: no limit.
    pub max_live_tokens: Option<NonZeroUsize>,
}

/// How the provider says who the user is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRules {
    /// Where the answer to a code has the user's id: the first place that has one.
    #[serde(default)]
    pub user_id: Vec<Pointer>,
    /// Where it has the workspace's id.
    #[serde(default)]
    pub team_id: Vec<Pointer>,
    /// A call that says more.
    pub userinfo: Option<Userinfo>,
}

/// A call that says who the user is, with the first token of the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Userinfo {
    /// The method.
    pub method: Method,
    /// Its address; `{user_id}` is what the answer to the code said.
    pub url: Address,
    /// Where its answer has the user's id; it must equal the one in the answer to the code.
    pub user_id: Pointer,
    /// Where it has the e-mail.
    pub email: Pointer,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`, with an empty form.
    Post,
}

/// A cheap call that needs a working token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The method.
    pub method: Method,
    /// Its address.
    pub url: Address,
}

/// How a token is revoked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationRules {
    /// The revocation endpoint.
    pub url: Address,
    /// How the token is sent.
    pub style: RevocationStyle,
    /// Which tokens are sent, in this order.
    pub tokens: Vec<TokenPart>,
    /// Whether one is enough.
    pub mode: RevocationMode,
    /// Whether the client proves itself, in the manner of the token endpoint.
    #[serde(default)]
    pub client_auth: bool,
}

/// How a token that is to be revoked is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationStyle {
    /// As the bearer of the call.
    Bearer,
    /// In the form field `token` (RFC 7009 section 2.1).
    Form,
}

/// One of the two tokens of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPart {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
}

/// Whether revoking one token ends the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationMode {
    /// It does: the first token there is.
    First,
    /// It ends only that token: each that there is.
    Each,
}

impl Descriptor {
    /// What it says about tokens of `kind`.
    #[must_use]
    pub fn credential(&self, kind: TokenKind) -> Option<&CredentialRules> {
        self.credentials.iter().find(|each| each.kind == kind)
    }

    /// Every address, by the key that it stands under.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, &Address)> {
        [
            ("authorization.url", &self.authorization.url),
            ("token.url", &self.token.url),
            ("health.url", &self.health.url),
        ]
        .into_iter()
        .chain(self.account.userinfo.as_ref().map(|userinfo| (USERINFO, &userinfo.url)))
        .chain(self.revocation.as_ref().map(|revocation| ("revocation.url", &revocation.url)))
    }

    /// The same, so that none is forgotten when they move.
    pub(super) fn addresses_mut(&mut self) -> impl Iterator<Item = &mut Address> {
        [&mut self.authorization.url, &mut self.token.url, &mut self.health.url]
            .into_iter()
            .chain(self.account.userinfo.as_mut().map(|userinfo| &mut userinfo.url))
            .chain(self.revocation.as_mut().map(|revocation| &mut revocation.url))
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u32::deserialize(deserializer).map(|seconds| Duration::from_secs(seconds.into()))
}

fn some_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    seconds(deserializer).map(Some)
}
