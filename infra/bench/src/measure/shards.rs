//! Runs of `scheduled-refresh` that share what is due: 20,000 of 100,000 connections, by one, two and four processes
//! on one `SQLite` file, at a provider that takes 50 ms.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::lab::{Lab, PROFILE};
use crate::machine;
use crate::report::{Goal, Report, Row, Unit};
use crate::seed;
use crate::stats::Spread;

use super::job::{self, Sweeper, Swept};
use super::sandbox::{LATENCY, Sandbox, refresh_request};
use super::{micros, rows};

/// How much of what.
struct Sizes {
    /// Connections in the store.
    connections: u32,
    /// Of which so many are due; and so many where memory is compared, and rows are counted.
    due: u32,
    few: u32,
    /// Calls at once, of each process.
    concurrency: usize,
    /// Of everything: a round takes a minute.
    rounds: usize,
}

const FULL: Sizes = Sizes { connections: 100_000, due: 20_000, few: 2000, concurrency: 64, rounds: 2 };
/// Shows that it works, and says nothing else.
const SMOKE: Sizes = Sizes { connections: 2000, due: 400, few: 100, concurrency: 16, rounds: 1 };

/// How many processes share a sweep.
const PROCESSES: [u8; 3] = [1, 2, 4];

/// What came of the sweeps of so many processes, round by round.
struct Runs {
    processes: u8,
    /// By the load generator: calls per second, and the most in flight.
    direct: Vec<(f64, f64)>,
    swept: Vec<Swept>,
}

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    measure(lab, report, if PROFILE == "bench" { FULL } else { SMOKE }).await
}

async fn measure(lab: &Lab, report: &mut Report, sizes: Sizes) -> Result<()> {
    let sandbox = Sandbox::start(lab)?;
    let tokens = sandbox.consent(sizes.due)?;
    sandbox.slow_down()?;
    let few = &tokens[..usize::try_from(sizes.few)?];
    let sweeper = Sweeper::new(lab, &sandbox)?;
    let (many_due, few_due) = (lab.folder("shards-many")?, lab.folder("shards-few")?);
    seed::fill(&many_due, 0..sizes.connections, &tokens).await?;
    seed::fill(&few_due, 0..sizes.connections, few).await?;
    let flush = micros(machine::flush_time(lab, lab.path())?) / 1e3;
    let direct: Arc<[Vec<u8>]> = tokens.iter().map(|token| refresh_request(token)).collect();
    let mut runs = PROCESSES.map(|processes| Runs { processes, direct: Vec::new(), swept: Vec::new() });
    let mut least = Vec::new();
    let rounds = sizes.rounds.min(lab.args.rounds);
    for _ in 0..rounds {
        least.push(sweeper.sweep(&job::copy(lab, &few_due)?, 1, sizes.concurrency, few.len())?);
        for Runs { processes, direct: asked, swept } in &mut runs {
            let at_once = sizes.concurrency * usize::from(*processes);
            asked.push(sandbox.ask(lab, &direct, at_once).await?);
            let data = job::copy(lab, &many_due)?;
            swept.push(sweeper.sweep(&data, *processes, sizes.concurrency, tokens.len())?);
        }
    }
    report.note(format!(
        "shards: {rounds} rounds; a flush of 4 KiB took {flush:.2} ms; load average in the end: {}",
        machine::load()
    ));
    for each in &runs {
        tell(report, &sizes, each);
    }
    flat(report, &sizes, &least, &runs);
    cost(lab, report, &sweeper, &few_due, &sizes)
}

