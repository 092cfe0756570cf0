//! `POST /api/v1/tokens/get` of the `token-get` function, whose cache is a Redis on this machine.

use std::process::Command;

use crate::Result;
use crate::lab::Lab;
use crate::process::{Server, free_address};
use crate::report::{Goal, Report};
use crate::seed;

use super::Duel;
use super::tokens::{PATH, USERS, request};

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let Some(redis) = start_redis(lab)? else {
        report.note("SKIPPED: redis: there is no `redis-server` on the PATH".to_owned());
        return Ok(());
    };
    let data = lab.folder("redis")?;
    seed::fill(&data, 0..USERS, &[]).await?;
    let cache = [("CACHE_URL", format!("redis://{}", redis.address))];
    let mut ours = lab.start("token-get", &data, &cache)?;
    let bare = lab.start_bare_like(&mut ours, PATH, &request(0))?;
    let requests = (0..USERS).map(request).collect();
    let what = "tokens/get through Redis, 1,000 users";
    let duel = Duel { lab, what, bare: &bare, ours: &ours, requests };
    duel.throughput(report, Goal::AtLeast(0.55), Goal::None).await?;
    duel.tail(report, lab.args.rate)
}

/// A Redis without persistence; `None` where there is none to start.
fn start_redis(lab: &Lab) -> Result<Option<Server>> {
    if Command::new("redis-server").arg("--version").output().is_err() {
        return Ok(None);
    }
    let address = free_address()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .current_dir(lab.path());
    let mut server = Server::spawn(&mut command, address, &lab.path().join("redis.log"))?;
    server.connect()?;
    Ok(Some(server))
}
