//! What the command line says: what to measure, and how long.

use std::str::FromStr;
use std::time::Duration;

use crate::Result;
use crate::measure::Measure;

/// How to use it, when it was used otherwise.
const USAGE: &str = "bench all | tokens | redis | authorize | stats | start | memory | sweep | shards | seal … \
     [--rounds 5] [--seconds 3] [--connections 32] [--rate 5000] [--no-build]";

/// The command line.
#[derive(Debug, Clone)]
pub(crate) struct Args {
    /// What to measure, in this order.
    pub(crate) measures: Vec<Measure>,
    /// Rounds of each side.
    pub(crate) rounds: usize,
    /// How long a round is.
    pub(crate) round: Duration,
    /// Connections of the load generator.
    pub(crate) connections: usize,
    /// Requests per second of the open loop.
    pub(crate) rate: u32,
    /// Whether to build what is measured first.
    pub(crate) build: bool,
}

impl Args {
    /// Reads the arguments.
    ///
    /// # Errors
    /// When something in them is not known.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut args = Self {
            measures: Vec::new(),
            rounds: 5,
            round: Duration::from_secs(3),
            connections: 32,
            rate: 5000,
            build: true,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--rounds" => args.rounds = number(&word, words.next())?,
                "--seconds" => args.round = Duration::from_secs(number(&word, words.next())?),
                "--connections" => args.connections = number(&word, words.next())?,
                "--rate" => args.rate = number(&word, words.next())?,
                "--no-build" => args.build = false,
                "all" => args.measures.extend(Measure::ALL),
                name => args.measures.push(Measure::named(name).ok_or(format!("{name}? {USAGE}"))?),
            }
        }
        if args.measures.is_empty() { Err(USAGE.into()) } else { Ok(args) }
    }
}

fn number<T: FromStr + PartialOrd + From<u8>>(flag: &str, word: Option<String>) -> Result<T> {
    word.and_then(|word| word.parse().ok())
        .filter(|number| *number >= T::from(1))
        .ok_or_else(|| format!("{flag} takes a number from 1").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Args> {
        Args::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_unknown_word_and_a_round_of_nothing_are_refused() {
        assert!(parse("").is_err());
        assert!(parse("tokens typo").is_err());
        assert!(parse("tokens --seconds 0").is_err());
        assert_eq!(parse("redis tokens --rounds 1").unwrap().measures, [Measure::Redis, Measure::Tokens]);
    }
}
