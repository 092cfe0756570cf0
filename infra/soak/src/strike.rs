//! Carries a fault out on one refresh, at exactly its step.

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::fault::Fault;
use crate::lab::Lab;
use crate::proxy::{Answer, Asker, Hit, Reply, Request, forward};
use crate::store_block::StoreBlock;

/// Longer than a lease (15 s), which ends while a process stands still.
const PAST_THE_LEASE: Duration = Duration::from_millis(16_500);
/// Longer than a call may take (5 s).
const PAST_THE_TIMEOUT: Duration = Duration::from_millis(5_300);
/// How long the store refuses what it is given: longer than saves are tried (5 s at most).
const REFUSING: Duration = Duration::from_millis(5_500);
/// How long a store is held shut for a kill: less than saves are tried.
const SHUT: Duration = Duration::from_millis(250);
/// How long a process needs at most until it has saved.
const SAVED_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Carries it out. What can't be carried out because the process is gone already is not counted.
pub(crate) async fn strike(lab: &Arc<Lab>, hit: Hit, fault: Fault, request: Request, asker: Asker) {
    lab.under_way.begin();
    match carry_out(lab, hit, fault, &request, asker).await {
        Ok(true) => lab.armed.struck(hit.credential, fault),
        Ok(false) => {}
        Err(error) => lab.trouble(format!("{}: {error}", fault.name())),
    }
    lab.under_way.end();
}

async fn carry_out(lab: &Arc<Lab>, hit: Hit, fault: Fault, request: &Request, asker: Asker) -> Result<bool> {
    let call = hit.call;
    let ask = async || forward(lab, call, request).await;
    let instead = async |asker: Asker, reply: Reply| {
        asker.give(reply).await;
        lab.ledger.left(call);
        Ok(true)
    };
    match fault {
        Fault::KillBeforeSending => Ok(lab.kill(hit.slot, hit.life, None).await),
        Fault::KillAfterSending => {
            ask().await?;
            Ok(lab.kill(hit.slot, hit.life, None).await)
        }
        Fault::KillBeforeSave => {
            let block = StoreBlock::shut(lab, hit.slot).await?;
            let answer = ask().await?;
            asker.deliver(&lab.ledger, call, answer).await;
            tokio::time::sleep(SHUT).await;
            let killed = lab.kill(hit.slot, hit.life, None).await;
            block.open().await?;
            Ok(killed)
        }
        Fault::KillAfterSave => {
            let before = lab.stored(hit.credential).await?.version;
            let answer = ask().await?;
            asker.deliver(&lab.ledger, call, answer).await;
            let saved = async {
                while lab.stored(hit.credential).await.map_or(before, |stored| stored.version) == before {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            };
            let saved = tokio::time::timeout(SAVED_WITHIN, saved).await.is_ok();
            Ok(lab.kill(hit.slot, hit.life, saved.then_some(call)).await && saved)
        }
        Fault::Terminate => {
            let stopping = {
                let lab = Arc::clone(lab);
                tokio::spawn(async move { lab.terminate(hit.slot, hit.life).await })
            };
            tokio::time::sleep(SHUT).await;
            let answer = ask().await?;
            asker.deliver(&lab.ledger, call, answer).await;
            stopping.await?
        }
        Fault::FreezeBeforeSending => {
            let frozen = freeze(lab, hit).await?;
            tokio::time::sleep(PAST_THE_LEASE).await;
            drop(asker);
            lab.thaw(hit.slot, hit.life).await?;
            Ok(frozen)
        }
        Fault::FreezeAfterSending => {
            let frozen = freeze(lab, hit).await?;
            let answer = ask().await?;
            asker.deliver(&lab.ledger, call, answer).await;
            tokio::time::sleep(PAST_THE_LEASE).await;
            lab.thaw(hit.slot, hit.life).await?;
            Ok(frozen)
        }
        Fault::RefuseSave | Fault::RefuseSaveAndKill => {
            let block = StoreBlock::refuse(lab, hit.slot, hit.credential).await?;
            let answer = ask().await?;
            asker.deliver(&lab.ledger, call, answer).await;
            tokio::time::sleep(REFUSING).await;
            if fault == Fault::RefuseSaveAndKill {
                lab.kill(hit.slot, hit.life, Some(call)).await;
            }
            block.open().await?;
            Ok(true)
        }
        Fault::DropBefore => instead(asker, Reply::Nothing).await,
        Fault::DropAfter => {
            ask().await?;
            instead(asker, Reply::Nothing).await
        }
        Fault::ErrorBefore => instead(asker, Reply::Whole(error())).await,
        Fault::ErrorAfter => {
            ask().await?;
            instead(asker, Reply::Whole(error())).await
        }
        Fault::TooMany => {
            lab.ledger.surely_unspent(call);
            let mut answer = Answer::new(429, "application/json", "{\"error\":\"ratelimited\",\"ok\":false}");
            answer.headers.push(("retry-after".to_owned(), "2".to_owned()));
            instead(asker, Reply::Whole(answer)).await
        }
        Fault::Html => {
            let page = Answer::new(200, "text/html", "<!doctype html><title>Back soon</title>");
            instead(asker, Reply::Whole(page)).await
        }
        Fault::HalfJson => {
            let mut answer = ask().await?;
            answer.body.truncate(answer.body.len() / 2);
            instead(asker, Reply::Whole(answer)).await
        }
        Fault::HalfAnswer => {
            let answer = ask().await?;
            instead(asker, Reply::Half(answer)).await
        }
        Fault::Late => {
            let answer = ask().await?;
            tokio::time::sleep(PAST_THE_TIMEOUT).await;
            instead(asker, Reply::Whole(answer)).await
        }
        Fault::SentLate => {
            tokio::time::sleep(PAST_THE_TIMEOUT).await;
            lab.ledger.left(call);
            ask().await?;
            Ok(true)
        }
    }
}

/// Stops a process while it is in no write transaction: in one, it would hold up everybody.
async fn freeze(lab: &Arc<Lab>, hit: Hit) -> Result<bool> {
    let block = StoreBlock::shut(lab, hit.slot).await?;
    let frozen = lab.freeze(hit.slot, hit.life).await;
    block.open().await?;
    frozen
}

fn error() -> Answer {
    Answer::new(500, "application/json", "{\"error\":\"server_error\"}")
}
