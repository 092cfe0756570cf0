//! Memory that is resident after 200,000 token calls.

use std::sync::Arc;

use crate::Result;
use crate::lab::Lab;
use crate::load::{self, Until};
use crate::process::Server;
use crate::report::{Goal, Report, Row};
use crate::seed;
use crate::stats::Spread;

use super::tokens::{PATH, USERS, request};

const CALLS: u64 = 200_000;

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let data = lab.folder("memory")?;
    seed::fill(&data, 0..USERS, &[]).await?;
    let mut ours = lab.start("standalone", &data, &[])?;
    let idle = mebibytes(&ours)?;
    let bare = lab.start_bare_like(&mut ours, PATH, &request(0))?;
    let requests: Arc<[Vec<u8>]> = (0..USERS).map(request).collect();
    for server in [&bare, &ours] {
        let until = Until::Count(CALLS);
        load::closed(&lab.clock, server.address, &requests, lab.args.connections, until).await?;
    }
    let (bare, ours) = (mebibytes(&bare)?, mebibytes(&ours)?);
    report.add(Row {
        what: "standalone: resident after 200,000 requests of 1,000 users".to_owned(),
        baseline: format!("{bare:.1} MiB"),
        result: format!("{ours:.1} MiB ({idle:.1} at the start)"),
        ratio: Some(Spread::of([ours / bare])),
        goal: Goal::MebibytesAtMost(25.0),
        judged: ours,
    });
    Ok(())
}

fn mebibytes(server: &Server) -> Result<f64> {
    Ok(server.resident()? as f64 / f64::from(1 << 20))
}
