//! The calls to a provider: exchange, refresh, who is it, does it work, revoke. Each is one story, told by the descriptor.

use std::sync::atomic::Ordering;

use serde_json::Value;
use url::Url;

use super::account::Known;
use super::answer::{self, IssuedToken, TokenAnswer};
use super::authorize::AuthorizationRequest;
use super::classify::{Rejection, Verdict, classify};
use super::descriptor::{
    CredentialRules, Method, RevocationMode, RevocationRules, RevocationStyle, TokenPart,
};
use super::failure::{Failure, NotConfigured};
use super::rows::Call;
use super::send::{Field, Http, Proof, Timeouts};
use super::{Address, Provider};
use crate::domain::{Account, ProviderRevocation, TokenKind};
use crate::secret::SecretString;

/// Calls providers.
pub struct ProviderClient {
    http: Http,
}

/// A call that did not go well: unsent or unanswered, or answered with a refusal.
enum Miss {
    Failed(Failure),
    Rejected(Rejection),
}

impl Miss {
    fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Failed(_) => None,
            Self::Rejected(rejection) => Some(rejection.verdict),
        }
    }
}

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::Failed(failure) => failure,
            Miss::Rejected(rejection) => rejection.into(),
        }
    }
}

impl ProviderClient {
    /// Nothing is connected yet.
    #[must_use]
    pub const fn new(timeouts: Timeouts) -> Self {
        Self { http: Http::new(timeouts) }
    }

    /// The URL to send the browser to (RFC 6749 section 4.1.1).
    ///
    /// # Errors
    /// When our app at the provider is not configured.
    pub fn authorization_url(
        &self,
        provider: &Provider,
        request: &AuthorizationRequest<'_>,
    ) -> Result<Url, NotConfigured> {
        provider.authorization_url(request)
    }

    /// Exchanges a code for tokens (RFC 6749 section 4.1.3).
    ///
    /// # Errors
    /// See [`Failure`]; a code that the provider refuses is [`super::FailureClass::Refused`].
    pub async fn exchange_code(
        &self,
        provider: &Provider,
        code: &SecretString,
        redirect_uri: &str,
        verifier: Option<&SecretString>,
    ) -> Result<TokenAnswer, Failure> {
        let mut form = vec![
            Field::Plain("grant_type", "authorization_code"),
            Field::Secret("code", code),
            Field::Plain("redirect_uri", redirect_uri),
        ];
        form.extend(verifier.map(|verifier| Field::Secret("code_verifier", verifier)));
        let raw = self.http.within(self.ask_for_tokens(provider, Call::Exchange, &form)).await?;
        answer::of_code(&provider.descriptor, raw)
    }

    /// Reads the answer to a code that was parked.
    ///
    /// # Errors
    /// When no token is in it.
    pub fn read_code_answer(&self, provider: &Provider, answer: &Value) -> Result<TokenAnswer, Failure> {
        answer::of_code(&provider.descriptor, answer.clone())
    }

    /// Refreshes a token (RFC 6749 section 6).
    ///
    /// # Errors
    /// See [`Failure`]; its `outcome` says whether the refresh token may be spent.
    pub async fn refresh(
        &self,
        provider: &Provider,
        kind: TokenKind,
        refresh_token: &SecretString,
    ) -> Result<IssuedToken, Failure> {
        let rules = rules_of(provider, kind)?;
        let form =
            [Field::Plain("grant_type", "refresh_token"), Field::Secret("refresh_token", refresh_token)];
        let raw = self.http.within(self.ask_for_tokens(provider, Call::Refresh, &form)).await?;
        answer::of_refresh(&provider.descriptor, rules, &raw)
    }

    /// Who consented. Where the answer to the code names the user, a provider that says no more about them
    /// costs only the e-mail.
    ///
    /// # Errors
    /// See [`Failure`]; malformed when the provider names nobody, or two different users.
    pub async fn identify(&self, provider: &Provider, answer: &TokenAnswer) -> Result<Account, Failure> {
        let rules = &provider.descriptor.account;
        let known = Known::from(rules, answer.raw());
        let (Some(userinfo), Some(token)) = (&rules.userinfo, answer.tokens.first()) else {
            return known.account(None);
        };
        let asked = async {
            let url = userinfo.url.url_for(known.user_id.as_deref().unwrap_or_default());
            let url = url.map_err(Failure::operator)?;
            let proof = Proof::Bearer(&token.access);
            Ok(self.call(provider, Call::Api, userinfo.method, url, &proof, &[]).await?)
        };
        match self.http.within(asked).await {
            Ok(said) => known.confirmed_by(userinfo, &said),
            Err(_) if known.user_id.is_some() => known.account(None),
            Err(failure) => Err(failure),
        }
    }

