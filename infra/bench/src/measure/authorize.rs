//! `POST /api/v1/oauth/authorize`: each one keeps an attempt in the store before it answers.

use crate::Result;
use crate::http;
use crate::lab::Lab;
use crate::report::{Goal, Report};
use crate::seed::{self, TENANT};

use super::Duel;

const PATH: &str = "/api/v1/oauth/authorize";
/// Of the open loop: people start connecting far less often than services get tokens.
const RATE: u32 = 500;

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let data = lab.folder("authorize")?;
    let mut ours = lab.start("standalone", &data, &[])?;
    let body = format!(r#"{{"userId":"{}","tenantId":"{TENANT}","provider":"gmail"}}"#, seed::user(0));
    let request = http::post(PATH, "application/json", &body);
    let bare = lab.start_bare_like(&mut ours, PATH, &request)?;
    let what = "authorize (a write to SQLite each)";
    let duel = Duel { lab, what, bare: &bare, ours: &ours, requests: [request].into() };
    duel.throughput(report, Goal::None, Goal::None).await?;
    duel.tail(report, RATE)
}
