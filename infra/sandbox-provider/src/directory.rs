//! Knows the people and workspaces: a few built in, the rest made up from their name, always the same way.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// Someone who can consent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// The short name that consents use, such as `alice`.
    pub account: String,
    /// Full name.
    pub name: String,
    /// E-mail address, the same at both providers.
    pub email: String,
    /// Google's subject identifier.
    pub sub: String,
}

/// A Slack workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workspace {
    /// `T…`
    pub id: String,
    /// Display name.
    pub name: String,
    /// The organisation that it belongs to, if any.
    #[serde(default)]
    pub enterprise: Option<String>,
}

/// A Slack Enterprise organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enterprise {
    /// `E…`
    pub id: String,
    /// Display name.
    pub name: String,
}

/// Where a Slack app is installed: a workspace, or a whole organisation (then `team` is absent).
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) team: Option<(String, String)>,
    pub(crate) enterprise: Option<(String, String)>,
}

impl Person {
    pub(crate) fn built_in() -> Vec<Self> {
        [("alice", "Alice Anders", "1"), ("bob", "Bob Baker", "2"), ("carol", "Carol Castro", "3")]
            .map(|(account, name, digit)| Self {
                account: account.to_owned(),
                name: name.to_owned(),
                email: format!("{account}@example.com"),
                sub: format!("10000000000000000000{digit}"),
            })
            .to_vec()
    }
}

impl Workspace {
    pub(crate) fn built_in() -> Vec<Self> {
        [
            ("T0ACME", "Acme", None),
            ("T0GLOBEX", "Globex", None),
            ("T0INITHQ", "Initech HQ", Some("E0INITECH")),
        ]
        .map(|(id, name, enterprise)| Self {
            id: id.to_owned(),
            name: name.to_owned(),
            enterprise: enterprise.map(str::to_owned),
        })
        .to_vec()
    }
}

impl Enterprise {
    pub(crate) fn built_in() -> Vec<Self> {
        vec![Self { id: "E0INITECH".to_owned(), name: "Initech".to_owned() }]
    }
}

impl Place {
    /// The id of what the app is installed in: the workspace, else the organisation.
    pub(crate) fn id(&self) -> &str {
        self.team.as_ref().or(self.enterprise.as_ref()).map_or("", |(id, _)| id)
    }

    pub(crate) fn name(&self) -> &str {
        self.team.as_ref().or(self.enterprise.as_ref()).map_or("", |(_, name)| name)
    }

    // An organisation's people keep one user id in all of its workspaces.
    fn people_of(&self) -> &str {
        self.enterprise.as_ref().or(self.team.as_ref()).map_or("", |(id, _)| id)
    }

    pub(crate) fn is_organisation(&self) -> bool {
        self.team.is_none()
    }
}

/// The account that a name or e-mail address means: `alice@example.com` is `alice`.
pub(crate) fn account_of(name: &str) -> String {
    let name = name.trim().to_lowercase();
    name.strip_suffix("@example.com").map_or_else(|| name.clone(), str::to_owned)
}

/// The person with this account name; one that nobody set up is made up, always the same way.
pub(crate) fn person(settings: &Settings, account: &str) -> Person {
    if let Some(person) = settings.people.iter().find(|person| person.account == account) {
        return person.clone();
    }
    Person {
        account: account.to_owned(),
        name: account.to_owned(),
        email: if account.contains('@') { account.to_owned() } else { format!("{account}@example.com") },
        sub: format!("1{:020}", u128::from(number(&["sub", account]))),
    }
}

/// The workspace (`T…`) or organisation (`E…`) with this id, or `None` if it can't be one.
pub(crate) fn place(settings: &Settings, id: &str) -> Option<Place> {
    if !id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        return None;
    }
    if id.starts_with('E') {
        return Some(Place { team: None, enterprise: Some(organisation(settings, id)) });
    }
    if !id.starts_with('T') {
        return None;
    }
    let known = settings.workspaces.iter().find(|workspace| workspace.id == id);
    Some(Place {
        team: Some((id.to_owned(), known.map_or_else(|| id.to_owned(), |workspace| workspace.name.clone()))),
        enterprise: known
            .and_then(|workspace| workspace.enterprise.as_deref())
            .map(|id| organisation(settings, id)),
    })
}

fn organisation(settings: &Settings, id: &str) -> (String, String) {
    let known = settings.enterprises.iter().find(|enterprise| enterprise.id == id);
    (id.to_owned(), known.map_or_else(|| id.to_owned(), |enterprise| enterprise.name.clone()))
}

/// The Slack user id of an account in a place: readable for the built-in people, `U0ALICEACME`.
pub(crate) fn slack_user_id(account: &str, place: &Place) -> String {
    let people = place.people_of();
    if matches!(account, "alice" | "bob" | "carol") {
        return format!("U0{}{}", account.to_uppercase(), people.get(2..).unwrap_or(people));
    }
    format!("U{}", short(&["user", account, people]))
}

/// The bot's user id: one per app and place, whoever installs and however often.
pub(crate) fn bot_user_id(client_id: &str, place_id: &str) -> String {
    format!("U{}", short(&["bot user", client_id, place_id]))
}

/// The bot's own id.
pub(crate) fn bot_id(client_id: &str, place_id: &str) -> String {
    format!("B{}", short(&["bot", client_id, place_id]))
}

/// The Slack app id of a client.
pub(crate) fn app_id(client_id: &str) -> String {
    format!("A{}", short(&["app", client_id]))
}

/// A number that depends on these words alone.
pub(crate) fn number(words: &[&str]) -> u64 {
    let hash = digest(&SHA256, words.join("\n").as_bytes());
    hash.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

// Ten characters, 50 bits: no two of 100,000 accounts meet.
fn short(words: &[&str]) -> String {
    let number = number(words);
    (0..10)
        .map(|place| {
            let digit = (number >> (5 * place)) & 31;
            char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[usize::try_from(digit).unwrap_or(0)])
        })
        .collect()
}
