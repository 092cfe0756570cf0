//! Raises what somebody must act on: once an hour per provider app, in the log and in the journal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Context;
use crate::domain::{Event, EventKind, ProviderId, Timestamp};

/// How long an alert about a provider's app stands before it is raised again.
const AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// What has been raised lately.
#[derive(Default)]
pub struct Alerts(Mutex<HashMap<ProviderId, Timestamp>>);

impl Alerts {
    fn is_new(&self, provider: &ProviderId, now: Timestamp) -> bool {
        let mut raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = raised.get(provider).is_some_and(|at| now.since(*at) < AGAIN_AFTER && *at <= now);
        if !stands {
            raised.insert(provider.clone(), now);
        }
        !stands
    }
}

/// Says that a provider refuses our app (client id, secret, redirect URI): an operator's fault, which
/// touches no connection.
pub async fn app_refused(ctx: &Context, provider: &ProviderId, provider_error: Option<&str>) {
    let now = ctx.clock.now();
    if !ctx.alerts.is_new(provider, now) {
        return;
    }
    let detail = format!("the provider refuses this app: {}", provider_error.unwrap_or("no reason given"));
    tracing::error!(
        provider.id = %provider,
        provider.error = provider_error,
        "the provider refuses our client id, secret or redirect URI; connections stay as they are"
    );
    let event = Event {
        at: now,
        kind: EventKind::Alert,
        tenant_id: None,
        provider: Some(provider.clone()),
        connection_id: None,
        credential_id: None,
        detail: Some(detail),
    };
    if let Err(error) = ctx.store.record(&[event]).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "an alert was not kept");
    }
}
