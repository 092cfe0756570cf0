//! Holds what can be set: clients, lifetimes, rules, latency, people and workspaces.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    directory::{Enterprise, Person, Workspace},
    endpoint::Endpoint,
};

/// Everything that can be set; the default is ready to use.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// How Slack behaves.
    pub slack: SlackSettings,
    /// How Google behaves.
    pub google: GoogleSettings,
    /// Who is offered on the consent pages; any other account name works too and is made up on the spot.
    pub people: Vec<Person>,
    /// Slack workspaces offered on the consent page; any other `T…` id works too.
    pub workspaces: Vec<Workspace>,
    /// Slack Enterprise organisations; any other `E…` id works too.
    pub enterprises: Vec<Enterprise>,
    /// Constant latency by endpoint, in milliseconds, spent before a call is carried out.
    pub latency_ms: BTreeMap<Endpoint, u64>,
    /// How many issued secrets, and how many dead tokens, are remembered before the oldest is forgotten.
    pub remembered: usize,
    /// How many calls the log keeps.
    pub log_length: usize,
}

/// An OAuth client, registered as it would be in the vendor's console.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// Secrets that are accepted; two while one is rolled over.
    pub client_secrets: Vec<String>,
    /// Registered redirect URIs, compared as strings; none registered means any loopback URI.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

/// How Slack behaves (docs.slack.dev/authentication).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlackSettings {
    /// Registered apps.
    pub clients: Vec<Client>,
    /// Token rotation; off means tokens without end and without refresh tokens.
    pub rotation: bool,
    /// Life of a rotating access token, in seconds; Slack: always 43200.
    pub access_token_seconds: u32,
    /// How long a used refresh token may be presented again, in seconds; Slack says only "a short grace period".
    pub refresh_grace_seconds: u32,
    /// Life of a code, in seconds; Slack: ten minutes.
    pub code_seconds: u32,
    /// How many access tokens of one credential live at once; Slack: two.
    pub live_access_tokens: usize,
    /// What the authorization response says as `iss` (RFC 9207); Slack says nothing.
    pub issuer: Option<String>,
}

/// How Google behaves (developers.google.com/identity/protocols/oauth2).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoogleSettings {
    /// Registered clients.
    pub clients: Vec<Client>,
    /// Life of an access token, in seconds; Google: 3599.
    pub access_token_seconds: u32,
    /// Life of a refresh token, in seconds, told as `refresh_token_expires_in`; unset means no end.
    /// Seven days (604800) is what an app in Testing gets.
    pub refresh_token_seconds: Option<u32>,
    /// Life of a code, in seconds.
    pub code_seconds: u32,
    /// How many refresh tokens of one account and client live at once; Google: 100.
    pub live_refresh_tokens: usize,
    /// What the authorization response says as `iss` (RFC 9207); a wrong one plays a mix-up.
    pub issuer: Option<String>,
}

impl Client {
    /// A client with one secret and any loopback redirect URI.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secrets: vec![client_secret.to_owned()],
            redirect_uris: Vec::new(),
        }
    }
}

impl Default for SlackSettings {
    fn default() -> Self {
        Self {
            clients: vec![Client::new("sandbox-slack", "sandbox-slack-secret")],
            rotation: true,
            access_token_seconds: 43_200,
            refresh_grace_seconds: 60,
            code_seconds: 600,
            live_access_tokens: 2,
            issuer: None,
        }
    }
}

impl Default for GoogleSettings {
    fn default() -> Self {
        Self {
            clients: vec![Client::new("sandbox-gmail", "sandbox-gmail-secret")],
            access_token_seconds: 3599,
            refresh_token_seconds: None,
            code_seconds: 600,
            live_refresh_tokens: 100,
            issuer: Some("https://accounts.google.com".to_owned()),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slack: SlackSettings::default(),
            google: GoogleSettings::default(),
            people: Person::built_in(),
            workspaces: Workspace::built_in(),
            enterprises: Enterprise::built_in(),
            latency_ms: BTreeMap::new(),
            remembered: 1_000_000,
            log_length: 1000,
        }
    }
}