fn tell(report: &mut Report, sizes: &Sizes, runs: &Runs) {
    let Runs { processes, direct, swept } = runs;
    let of = |number: fn(&Swept) -> f64| -> Vec<f64> { swept.iter().map(number).collect() };
    let plural = if *processes == 1 { "" } else { "es" };
    let what = format!(
        "sweep of {} due in {}, {processes} process{plural} of {} at once",
        thousands(sizes.due),
        thousands(sizes.connections),
        sizes.concurrency
    );
    let at_once = sizes.concurrency as f64 * f64::from(*processes);
    let ideal = at_once / LATENCY.as_secs_f64();
    let rates = of(|each| each.rate);
    let asked: Vec<_> = direct.iter().map(|(rate, _)| *rate).collect();
    let ratio = Spread::of(rates.iter().map(|rate| rate / ideal));
    report.add(Row {
        what: format!("{what}: refreshes, of {at_once:.0} ÷ 50 ms"),
        baseline: format!("{ideal:.0}/s"),
        result: Unit::Rate.show(Spread::of(rates.iter().copied())),
        ratio: Some(ratio),
        // As of any sweep. Of several processes nothing is promised: one file has one writer at a time.
        goal: if *processes == 1 { Goal::AtLeast(0.85) } else { Goal::None },
        judged: ratio.median,
    });
    report.compare(
        format!("{what}: refreshes, of the load generator's"),
        Unit::Rate,
        &asked,
        &rates,
        Goal::None,
    );
    // More than allowed, and there is no number at all: then the run was an error.
    let most = Spread::of(of(|each| each.in_flight));
    let generated = Spread::of(direct.iter().map(|(_, most)| *most));
    let ratio = Spread::of(swept.iter().map(|each| each.in_flight / at_once));
    report.add(Row {
        what: format!("{what}: most calls in flight at the provider, of {at_once:.0}"),
        baseline: format!("{:.0} by the load generator", generated.most),
        result: format!("{:.0} ({:.0}–{:.0})", most.median, most.least, most.most),
        ratio: Some(ratio),
        goal: Goal::AtMost(1.0),
        judged: ratio.most,
    });
    let due = f64::from(sizes.due);
    let commits = Spread::of(of(|each| each.commits));
    report.add(Row {
        what: format!("{what}: commits of {} writes, CPU of the job per refresh", thousands(2 * sizes.due)),
        baseline: "–".to_owned(),
        result: format!(
            "{:.0} ({:.0}–{:.0}), {}",
            commits.median,
            commits.least,
            commits.most,
            Unit::Micros.show(Spread::of(swept.iter().map(|each| micros(each.cpu) / due)))
        ),
        ratio: None,
        goal: Goal::None,
        judged: 0.0,
    });
    // What it was limited by shows here.
    for each in swept {
        let cores = |time: Duration| time.as_secs_f64() / each.elapsed.as_secs_f64();
        report.note(format!(
            "{processes} process{plural}: {:.0} refreshes/s, {:.0} of {at_once:.0} calls in flight on average, {:.0} \
             commits/s of {:.1} writes, {} refused; cores busy: {:.2} with the job, {:.2} with the sandbox, {:.2} in \
             all; {:.1} MiB resident at most in one process",
            each.rate,
            each.rate * LATENCY.as_secs_f64(),
            each.rate * each.commits / due,
            each.writes / each.commits,
            each.refused,
            cores(each.cpu),
            cores(each.sandbox_cpu),
            cores(each.machine_cpu),
            mebibytes(each),
        ));
    }
}

/// Memory: what a process needs should not depend on how much is due. What grows is, by all signs, `SQLite`'s page cache
/// of the thread that writes, up to its bound of 32 MiB: it does not while another process commits, which empties it.
fn flat(report: &mut Report, sizes: &Sizes, least: &[Swept], runs: &[Runs; 3]) {
    let [one, ..] = runs;
    let few: Vec<_> = least.iter().map(mebibytes).collect();
    let many: Vec<_> = one.swept.iter().map(mebibytes).collect();
    let what = format!(
        "sweep in one process: most memory resident, {} → {} due",
        thousands(sizes.few),
        thousands(sizes.due)
    );
    report.compare(what, Unit::Mebibytes, &few, &many, Goal::AtMost(1.2));
}

fn mebibytes(swept: &Swept) -> f64 {
    swept.peak as f64 / f64::from(1 << 20)
}

/// Rows read and written per refreshed connection, in a sweep that is not timed, by all processes at once.
///
/// Written rows are counted by triggers in the file: whatever statement of whichever process changed them. Reads
/// leave no trace in `SQLite`, so they are derived from what does: an entry that was refreshed was read once with its
/// page (the id of its connection comes from an index), and each lease begins by reading the credential's row by its
/// id. A save reads it only where its version has moved; each that did not writes an event. So what was committed and
/// is no save counts as one that read. Who leases twice reads twice.
fn cost(lab: &Lab, report: &mut Report, sweeper: &Sweeper<'_>, template: &Path, sizes: &Sizes) -> Result<()> {
    let data = job::copy(lab, template)?;
    rows::watch(&data)?;
    let [.., processes] = PROCESSES;
    let swept = sweeper.sweep(&data, processes, sizes.concurrency, usize::try_from(sizes.few)?)?;
    let written = rows::written(&data)?;
    let due = f64::from(sizes.few);
    let saves = written.iter().find(|(what, _)| what == "events: INSERT").map_or(0, |(_, count)| *count);
    let reads = (due + swept.writes - saves as f64) / due;
    let writes = written.iter().map(|(_, count)| *count as f64).sum::<f64>() / due;
    for (name, number, goal) in [("read", reads, 2.0), ("written", writes, 3.0)] {
        report.add(Row {
            what: format!(
                "sweep of {} due, {processes} processes: rows {name} per refreshed connection",
                thousands(sizes.few)
            ),
            baseline: "–".to_owned(),
            result: format!("{number:.2}"),
            ratio: None,
            goal: Goal::AtMost(goal),
            // What is kept once per run (its report) is less than that.
            judged: (number * 100.0).round() / 100.0,
        });
    }
    let written: Vec<_> = written.iter().map(|(what, count)| format!("{what} {count}")).collect();
    report.note(format!(
        "rows written for {} refreshed connections: {}; pieces of work committed: {:.0}",
        thousands(sizes.few),
        written.join(", "),
        swept.writes
    ));
    Ok(())
}

/// 20000 as 20,000.
fn thousands(number: u32) -> String {
    match number / 1000 {
        0 => number.to_string(),
        above => format!("{},{:03}", thousands(above), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [7, 400, 2000, 100_020, 1_000_000].map(thousands),
            ["7", "400", "2,000", "100,020", "1,000,000"]
        );
    }
}
