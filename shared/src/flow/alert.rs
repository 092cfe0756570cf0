//! Raises what an operator must act on: once an hour per provider app and fault, whichever process sees it, in the log and in the journal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::note::note;
use super::{Context, actor};
use crate::domain::{CredentialId, Event, EventKind, ProviderId, Rule, TenantId, Timestamp, UserId};

/// How long an alert about a refused app stands before it is raised again.
const REFUSED_STANDS: Duration = Duration::from_secs(60 * 60);
/// How many grants must end at the age at which those of an app in testing do, and within which time: one that a user
/// withdrew after a week to the hour proves nothing.
const TESTING_NEEDS: usize = 3;
const TESTING_STANDS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Apps that this process has seen refused lately, so that it does not tell the store for every credential.
#[derive(Default)]
pub struct Alerts(Mutex<HashMap<ProviderId, Timestamp>>);

impl Alerts {
    fn is_new(&self, provider: &ProviderId, now: Timestamp) -> bool {
        let mut raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = raised.get(provider).is_some_and(|at| now.since(*at) < REFUSED_STANDS && *at <= now);
        if !stands {
            raised.insert(provider.clone(), now);
        }
        !stands
    }
}

/// Says that a provider refuses our app (client id, secret, redirect URI): an operator's fault, which
/// touches no connection.
pub async fn app_refused(ctx: &Context, provider: &ProviderId, provider_error: Option<&str>) {
    if !ctx.alerts.is_new(provider, ctx.clock.now()) {
        return;
    }
    let rule = Rule { key: format!("refused.{provider}"), needs: 1, stands: REFUSED_STANDS };
    let detail = format!("the provider refuses this app: {}", provider_error.unwrap_or("no reason given"));
    if raise(ctx, &rule, provider.as_str(), provider, detail).await {
        tracing::error!(
            provider.id = %provider,
            provider.error = provider_error,
            "the provider refuses our client id, secret or redirect URI; connections stay as they are"
        );
    }
}

/// Says that a grant ended at the age at which those of an app in testing do. Once several have, the operator is told.
pub(super) async fn grant_of_testing_app(ctx: &Context, provider: &ProviderId, credential: &CredentialId) {
    let rule = Rule { key: format!("testing.{provider}"), needs: TESTING_NEEDS, stands: TESTING_STANDS };
    let detail =
        "grants end a week after their consent: the app seems to be in testing; publish it".to_owned();
    if raise(ctx, &rule, credential.as_str(), provider, detail).await {
        tracing::error!(
            provider.id = %provider,
            "grants end a week after their consent: the app seems to be in testing; publish it at the provider"
        );
    }
}

/// Keeps an alert about one connect of a tenant. The caller logs it.
pub(super) async fn of_tenant(ctx: &Context, tenant: &TenantId, provider: &ProviderId, detail: &str) {
    let event = Event {
        tenant_id: Some(tenant.clone()),
        provider: Some(provider.clone()),
        detail: Some(detail.to_owned()),
        ..actor::event(ctx.clock.now(), EventKind::Alert)
    };
    note(ctx, &event);
    if let Err(error) = ctx.store.record(&[event]).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "an alert was not kept");
    }
}

/// Raises what looks like an attack by a user of a tenant, once an hour. The caller logs it.
pub(super) async fn of_user(
    ctx: &Context,
    tenant: &TenantId,
    user: &UserId,
    provider: &ProviderId,
    detail: String,
) {
    let whose = digest(&SHA256, format!("{}:{tenant}{user}", tenant.as_str().len()).as_bytes());
    let key = format!("browser.{}", URL_SAFE_NO_PAD.encode(whose));
    let rule = Rule { key, needs: 1, stands: REFUSED_STANDS };
    let event = Event {
        tenant_id: Some(tenant.clone()),
        provider: Some(provider.clone()),
        detail: Some(detail),
        ..actor::event(ctx.clock.now(), EventKind::Alert)
    };
    raise_event(ctx, &rule, user.as_str(), &event).await;
}

/// Whether it is raised now. When the store can't say, it is: twice is better than never.
async fn raise(ctx: &Context, rule: &Rule, subject: &str, provider: &ProviderId, detail: String) -> bool {
    let event = Event {
        provider: Some(provider.clone()),
        detail: Some(detail),
        ..actor::event(ctx.clock.now(), EventKind::Alert)
    };
    raise_event(ctx, rule, subject, &event).await
}

async fn raise_event(ctx: &Context, rule: &Rule, subject: &str, event: &Event) -> bool {
    let raised = ctx.store.raise(rule, subject, event).await.unwrap_or_else(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "an alert was not kept");
        rule.needs == 1
    });
    if raised {
        note(ctx, event);
    }
    raised
}
