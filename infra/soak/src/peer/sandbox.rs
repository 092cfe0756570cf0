//! The sandbox provider, which plays each class of rotation.

use sandbox_provider::{Consent, Sandbox, Settings};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Person;
use crate::Result;
use crate::scenario::Class;

const SLACK: &str = include_str!("../../../../shared/providers/slack.toml");
/// What other classes have in their place.
const ROTATION: &str = "rotation = \"single_use_with_grace\"";
const LIMIT: &str = "max_live_tokens = 2\n";

/// The sandbox on a port of its own.
pub(crate) struct Sandboxed {
    class: Class,
    sandbox: Sandbox,
    pub(super) origin: String,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Sandboxed {
    pub(super) async fn start(class: Class) -> Result<Self> {
        let mut settings = Settings::default();
        // Tokens are refreshed again and again while earlier ones live: that limit is not what is tried here.
        settings.slack.live_access_tokens = 100_000;
        settings.slack.refresh_grace_seconds = match class {
            Class::Strict | Class::Family => 0,
            Class::Grace | Class::Fixed => 60,
            Class::Sliding => u32::MAX,
        };
        let sandbox = Sandbox::new(settings);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));
        Ok(Self { class, sandbox, origin, serving })
    }

    pub(super) const fn has_bots(&self) -> bool {
        !matches!(self.class, Class::Fixed)
    }

    pub(super) const fn id(&self) -> &'static str {
        if self.has_bots() { "slack" } else { "gmail" }
    }

    pub(super) const fn app(&self) -> (&'static str, &'static str) {
        match self.has_bots() {
            true => ("sandbox-slack", "sandbox-slack-secret"),
            false => ("sandbox-gmail", "sandbox-gmail-secret"),
        }
    }

    pub(super) const fn try_out(&self) -> &'static str {
        if self.has_bots() { "/api/auth.test" } else { "/v1/userinfo" }
    }

    pub(super) fn descriptor(&self) -> Result<Option<String>> {
        if !self.has_bots() {
            return Ok(None);
        }
        if !SLACK.contains(ROTATION) || !SLACK.contains(LIMIT) {
            return Err("slack.toml does not say any more what is to be replaced".into());
        }
        let rotation = format!("rotation = \"{}\"", self.class.rotation());
        Ok(Some(SLACK.replace(ROTATION, &rotation).replace(LIMIT, "")))
    }

    pub(super) fn set_life(&self, seconds: u32) {
        self.sandbox.configure(|settings| {
            settings.slack.access_token_seconds = seconds;
            settings.google.access_token_seconds = seconds;
        });
    }

    pub(super) fn consent(&self, authorization_url: &str, person: &Person) -> Result<String> {
        let consent = Consent::approve(&person.name);
        let consent = if self.has_bots() { consent.in_workspace(&person.workspace) } else { consent };
        Ok(self.sandbox.consent(authorization_url, &consent)?)
    }
}

impl Drop for Sandboxed {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
