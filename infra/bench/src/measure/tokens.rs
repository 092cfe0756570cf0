//! `POST /api/v1/tokens/get` from the warm cache in the process.

use crate::Result;
use crate::http;
use crate::lab::Lab;
use crate::report::{Goal, Report};
use crate::seed::{self, TENANT};

use super::Duel;

/// Where tokens are got.
pub(super) const PATH: &str = "/api/v1/tokens/get";
/// How many users take turns.
pub(super) const USERS: u32 = 1000;

/// A request for the token of one user.
pub(super) fn request(number: u32) -> Vec<u8> {
    let user = seed::user(number);
    let body = format!(r#"{{"userId":"{user}","tenantId":"{TENANT}","provider":"gmail"}}"#);
    http::post(PATH, "application/json", &body)
}

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let data = lab.folder("tokens")?;
    seed::fill(&data, 0..USERS, &[]).await?;
    let mut ours = lab.start("standalone", &data, &[])?;
    let bare = lab.start_bare_like(&mut ours, PATH, &request(0))?;
    for (what, users) in [("tokens/get, one user", 1), ("tokens/get, 1,000 users", USERS)] {
        let requests = (0..users).map(request).collect();
        let duel = Duel { lab, what, bare: &bare, ours: &ours, requests };
        duel.throughput(report, Goal::AtLeast(0.7), Goal::AtMost(2.5)).await?;
        duel.tail(report, lab.args.rate)?;
    }
    Ok(())
}
