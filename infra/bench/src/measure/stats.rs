//! `GET /api/v1/admin/stats` with few and many connections in the store: it should cost the same.

use std::sync::Arc;

use crate::Result;
use crate::http;
use crate::lab::Lab;
use crate::load::{self, Until};
use crate::report::{Goal, Report, Unit};
use crate::seed;
use crate::stats::percentile;

use super::micros;

const PATH: &str = "/api/v1/admin/stats";
const SIZES: [(u32, &str); 3] = [(1000, "1,000"), (10_000, "10,000"), (100_000, "100,000")];

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let mut servers = Vec::new();
    for (size, name) in SIZES {
        let data = lab.folder(&format!("stats-{size}"))?;
        seed::fill(&data, 0..size, &[]).await?;
        servers.push((name, lab.start("standalone", &data, &[])?, Vec::new()));
    }
    let requests: Arc<[Vec<u8>]> = [http::get(PATH)].into();
    // The first round warms up.
    for round in 0..=lab.args.rounds {
        for (_, server, medians) in &mut servers {
            let until = Until::Time(lab.args.round);
            let latencies = load::closed(&lab.clock, server.address, &requests, 1, until).await?.latencies;
            if round > 0 {
                medians.push(micros(percentile(&latencies, 0.5)));
            }
        }
    }
    let mut servers = servers.iter();
    let Some((least, _, base)) = servers.next() else { return Ok(()) };
    for (size, _, medians) in servers {
        let what = format!("admin/stats: p50 on one connection, {least} → {size} connections");
        // Flat, but for the noise of two medians.
        report.compare(what, Unit::Micros, base, medians, Goal::AtMost(1.2));
    }
    Ok(())
}
