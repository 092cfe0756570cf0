//! A run of `scheduled-refresh`: 2,000 of many connections are due, at a provider that takes 50 ms.

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::lab::Lab;
use crate::machine;
use crate::report::{Goal, Report, Row, Unit};
use crate::seed;
use crate::stats::Spread;

use super::job::{self, Sweeper};
use super::micros;
use super::sandbox::{LATENCY, Sandbox, refresh_request};

const DUE: u32 = 2000;
const SIZES: [(u32, &str); 2] = [(10_000, "10,000"), (100_000, "100,000")];
const CONCURRENCIES: [usize; 2] = [32, 64];

/// What came of the sweeps of one kind, run by run.
#[derive(Default)]
struct Runs {
    rates: Vec<f64>,
    commits: Vec<f64>,
    cpu: Vec<f64>,
}

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let sandbox = Sandbox::start(lab)?;
    let tokens = sandbox.consent(DUE)?;
    sandbox.slow_down()?;
    let sweeper = Sweeper::new(lab, &sandbox)?;
    let mut templates = Vec::new();
    for (size, _) in SIZES {
        let data = lab.folder(&format!("sweep-{size}"))?;
        seed::fill(&data, 0..size, &tokens).await?;
        templates.push(data);
    }
    let flush = machine::flush_time(lab, lab.path())?;
    let direct: Arc<[Vec<u8>]> = tokens.iter().map(|token| refresh_request(token)).collect();
    for concurrency in CONCURRENCIES {
        let mut bare = Vec::new();
        let mut ours = SIZES.map(|_| Runs::default());
        for _ in 0..lab.args.rounds {
            bare.push(sandbox.ask(lab, &direct, concurrency).await?.0);
            for (template, runs) in templates.iter().zip(&mut ours) {
                let data = job::copy(lab, template)?;
                let swept = sweeper.sweep(&data, 1, concurrency, tokens.len())?;
                runs.rates.push(swept.rate);
                runs.commits.push(swept.commits);
                runs.cpu.push(micros(swept.cpu) / f64::from(DUE));
            }
        }
        tell(report, concurrency, &bare, &ours, flush);
    }
    Ok(())
}

fn tell(report: &mut Report, concurrency: usize, bare: &[f64], ours: &[Runs; 2], flush: Duration) {
    let ideal = f64::from(u32::try_from(concurrency).unwrap_or(u32::MAX)) / LATENCY.as_secs_f64();
    for ((_, size), runs) in SIZES.iter().zip(ours) {
        let what = format!("sweep of 2,000 due in {size}, {concurrency} at once");
        let ratio = Spread::of(runs.rates.iter().map(|rate| rate / ideal));
        report.add(Row {
            what: format!("{what}: refreshes, of {concurrency} ÷ 50 ms = {ideal:.0}/s"),
            baseline: format!("{} by the load generator", Unit::Rate.show(Spread::of(bare.iter().copied()))),
            result: Unit::Rate.show(Spread::of(runs.rates.iter().copied())),
            ratio: Some(ratio),
            goal: Goal::AtLeast(0.85),
            judged: ratio.median,
        });
        let (commits, cpu) = (Spread::of(runs.commits.iter().copied()), Spread::of(runs.cpu.iter().copied()));
        report.add(Row {
            what: format!("{what}: commits of 4,000 writes, CPU of the job per refresh"),
            baseline: format!("flush {:.2} ms", micros(flush) / 1e3),
            result: format!(
                "{:.0} ({:.0}–{:.0}), {}",
                commits.median,
                commits.least,
                commits.most,
                Unit::Micros.show(cpu)
            ),
            ratio: None,
            goal: Goal::None,
            judged: 0.0,
        });
    }
    let [few, many] = ours;
    let what = format!("sweep, {concurrency} at once: the same in 100,000 as in 10,000");
    report.compare(what, Unit::Rate, &few.rates, &many.rates, Goal::AtLeast(0.95));
}
