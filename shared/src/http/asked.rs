//! A call that the guard has let through: who makes it, what they may do with it, and what will be recorded of it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::caller::Caller;
use super::ratelimit;
use super::respond::{Problem, Refusal};
use super::rule::{Rule, forbidden, not_granted};
use crate::access::{Names, NotGranted, Policy};
use crate::audit::{AuditError, Record};
use crate::domain::{Connection, ConnectionId, ProviderId, Scopes, TenantId, UserId};
use crate::error::Code;
use crate::flow::Context;
use crate::limit::{Ask, Scope, Standing, Verdict};

/// A call, as handlers get it. Every handler says through one of its `for_…` whom the call is about, before it does anything: that
/// is where grants and the limits of tenants and users are kept.
#[derive(Clone)]
pub struct Asked(Arc<Inner>);

struct Inner {
    ctx: Arc<Context>,
    rule: Rule,
    policy: Arc<Policy>,
    caller: OnceLock<Caller>,
    draft: Mutex<Draft>,
}

struct Draft {
    record: Record,
    standing: Option<Standing>,
    written: bool,
}

impl Asked {
    pub(super) fn new(ctx: Arc<Context>, rule: Rule, policy: Arc<Policy>, record: Record) -> Self {
        let draft = Mutex::new(Draft { record, standing: None, written: false });
        Self(Arc::new(Inner { ctx, rule, policy, caller: OnceLock::new(), draft }))
    }

    pub(super) fn ctx(&self) -> &Context {
        &self.0.ctx
    }

    pub(super) fn rule(&self) -> Rule {
        self.0.rule
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Notes who is asking.
    pub(super) fn is(&self, caller: Caller) {
        self.0.draft().record.caller = Some(caller.name().into());
        if let Caller::Session(session) = &caller {
            self.0.draft().record.detail = Some(format!("session minted by {}", session.minted_by).into());
        }
        let _ = self.0.caller.set(caller);
    }

    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.0.caller.get().unwrap_or(&Caller::Anonymous)
    }

    /// What they are called in the audit log and in events.
    pub(super) fn who(&self) -> Arc<str> {
        self.0.draft().record.caller.clone().unwrap_or_default()
    }