    /// Tries an access token out. One that only lacks the scope for the call works.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn probe(
        &self,
        provider: &Provider,
        kind: TokenKind,
        access: &SecretString,
    ) -> Result<(), Failure> {
        rules_of(provider, kind)?;
        let health = &provider.descriptor.health;
        let tried = async {
            let (url, proof) = (health.url.url(), Proof::Bearer(access));
            match self.call(provider, Call::Api, health.method, url, &proof, &[]).await {
                Ok(_) => Ok(()),
                Err(miss) if miss.verdict() == Some(Verdict::Alive) => Ok(()),
                Err(miss) => Err(miss.into()),
            }
        };
        self.http.within(tried).await
    }

    /// Revokes tokens at the provider (RFC 7009), and with them what the provider ends with them.
    ///
    /// # Errors
    /// See [`Failure`]; asking again does no harm.
    pub async fn revoke(
        &self,
        provider: &Provider,
        kind: TokenKind,
        access: Option<&SecretString>,
        refresh: Option<&SecretString>,
    ) -> Result<ProviderRevocation, Failure> {
        rules_of(provider, kind)?;
        let Some(rules) = &provider.descriptor.revocation else {
            return Ok(ProviderRevocation::Unsupported);
        };
        let there = rules.tokens.iter().filter_map(|part| match part {
            TokenPart::Access => access,
            TokenPart::Refresh => refresh,
        });
        let enough = match rules.mode {
            RevocationMode::First => 1,
            RevocationMode::Each => rules.tokens.len(),
        };
        let all = async {
            let mut result = ProviderRevocation::AlreadyInvalid;
            for token in there.take(enough) {
                if self.revoke_one(provider, rules, token).await? {
                    result = ProviderRevocation::Revoked;
                }
            }
            Ok(result)
        };
        self.http.within(all).await
    }

    /// Whether the token was alive until now.
    async fn revoke_one(
        &self,
        provider: &Provider,
        rules: &RevocationRules,
        token: &SecretString,
    ) -> Result<bool, Failure> {
        let form = [Field::Secret("token", token)];
        let post = async |proof: Proof<'_>, form: &[Field<'_>]| {
            let url = rules.url.url();
            self.call(provider, Call::Revoke, Method::Post, url, &proof, form).await
        };
        let answer = match (rules.style, rules.client_auth) {
            (RevocationStyle::Bearer, _) => post(Proof::Bearer(token), &[]).await,
            (RevocationStyle::Form, false) => post(Proof::None, &form).await,
            (RevocationStyle::Form, true) => {
                self.call_as_client(provider, Call::Revoke, &rules.url, &form).await
            }
        };
        match answer {
            Ok(_) => Ok(true),
            Err(miss) if miss.verdict() == Some(Verdict::AlreadyInvalid) => Ok(false),
            Err(miss) => Err(miss.into()),
        }
    }

    async fn ask_for_tokens(
        &self,
        provider: &Provider,
        call: Call,
        form: &[Field<'_>],
    ) -> Result<Value, Failure> {
        Ok(self.call_as_client(provider, call, &provider.descriptor.token.url, form).await?)
    }

    /// Calls as our app, with the secret that worked last; one that is refused makes way for the next.
    async fn call_as_client(
        &self,
        provider: &Provider,
        call: Call,
        address: &Address,
        form: &[Field<'_>],
    ) -> Result<Value, Miss> {
        let not_configured = || Failure::operator(NotConfigured(provider.id().clone()));
        let app = provider.app().ok_or_else(not_configured)?;
        let client_auth = provider.descriptor.token.client_auth;
        let in_use = provider.secret_in_use.load(Ordering::Relaxed);
        let secrets = app.client_secrets.iter().enumerate();
        let mut answer = Err(not_configured().into());
        for (index, secret) in secrets.clone().skip(in_use).chain(secrets.take(in_use)) {
            let proof = Proof::Client(app, secret, client_auth);
            answer = self.call(provider, call, Method::Post, address.url(), &proof, form).await;
            match &answer {
                Err(miss) if miss.verdict() == Some(Verdict::BadSecret) => {}
                Ok(_) => {
                    provider.secret_in_use.store(index, Ordering::Relaxed);
                    break;
                }
                Err(_) => break,
            }
        }
        answer
    }

    async fn call(
        &self,
        provider: &Provider,
        call: Call,
        method: Method,
        url: Url,
        proof: &Proof<'_>,
        form: &[Field<'_>],
    ) -> Result<Value, Miss> {
        let reply = self.http.send(provider.reach, method, url, proof, form).await?;
        classify(&provider.descriptor, call, reply).map_err(Miss::Rejected)
    }
}

/// What the descriptor says of `kind`: a file may have been replaced by one that no longer has it.
fn rules_of(provider: &Provider, kind: TokenKind) -> Result<&CredentialRules, Failure> {
    provider
        .descriptor
        .credential(kind)
        .ok_or_else(|| Failure::operator("the provider's file has no such kind of token"))
}
