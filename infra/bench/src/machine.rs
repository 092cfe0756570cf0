//! What the numbers were taken on: they mean little without it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use shared::clock::Clock;

use crate::Result;
use crate::lab::{Lab, PROFILE};
use crate::stats::percentile;

/// Flushes that are timed.
const FLUSHES: usize = 200;

/// Lines for the head of the report.
///
/// # Errors
/// When the folder can't be written to.
pub(crate) fn describe(lab: &Lab) -> Result<Vec<String>> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism()?;
    let flush = flush_time(lab, lab.path())?;
    let args = &lab.args;
    let mut lines = vec![
        format!("{cores} cores of {}", cpu.map_or("an unknown processor", |(_, model)| model)),
        format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("write of 4 KiB and fdatasync: p50 {:.2} ms", flush.as_secs_f64() * 1e3),
        format!("load average at the start: {}", load()),
        format!(
            "{} rounds of {} s on {} connections, load generator and servers on the same cores",
            args.rounds,
            args.round.as_secs(),
            args.connections
        ),
    ];
    if PROFILE != "bench" {
        lines.push(format!("profile {PROFILE}: NOT A MEASUREMENT, run it with --profile bench"));
    }
    Ok(lines)
}

/// How much wants to run, on average of the last minute and of longer times.
pub(crate) fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// How long the disk takes to keep 4 KiB, in the middle.
///
/// # Errors
/// When the folder can't be written to.
pub(crate) fn flush_time(lab: &Lab, folder: &Path) -> Result<Duration> {
    let mut file = File::create(folder.join("flush"))?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let begin = lab.clock.monotonic();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(lab.clock.monotonic() - begin);
    }
    times.sort_unstable();
    Ok(percentile(&times, 0.5))
}
