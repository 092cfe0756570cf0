//! Tokens that the store would not take: parked sealed, in a journal on one machine or in the shared cache, for a day.
//!
//! Each version has a place of its own, and keeps it until its time is over, also when it is saved: whoever has the lease
//! meanwhile must find it before sending the token that it replaced.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RenewError, outcome};
use crate::cache::{CacheError, PARKED_TTL};
use crate::domain::{Credential, CredentialId, EventKind, Status, StatusReason, Timestamp};
use crate::flow::note::note;
use crate::flow::{Context, connect, revoke};
use crate::store::{Saved, StoreError};

/// How long is waited between the tries of a cache that does not answer at once, as happens on a busy machine.
const WAITS: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(200)];

/// What is parked, as text.
#[derive(Serialize, Deserialize)]
struct Parked {
    until: Timestamp,
    credential: Credential,
}

/// What every build reads of it.
#[derive(Deserialize)]
struct Until {
    until: Timestamp,
}

/// Parks what could not be saved. The tokens are good all the same, so whoever waits for them gets them; the
/// intent that is still in the store leads the next refresh here.
pub(super) async fn park(
    ctx: &Context,
    credential: Credential,
    unsaved: StoreError,
) -> Result<Credential, RenewError> {
    let parked = Parked { until: ctx.clock.now() + PARKED_TTL, credential };
    let kept = keep(ctx, &parked).await;
    let credential = parked.credential;
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
///
/// # Errors
/// When the cache or the journal can't be read: something may be parked there.
pub(super) async fn find(ctx: &Context, before: &Credential) -> Result<Option<Credential>, CacheError> {
    let version = before.version + 1;
    let place = place(&before.id, version);
    let kept = match journal(ctx) {
        Some(journal) => read(journal.join(&place)).await,
        None => Ok(None),
    };
    let text = match kept {
        Ok(Some(text)) => Some(text),
        // The cache has what no disk would take.
        Ok(None) => from_cache(ctx, &place).await?,
        Err(unread) => Some(from_cache(ctx, &place).await?.ok_or_else(|| CacheError(unread.into()))?),
    };
    let parked = text.and_then(|text| serde_json::from_str::<Parked>(&text).ok());
    let parked = parked.filter(|parked| parked.until > ctx.clock.now()).map(|parked| parked.credential);
    Ok(parked.filter(|parked| parked.id == before.id && parked.version == version))
}

/// Looks through all that is parked, as part of a sweep: saves what the store took for dead, has the provider revoke what
/// was revoked here meanwhile, and forgets what is over.
pub(in crate::flow) async fn settle(ctx: &Context) -> Result<(), StoreError> {
    if let Some(journal) = journal(ctx) {
        for place in places(journal.clone()).await {
            let Ok(Some(text)) = read(journal.join(&place)).await else { continue };
            if is_settled(ctx, &text).await? {
                remove(journal.join(place)).await;
            }
        }
    }
    let mut cursor = 0;
    while ctx.cache.shared() {
        let (parked, next) = match ctx.cache.all_parked(cursor).await {
            Ok(page) => page,
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "what is parked was not looked through"
                );
                break;
            }
        };
        for (place, text) in parked {
            if is_settled(ctx, &text).await?
                && let Err(error) = ctx.cache.unpark(&place).await
            {
                tracing::debug!(error = &error as &dyn std::error::Error, "parked tokens end by themselves");
            }
        }
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    Ok(())
}

/// Whether nobody will want it any more.
async fn is_settled(ctx: &Context, text: &str) -> Result<bool, StoreError> {
    if serde_json::from_str::<Until>(text).is_ok_and(|parked| parked.until <= ctx.clock.now()) {
        return Ok(true);
    }
    // What another build wrote is left to it, and to its end.
    let Ok(Parked { credential: parked, .. }) = serde_json::from_str(text) else { return Ok(false) };
    let Some(stored) = ctx.store.credential(&parked.id).await? else { return Ok(true) };
    let revoked = stored.status_reason == Some(StatusReason::RevokedByCaller);
    if revoked && stored.version == parked.version && stored.access.is_none() {
        // Revoked here while it was parked: what the provider was told of is the token before.
        return Ok(revoke::received_too_late(ctx, &parked).await);
    }
    let given_up = matches!(stored.status, Status::Expired | Status::Revoked) && !revoked;
    if given_up && stored.version + 1 == parked.version {
        let event = outcome::about(ctx, &parked, EventKind::Refreshed, None);
        if ctx.store.save_refreshed(&parked, &event).await? == Saved::Done {
            note(ctx, &event);
            tracing::info!(credential.id = %parked.id, "a grant that was taken for dead lives: its tokens were parked");
            connect::forget_older_tokens(ctx, &parked).await;
            for id in ctx.store.users(&parked.id).await? {
                if let Some(connection) = ctx.store.connection(id).await? {
                    connect::forget_cached(ctx, &connection).await;
                }
            }
        }
    }
    Ok(false)
}

async fn from_cache(ctx: &Context, place: &str) -> Result<Option<String>, CacheError> {
    let mut waits = WAITS.iter();
    while ctx.cache.shared() {
        match (ctx.cache.parked(place).await, waits.next()) {
            (Err(_), Some(wait)) => tokio::time::sleep(*wait).await,
            (read, _) => return read,
        }
    }
    Ok(None)
}

/// A disk keeps what it has; a cache can be emptied, and is for those who share no disk.
async fn keep(ctx: &Context, parked: &Parked) -> bool {
    let Ok(text) = serde_json::to_string(parked) else { return false };
    let place = place(&parked.credential.id, parked.credential.version);
    if let Some(journal) = journal(ctx)
        && write(journal, place.clone(), text.clone()).await
    {
        return true;
    }
    let mut waits = WAITS.iter();
    while ctx.cache.shared() {
        match (ctx.cache.park(&place, &text).await, waits.next()) {
            (Ok(()), _) => return true,
            (Err(_), Some(wait)) => tokio::time::sleep(*wait).await,
            (Err(_), None) => break,
        }
    }
    false
}

fn place(id: &CredentialId, version: u64) -> String {
    // What an id may hold besides is no name of a file.
    let plain = |each: char| each.is_ascii_alphanumeric() || matches!(each, '.' | '-' | '_');
    let id: String = id.as_str().chars().map(|each| if plain(each) { each } else { '_' }).collect();
    format!("{id}.{version}.json")
}

/// Where is parked on one machine, which has a disk of its own.
fn journal(ctx: &Context) -> Option<PathBuf> {
    ctx.config.has_embedded_store().then(|| ctx.config.data_dir.join("parked"))
}

async fn places(journal: PathBuf) -> Vec<String> {
    let listed = tokio::task::spawn_blocking(move || {
        let entries = std::fs::read_dir(journal).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| Path::new(name).extension().is_some_and(|each| each == "json")).collect()
    });
    listed.await.unwrap_or_default()
}

/// `None`: there is no such file.
async fn read(path: PathBuf) -> io::Result<Option<String>> {
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    match read.unwrap_or_else(|panicked| Err(io::Error::other(panicked))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

async fn remove(path: PathBuf) {
    let removed = tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await;
    if !matches!(removed, Ok(Ok(()))) {
        tracing::warn!("a journal entry was not removed; it is passed over");
    }
}

/// Written beside its place, flushed, then moved there: never half of it.
async fn write(journal: PathBuf, place: String, text: String) -> bool {
    let written = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        use std::io::Write as _;
        std::fs::create_dir_all(&journal)?;
        let path = journal.join(place);
        let draft = path.with_extension("draft");
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(draft, path)
    });
    matches!(written.await, Ok(Ok(())))
}
