//! Lets go of tokens that must not be kept: the provider revokes them, unless somebody's connection depends on the same grant.

use super::Context;
use super::tokens::grant_digest;
use crate::domain::Account;
use crate::provider::{Provider, TokenAnswer};

/// Discards the tokens of a consent that came to nothing. An unfinished flow of an attacker must not end
/// the victim's own grant, so a grant that is in use, or that can't be told, is left alone.
pub async fn discard(ctx: &Context, provider: &Provider, account: &Account, answer: &TokenAnswer) {
    for token in &answer.tokens {
        let digest = match grant_digest(ctx, provider, token.kind, account).await {
            Ok(digest) => digest,
            Err(error) => {
                tracing::warn!(provider.id = %provider.id(), error = &error as &dyn std::error::Error, "discarded tokens stay live at the provider: their grant can't be told");
                continue;
            }
        };
        match ctx.store.grant_in_use(&digest).await {
            Ok(false) => {}
            Ok(true) => continue,
            Err(error) => {
                tracing::warn!(provider.id = %provider.id(), error = &error as &dyn std::error::Error, "discarded tokens stay live at the provider: the store can't say who uses their grant");
                continue;
            }
        }
        let revoked =
            ctx.client.revoke(provider, token.kind, Some(&token.access), token.refresh.as_ref()).await;
        if let Err(failure) = revoked {
            tracing::warn!(provider.id = %provider.id(), provider.error = failure.code, "the provider did not revoke discarded tokens; they end by themselves");
        }
    }
}
