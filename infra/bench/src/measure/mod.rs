//! What is measured, one file each, and the duel that most of it is: ours and a bare route, round by round.

mod authorize;
mod guard;
mod job;
mod memory;
mod redis;
mod rows;
mod sandbox;
mod seal;
mod shards;
mod start;
mod stats;
mod sweep;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::lab::Lab;
use crate::load::{self, Until};
use crate::pace;
use crate::process::Server;
use crate::report::{Goal, Report, Unit};
use crate::stats::percentile;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Tokens,
    Guard,
    Redis,
    Authorize,
    Stats,
    Start,
    Memory,
    Sweep,
    Shards,
    Seal,
}

impl Measure {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 10] = [
        Self::Tokens,
        Self::Guard,
        Self::Redis,
        Self::Authorize,
        Self::Stats,
        Self::Start,
        Self::Memory,
        Self::Sweep,
        Self::Shards,
        Self::Seal,
    ];

    /// What it is called on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Guard => "guard",
            Self::Redis => "redis",
            Self::Authorize => "authorize",
            Self::Stats => "stats",
            Self::Start => "start",
            Self::Memory => "memory",
            Self::Sweep => "sweep",
            Self::Shards => "shards",
            Self::Seal => "seal",
        }
    }

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }

    /// Measures, and adds rows to the report.
    ///
    /// # Errors
    /// When something did not do its work: then there is no number for it.
    pub(crate) async fn run(self, lab: &Lab, report: &mut Report) -> Result<()> {
        match self {
            Self::Tokens => tokens::run(lab, report).await,
            Self::Guard => guard::run(lab, report).await,
            Self::Redis => redis::run(lab, report).await,
            Self::Authorize => authorize::run(lab, report).await,
            Self::Stats => stats::run(lab, report).await,
            Self::Start => start::run(lab, report),
            Self::Memory => memory::run(lab, report).await,
            Self::Sweep => sweep::run(lab, report).await,
            Self::Shards => shards::run(lab, report).await,
            Self::Seal => seal::run(lab, report).await,
        }
    }
}

/// How long a server is warmed up before its first round.
const WARM_UP: Duration = Duration::from_secs(1);

/// What came of the rounds of one side, round by round.
#[derive(Debug, Default)]
struct Side {
    /// Requests per second.
    rates: Vec<f64>,
    /// Processor time of the server, in microseconds per request.
    cpu: Vec<f64>,
}

/// The same requests to a bare route and to us, in turn.
struct Duel<'a> {
    lab: &'a Lab,
    what: &'a str,
    bare: &'a Server,
    ours: &'a Server,
    requests: Arc<[Vec<u8>]>,
}

impl Duel<'_> {
    /// Throughput and processor time, as fast as they go.
    async fn throughput(&self, report: &mut Report, at_least: Goal, cpu_at_most: Goal) -> Result<()> {
        let Lab { args, clock, .. } = self.lab;
        for server in [self.bare, self.ours] {
            let warm_up = Until::Time(WARM_UP);
            load::closed(clock, server.address, &self.requests, args.connections, warm_up).await?;
        }
        let (mut bare, mut ours) = (Side::default(), Side::default());
        for _ in 0..args.rounds {
            for (server, side) in [(self.bare, &mut bare), (self.ours, &mut ours)] {
                let before = server.cpu()?;
                let until = Until::Time(args.round);
                let round =
                    load::closed(clock, server.address, &self.requests, args.connections, until).await?;
                let cpu = server.cpu()? - before;
                side.rates.push(round.rate());
                side.cpu.push(micros(cpu) / round.requests as f64);
            }
        }
        let what = self.what;
        report.compare(format!("{what}: throughput"), Unit::Rate, &bare.rates, &ours.rates, at_least);
        report.compare(
            format!("{what}: server CPU per request"),
            Unit::Micros,
            &bare.cpu,
            &ours.cpu,
            cpu_at_most,
        );
        Ok(())
    }

    /// The 99th percentile at a fixed rate.
    fn tail(&self, report: &mut Report, rate: u32) -> Result<()> {
        let Lab { args, clock, .. } = self.lab;
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            for (server, side) in [(self.bare, &mut bare), (self.ours, &mut ours)] {
                let latencies =
                    pace::open(clock, server.address, &self.requests, args.connections, rate, args.round)?;
                side.push(micros(percentile(&latencies, 0.99)) / 1e3);
            }
        }
        report.compare(format!("{}: p99 at {rate}/s", self.what), Unit::Millis, &bare, &ours, Goal::None);
        Ok(())
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
