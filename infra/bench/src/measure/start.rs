//! From `fork` to the first answer: what a platform that scales from zero waits for.

use shared::clock::Clock;

use crate::Result;
use crate::http;
use crate::lab::Lab;
use crate::process::Server;
use crate::report::{Goal, Report, Unit};

use super::micros;

const PATH: &str = "/health";
const STARTS: usize = 20;
/// The functions beside `standalone` are measured where they are built.
const SERVERS: [&str; 7] =
    ["standalone", "token-get", "authorize", "callback", "admin", "scheduled-refresh", "scheduled-health"];

pub(super) fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let data = lab.folder("start")?;
    // Store and key exist afterwards, as at every start but the very first.
    let mut first = lab.start("standalone", &data, &[])?;
    let answer = String::from_utf8(first.connect()?.call(&http::get(PATH))?)?;
    drop(first);
    for name in SERVERS.into_iter().filter(|name| lab.has(name)) {
        let (mut bare, mut ours) = (Vec::with_capacity(STARTS), Vec::with_capacity(STARTS));
        for _ in 0..STARTS {
            bare.push(time(lab, || lab.spawn_bare(PATH, &answer))?);
            ours.push(time(lab, || lab.spawn(name, &data, &[]))?);
        }
        report.compare(
            format!("start of {name} to its first answer"),
            Unit::Millis,
            &bare,
            &ours,
            Goal::AtMost(4.0),
        );
    }
    Ok(())
}

/// Milliseconds from before the start of a server to its first answer.
fn time(lab: &Lab, spawn: impl Fn() -> Result<Server>) -> Result<f64> {
    let begin = lab.clock.monotonic();
    let mut server = spawn()?;
    server.connect()?.call(&http::get(PATH))?;
    Ok(micros(lab.clock.monotonic() - begin) / 1e3)
}