    /// A call for a user of a tenant, at one provider where it names one.
    ///
    /// # Errors
    /// `forbidden`, `rate_limited`.
    pub async fn for_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: Option<&ProviderId>,
    ) -> Result<(), Problem> {
        self.about(Some(tenant), Some(user), provider);
        self.may(tenant, provider)?;
        if let Caller::Session(session) = self.caller() {
            if session.tenant_id != *tenant || session.user_id != *user {
                return Err(forbidden("This connect session is for another user."));
            }
            if provider.is_some_and(|provider| !session.is_for(provider)) {
                return Err(forbidden("This connect session is for other providers."));
            }
        }
        self.count(tenant, user).await
    }

    /// A call for one connection: another tenant's is not found.
    ///
    /// # Errors
    /// `connection_not_found`, `forbidden`, `rate_limited`, `store_unavailable`.
    pub async fn for_connection(&self, id: ConnectionId) -> Result<Connection, Problem> {
        self.0.draft().record.connection_id = Some(id);
        let found = self.0.ctx.store.connection(id).await?;
        let not_found = || Problem::new(Code::ConnectionNotFound).connection(id);
        let connection = found.ok_or_else(not_found)?;
        self.about(Some(&connection.tenant_id), Some(&connection.user_id), Some(&connection.provider));
        let may = self.granted(&connection.tenant_id, Some(&connection.provider));
        may.map_err(|what| match what {
            NotGranted::Tenant => not_found(),
            NotGranted::Call | NotGranted::Provider => not_granted(what),
        })?;
        self.count(&connection.tenant_id, &connection.user_id).await?;
        Ok(connection)
    }

    /// An operator's call for those that a filter names; without a name it is for all of them.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn for_filter(
        &self,
        tenant: Option<&TenantId>,
        user: Option<&UserId>,
        provider: Option<&ProviderId>,
    ) -> Result<(), Problem> {
        self.about(tenant, user, provider);
        let Caller::Operator(operator) = self.caller() else { return Ok(()) };
        if !tenant.map_or(operator.tenants == Names::All, |tenant| operator.tenants.has(tenant)) {
            return Err(match tenant {
                Some(_) => not_granted(NotGranted::Tenant),
                None => forbidden("This operator is for some tenants: name one of them in tenantId."),
            });
        }
        if !provider.map_or(operator.providers == Names::All, |provider| operator.providers.has(provider)) {
            return Err(match provider {
                Some(_) => not_granted(NotGranted::Provider),
                None => forbidden("This operator is for some providers: name one of them in provider."),
            });
        }
        Ok(())
    }

    /// An operator's call for the whole service.
    ///
    /// # Errors
    /// `forbidden` for one who is for some tenants or providers only.
    pub fn for_everything(&self) -> Result<(), Problem> {
        self.for_tenant(None)
    }

    /// An operator's call for all that one tenant has, or, without a name, for all that there is.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn for_tenant(&self, tenant: Option<&TenantId>) -> Result<(), Problem> {
        self.about(tenant, None, None);
        let Caller::Operator(operator) = self.caller() else { return Ok(()) };
        let all = operator.providers == Names::All;
        match tenant {
            Some(tenant) if !operator.tenants.has(tenant) => Err(not_granted(NotGranted::Tenant)),
            Some(_) if all => Ok(()),
            None if all && operator.tenants == Names::All => Ok(()),
            Some(_) | None => Err(forbidden("This call is for more than this operator is for.")),
        }
    }

    /// At which providers this call is allowed for a tenant: what a list over all of them leaves out.
    #[must_use]
    pub fn providers(&self, tenant: &TenantId) -> Names<ProviderId> {
        match (self.caller(), self.0.rule) {
            (Caller::Session(session), _) => match &session.providers {
                Some(some) => Names::Some(some.iter().cloned().collect()),
                None => Names::All,
            },
            (Caller::Service(service), Rule::Service(call) | Rule::ServiceOrSession(call)) => {
                service.providers(call, tenant)
            }
            (Caller::Operator(operator), _) => operator.providers.clone(),
            (Caller::Open | Caller::Anonymous | Caller::Service(_), _) => Names::All,
        }
    }

    /// Records which connection it was about, and which scopes were given out.
    pub fn note(&self, connection: ConnectionId, scopes: Option<&Scopes>) {
        let mut draft = self.0.draft();
        draft.record.connection_id = Some(connection);
        if let Some(scopes) = scopes {
            draft.record.scopes.clone_from(scopes);
        }
    }

    /// Records for whom it turned out to be: a callback knows only afterwards.
    pub fn about(&self, tenant: Option<&TenantId>, user: Option<&UserId>, provider: Option<&ProviderId>) {
        let mut draft = self.0.draft();
        let record = &mut draft.record;
        record.tenant_id = tenant.cloned();
        record.user_id = user.cloned();
        record.provider = provider.cloned();
    }

    fn may(&self, tenant: &TenantId, provider: Option<&ProviderId>) -> Result<(), Problem> {
        self.granted(tenant, provider).map_err(not_granted)
    }

    fn granted(&self, tenant: &TenantId, provider: Option<&ProviderId>) -> Result<(), NotGranted> {
        match (self.caller(), self.0.rule) {
            (Caller::Service(service), Rule::Service(call) | Rule::ServiceOrSession(call)) => {
                service.may(call, tenant, provider)
            }
            (Caller::Operator(operator), _) if !operator.tenants.has(tenant) => Err(NotGranted::Tenant),
            (Caller::Operator(operator), _)
                if provider.is_some_and(|provider| !operator.providers.has(provider)) =>
            {
                Err(NotGranted::Provider)
            }
            _ => Ok(()),
        }
    }

    /// Counts the call against what a tenant and its user may do.
    async fn count(&self, tenant: &TenantId, user: &UserId) -> Result<(), Problem> {
        let Some(class) = self.0.rule.class().filter(|_| !self.0.ctx.access.is_off()) else { return Ok(()) };
        let Some(shares) = self.0.policy.limits.shares(class) else { return Ok(()) };
        let of_user = format!("{}:{tenant}{user}", tenant.as_str().len());
        self.take(&[
            Ask { scope: Scope::Tenant, class, who: tenant.to_string(), rate: shares.tenant },
            Ask { scope: Scope::User, class, who: of_user, rate: shares.user },
        ])
        .await
    }

    /// Takes permits, and notes how the caller stands.
    pub(super) async fn take(&self, asks: &[Ask]) -> Result<(), Problem> {
        let ctx = &self.0.ctx;
        let verdict = ctx.limiter.admit(ctx.cache.as_ref(), ctx.clock.as_ref(), asks).await;
        let mut draft = self.0.draft();
        match verdict {
            Verdict::Admitted(standing) => {
                // The tighter of two is what the caller has to mind.
                let tighter = |new: &Standing| draft.standing.is_none_or(|old| new.left() <= old.left());
                draft.standing = standing.filter(tighter).or(draft.standing);
                Ok(())
            }
            Verdict::Refused(standing, wait) => {
                let problem = ratelimit::problem(&standing, wait);
                draft.standing = Some(standing);
                Err(problem)
            }
        }
    }

    pub(super) fn standing(&self) -> Option<Standing> {
        self.0.draft().standing
    }

    /// Writes down what came of it.
    pub(super) fn record(&self, status: u16, refusal: Option<&Refusal>) -> Result<(), AuditError> {
        if let Some(refusal) = refusal.filter(|refusal| !refusal.detail.is_empty()) {
            let mut draft = self.0.draft();
            draft.record.detail = Some(match draft.record.detail.take() {
                Some(before) => format!("{before}; {}", refusal.detail).into(),
                None => refusal.detail.clone(),
            });
        }
        // What axum itself refuses says no code.
        let outcome = if status < 400 { "ok" } else { "refused" };
        self.0.write(Some(status), refusal.map_or(outcome, |refusal| refusal.code.as_str()))
    }

    /// Leaves the call unrecorded: one of a flood, whose lines would fill the log. How many there were stands in the next line.
    pub(super) fn leave_out(&self) {
        self.0.draft().written = true;
    }

    /// Records how many calls before this one were left out.
    pub(super) fn note_left_out(&self, count: u64) {
        self.0.draft().record.detail =
            Some(format!("{count} refusals of a flood before this one are not recorded").into());
    }
}

impl Inner {
    fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, status: Option<u16>, outcome: &'static str) -> Result<(), AuditError> {
        let mut draft = self.draft();
        draft.written = true;
        let mut record = std::mem::take(&mut draft.record);
        drop(draft);
        record.status = status;
        record.outcome = Some(outcome);
        self.ctx.audit.write(&record)
    }
}

impl Drop for Inner {
    /// A call that ends without an answer (its caller went away, it took too long, it panicked) is recorded all the same.
    fn drop(&mut self) {
        if !self.draft().written
            && let Err(error) = self.write(None, "abandoned")
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a call without an answer was not recorded"
            );
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // An endpoint without a guard does not compile: `Endpoints::endpoint` takes a rule.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Code::Internal))
    }
}
