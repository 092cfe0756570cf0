//! Writes a change into the audit log once it is stored: what jobs do as well as what calls do.

use super::Context;
use crate::audit::Record;
use crate::domain::{Event, EventKind};

/// Notes a change. It has happened and can't be undone for want of a line, so a log that can't be written is said in the other log; the
/// call that caused it is not answered then.
pub(super) fn note(ctx: &Context, event: &Event) {
    let record = Record {
        request_id: event.request_id.clone(),
        call: Some(name(event.kind)),
        caller: event.by.as_deref().map(Into::into),
        tenant_id: event.tenant_id.clone(),
        provider: event.provider.clone(),
        connection_id: event.connection_id,
        detail: event.detail.clone().map(Into::into),
        ..Record::default()
    };
    if let Err(error) = ctx.audit.write(&record) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a change was not written into the audit log"
        );
    }
}

const fn name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Connected => "change.connected",
        EventKind::Reconnected => "change.reconnected",
        EventKind::Refreshed => "change.refreshed",
        EventKind::RefreshFailed => "change.refresh_failed",
        EventKind::GrantEnded => "change.grant_ended",
        EventKind::Health => "change.health",
        EventKind::Revoked => "change.revoked",
        EventKind::ProviderRevocation => "change.provider_revocation",
        EventKind::Alert => "change.alert",
        EventKind::Admin => "change.admin",
    }
}
