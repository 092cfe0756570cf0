//! The report: a row for each scenario, what went wrong by kind, and what was promised and not kept.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::Duration;

use crate::scenario::Scenario;
use crate::tally::Tally;

/// What all rounds came to.
#[derive(Debug, Default)]
pub struct Report {
    tallies: Vec<(Scenario, Tally)>,
    skipped: Vec<Scenario>,
}

impl Report {
    pub(crate) fn add(&mut self, scenario: Scenario, tally: Tally) {
        self.tallies.push((scenario, tally));
    }

    pub(crate) fn skip(&mut self, scenario: Scenario) {
        self.skipped.push(scenario);
    }

    /// What was promised and not kept: a sentence each, and how to go through that round again.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let all = self.tallies.iter().flat_map(|(scenario, tally)| {
            tally.broken.iter().map(move |(seed, what)| {
                format!("{scenario}: {what}\n    again: make soak SEED={seed} ROUNDS=1")
            })
        });
        all.collect()
    }

    /// How many rounds were played.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.tallies.iter().map(|(_, tally)| tally.quiet + tally.faulty).sum()
    }

    /// Prints it.
    pub fn print(&self) {
        say(&self.to_string());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let mut total = Tally::default();
        text.push_str("\n| scenario | rounds: quiet + with faults | faults | refreshes | presented again | tokens served (failing) | lost, as must be | could have been lost, and were not | longest wait: quiet, with faults | took |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for (scenario, tally) in &self.tallies {
            row(&mut text, &scenario.to_string(), tally);
            total.add(tally);
        }
        row(&mut text, "**all**", &total);
        let faults = total.faults.iter().map(|(fault, count)| (fault.name().to_owned(), *count));
        list(&mut text, "faults", &faults.collect());
        list(&mut text, "grants lost after an answer that was lost, by fault", &total.lost);
        list(&mut text, "refusals that told to come again", &total.refusals);
        let _ = writeln!(
            text,
            "\ntokens that were over by the time they were tried out: {}; tokens of a family that a reuse had killed: {}",
            total.last_moment, total.dead
        );
        for scenario in &self.skipped {
            let _ = writeln!(text, "SKIPPED: {scenario}");
        }
        let broken = self.broken();
        let _ = writeln!(text, "\npromises broken: {}", broken.len());
        for each in broken {
            let _ = writeln!(text, "- {each}");
        }
        f.write_str(&text)
    }
}

fn row(text: &mut String, name: &str, tally: &Tally) {
    let _ = writeln!(
        text,
        "| {name} | {} + {} | {} | {} | {} | {} ({}) | {} | {} | {}, {} | {} |",
        tally.quiet,
        tally.faulty,
        tally.faults.values().sum::<u64>(),
        tally.refreshes,
        tally.again,
        tally.served,
        tally.failing,
        tally.lost.values().sum::<u64>(),
        tally.survived,
        seconds(tally.longest_quiet),
        seconds(tally.longest_faulty),
        seconds(tally.took),
    );
}

fn list(text: &mut String, title: &str, of: &BTreeMap<String, u64>) {
    let _ = writeln!(text, "\n{title}: {}", of.values().sum::<u64>());
    for (name, count) in of {
        let _ = writeln!(text, "  {count:5}  {name}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Says something to whoever started this.
pub(crate) fn say(text: &str) {
    // Nobody may be listening.
    let _ = writeln!(std::io::stdout(), "{text}");
}
