//! Parks refreshed tokens that the store would not take: sealed, in the shared cache or in a journal on one machine, until it does.

use std::path::PathBuf;

use super::RenewError;
use crate::domain::{Credential, CredentialId};
use crate::flow::Context;
use crate::store::StoreError;

/// Parks what could not be saved. The tokens are good all the same, so whoever waits for them gets them; the
/// intent that is still in the store leads the next refresh here.
pub(super) async fn park(
    ctx: &Context,
    credential: Credential,
    unsaved: StoreError,
) -> Result<Credential, RenewError> {
    let kept = keep(ctx, &credential).await;
    tracing::error!(
        credential.id = %credential.id,
        provider.id = %credential.provider,
        error = &unsaved as &dyn std::error::Error,
        parked = kept,
        "refreshed tokens could not be saved"
    );
    if kept { Ok(credential) } else { Err(RenewError::Store(unsaved)) }
}

/// The parked tokens of exactly the version that comes after `before`.
pub(super) async fn find(ctx: &Context, before: &Credential) -> Option<Credential> {
    let text = match ctx.cache.parked(&before.id).await {
        Ok(Some(text)) => Some(text),
        Ok(None) | Err(_) => read(journal(ctx, &before.id)?).await,
    };
    let parked: Credential = serde_json::from_str(&text?).ok()?;
    (parked.id == before.id && parked.version == before.version + 1).then_some(parked)
}

/// Forgets what is parked: the store has it, or has something newer.
pub(super) async fn forget(ctx: &Context, id: &CredentialId) {
    if ctx.cache.shared()
        && let Err(error) = ctx.cache.unpark(id).await
    {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "parked tokens were not forgotten; they end by themselves"
        );
    }
    if let Some(path) = journal(ctx, id).filter(|path| path.exists()) {
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await;
        if !matches!(removed, Ok(Ok(()))) {
            tracing::warn!(credential.id = %id, "a journal entry was not removed; it is passed over");
        }
    }
}

async fn keep(ctx: &Context, credential: &Credential) -> bool {
    let Ok(text) = serde_json::to_string(credential) else { return false };
    if ctx.cache.shared() && ctx.cache.park(&credential.id, &text).await.is_ok() {
        return true;
    }
    match journal(ctx, &credential.id) {
        Some(path) => write(path, text).await,
        None => false,
    }
}

/// Where a credential is parked on one machine, which has a disk of its own.
fn journal(ctx: &Context, id: &CredentialId) -> Option<PathBuf> {
    let plain =
        id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    (plain && ctx.config.has_embedded_store())
        .then(|| ctx.config.data_dir.join("parked").join(format!("{id}.json")))
}

async fn read(path: PathBuf) -> Option<String> {
    tokio::task::spawn_blocking(move || std::fs::read_to_string(path).ok()).await.ok()?
}

/// Written beside its place, flushed, then moved there: never half of it.
async fn write(path: PathBuf, text: String) -> bool {
    let written = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        use std::io::Write as _;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let draft = path.with_extension("draft");
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(draft, path)
    });
    matches!(written.await, Ok(Ok(())))
}
