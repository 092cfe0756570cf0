//! The providers: the sandbox in each of its classes, and npm's `oidc-provider`.

mod browser;
mod oidc;
mod sandbox;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use self::oidc::Oidc;
pub(crate) use self::oidc::PUBLIC_URL;
use self::sandbox::Sandboxed;
use crate::Result;
use crate::ledger::Issued;
use crate::scenario::Class;

/// What a token endpoint has said.
pub(crate) enum Heard {
    /// Tokens.
    Tokens(Vec<Issued>),
    /// An error code.
    Refusal(String),
}

/// Somebody who has an account, and where.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// Slack's workspace.
    pub(crate) workspace: String,
}

/// A provider.
pub(crate) enum Peer {
    Sandbox(Sandboxed),
    Oidc(Oidc),
}

impl Peer {
    /// Starts the provider of a class, which logs into `folder`; `None` when a part of it is missing on this machine, which is said.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(class: Class, folder: &Path) -> Result<Option<Self>> {
        match class {
            Class::Family => Ok(Oidc::start(folder).await?.map(Self::Oidc)),
            Class::Strict | Class::Grace | Class::Sliding | Class::Fixed => {
                Sandboxed::start(class).await.map(Self::Sandbox).map(Some)
            }
        }
    }

    /// Where it answers.
    pub(crate) fn origin(&self) -> &str {
        match self {
            Self::Sandbox(sandbox) => &sandbox.origin,
            Self::Oidc(oidc) => &oidc.origin,
        }
    }

    /// Says when it has ended, which it is not told to.
    ///
    /// # Errors
    /// When it has.
    pub(crate) fn is_there(&self) -> Result<()> {
        match self {
            Self::Sandbox(_) => Ok(()),
            Self::Oidc(oidc) => oidc.is_there(),
        }
    }

    /// Its name in the service.
    pub(crate) const fn id(&self) -> &'static str {
        match self {
            Self::Sandbox(sandbox) => sandbox.id(),
            Self::Oidc(_) => "oidc",
        }
    }

    /// Whether a connection has a bot's token beside its user's.
    pub(crate) const fn has_bots(&self) -> bool {
        match self {
            Self::Sandbox(sandbox) => sandbox.has_bots(),
            Self::Oidc(_) => false,
        }
    }

    /// The provider file, where the one of the build does not do.
    ///
    /// # Errors
    /// When the build's has changed beyond recognition.
    pub(crate) fn descriptor(&self) -> Result<Option<String>> {
        match self {
            Self::Sandbox(sandbox) => sandbox.descriptor(),
            Self::Oidc(oidc) => Ok(Some(oidc.descriptor())),
        }
    }

    /// The app's name and secret.
    pub(crate) const fn app(&self) -> (&'static str, &'static str) {
        match self {
            Self::Sandbox(sandbox) => sandbox.app(),
            Self::Oidc(_) => ("soak-oidc", "soak-oidc-secret"),
        }
    }

    /// From now on access tokens live that long.
    ///
    /// # Errors
    /// When it does not listen.
    pub(crate) async fn set_life(&self, client: &reqwest::Client, seconds: u32) -> Result<()> {
        match self {
            Self::Sandbox(sandbox) => {
                sandbox.set_life(seconds);
                Ok(())
            }
            Self::Oidc(oidc) => oidc.set_life(client, seconds).await,
        }
    }

    /// Consents; answers the URL that a browser would be sent to.
    ///
    /// # Errors
    /// When the provider shows an error page.
    pub(crate) async fn consent(&self, authorization_url: &str, person: &Person) -> Result<String> {
        match self {
            Self::Sandbox(sandbox) => sandbox.consent(authorization_url, person),
            Self::Oidc(_) => browser::follow(authorization_url).await,
        }
    }

    /// Whether it accepts an access token.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn accepts(&self, client: &reqwest::Client, token: &str) -> Result<bool> {
        let path = match self {
            Self::Sandbox(sandbox) => sandbox.try_out(),
            Self::Oidc(_) => "/me",
        };
        let answer = client.get(format!("{}{path}", self.origin())).bearer_auth(token).send().await?;
        let good = answer.status().is_success();
        let said: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        Ok(good && said["ok"] != Value::Bool(false))
    }

    /// Reads an answer of its token endpoint.
    pub(crate) fn hear(&self, status: u16, body: &Value) -> Heard {
        // A second less: `oidc-provider` counts in whole ones.
        let rounding = match self {
            Self::Sandbox(_) => Duration::ZERO,
            Self::Oidc(_) => Duration::from_secs(1),
        };
        let issued: Vec<Issued> = [(body, None), (&body["authed_user"], Some(false))]
            .into_iter()
            .filter_map(|(place, bot)| {
                let text = |name: &str| place[name].as_str().map(str::to_owned);
                let life = Duration::from_secs(place["expires_in"].as_u64().unwrap_or_default());
                Some(Issued {
                    bot: bot.unwrap_or_else(|| place["token_type"] == "bot"),
                    access: text("access_token")?,
                    refresh: text("refresh_token"),
                    life: life.saturating_sub(rounding),
                })
            })
            .collect();
        if (200..300).contains(&status) && !issued.is_empty() {
            return Heard::Tokens(issued);
        }
        Heard::Refusal(body["error"].as_str().unwrap_or("no code").to_owned())
    }
}
