//! Goes through the rounds: those of one scenario one after the other, several scenarios at a time.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use crate::args::Args;
use crate::report::{Report, say};
use crate::round;
use crate::scenario::{SCENARIOS, Scenario};
use crate::tally::Tally;
use crate::world::World;

/// Goes through all rounds that were asked for.
pub async fn run(args: &Args) -> Report {
    rounds(args.seed..args.seed.saturating_add(args.rounds), args.parallel).await
}

/// Goes through the rounds of these seeds, with so many deployments at a time.
pub async fn rounds(seeds: impl IntoIterator<Item = u64>, parallel: usize) -> Report {
    let mut by_scenario: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for seed in seeds {
        by_scenario.entry(Scenario::index_of(seed)).or_default().push(seed);
    }
    let played = stream::iter(by_scenario).map(async |(index, seeds)| {
        let scenario = SCENARIOS[index];
        (scenario, play(scenario, &seeds).await)
    });
    let mut played = std::pin::pin!(played.buffer_unordered(parallel));
    let mut report = Report::default();
    while let Some((scenario, tally)) = played.next().await {
        match tally {
            Some(tally) => report.add(scenario, tally),
            None => report.skip(scenario),
        }
    }
    report
}

/// The rounds of a scenario; `None` when a part of it is missing on this machine.
async fn play(scenario: Scenario, seeds: &[u64]) -> Option<Tally> {
    let mut total = Tally::default();
    let mut standing: Option<World> = None;
    for seed in seeds {
        let mut world = match standing.take() {
            Some(world) => world,
            None => match World::start(scenario, *seed).await {
                Ok(Some(world)) => world,
                Ok(None) => return None,
                Err(error) => {
                    total.broken.push((*seed, format!("the deployment did not start: {error}")));
                    continue;
                }
            },
        };
        match round::play(&world, *seed).await {
            Ok(tally) => {
                tell(scenario, *seed, &tally);
                total.add(&tally);
                // After a promise that was broken the next round gets a new deployment.
                if tally.broken.is_empty() {
                    standing = Some(world);
                    continue;
                }
            }
            Err(error) => total.broken.push((*seed, format!("not played to its end: {error}"))),
        }
        if let Some(folder) = world.keep_logs() {
            say(&format!("seed {seed}: what the processes logged is in {folder}"));
        }
    }
    Some(total)
}

fn tell(scenario: Scenario, seed: u64, tally: &Tally) {
    let faults = tally.faults.values().sum::<u64>();
    let kind = if tally.quiet > 0 { "quiet".to_owned() } else { format!("{faults} faults") };
    let lost = tally.lost.values().sum::<u64>();
    let took = tally.took.as_secs_f64();
    let verdict = if tally.broken.is_empty() { "" } else { " BROKEN" };
    say(&format!(
        "seed {seed}: {scenario}: {kind}, {} refreshes, {lost} lost as must be, {took:.1} s{verdict}",
        tally.refreshes
    ));
    for (_, what) in &tally.broken {
        say(&format!("    {what}"));
    }
}
