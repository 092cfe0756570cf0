//! After the callers: does every credential still give a token that works, and can it be refreshed once more?

use futures_util::future::join_all;

use crate::caller::{Desk, Ended};
use crate::plan::Plan;
use crate::prng::Prng;

/// How each credential stands, by its index.
pub(crate) async fn settle(desk: &Desk<'_>, plan: &Plan) -> Vec<Ended> {
    let each = (0..desk.lab.credentials.len()).map(|credential| one(desk, plan, credential));
    join_all(each).await
}

/// A token that works says nothing about the refresh token behind it: that shows when it is used.
async fn one(desk: &Desk<'_>, plan: &Plan, credential: usize) -> Ended {
    let mut prng = Prng::new(plan.seed ^ (credential as u64 + 1));
    let users = desk.lab.credentials.get(credential).map_or(&[][..], |each| &each.people);
    let Some(person) = prng.pick(users).copied() else { return Ended::Badly };
    let before = desk.get(&mut prng, credential, person, None).await;
    if before != Ended::Well {
        return before;
    }
    let refreshed = desk.refresh(&mut prng, credential, person).await;
    if refreshed != Ended::Well {
        return refreshed;
    }
    desk.get(&mut prng, credential, person, None).await
}
