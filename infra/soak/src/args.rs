//! What the command line says: how many rounds, from which seed, how many at a time.

use crate::Result;

const USAGE: &str = "soak [--rounds 200] [--seed 0] [--parallel 3]";

/// The command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    /// The first seed; each round has the next one.
    pub seed: u64,
    /// How many rounds.
    pub rounds: u64,
    /// How many deployments there are at a time.
    pub parallel: usize,
}

impl Args {
    /// Reads the arguments.
    ///
    /// # Errors
    /// When something in them is not known.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut args = Self { seed: 0, rounds: 200, parallel: 3 };
        while let Some(word) = words.next() {
            let number = words.next().and_then(|word| word.parse::<u64>().ok());
            let number = number.ok_or_else(|| format!("{word} takes a number: {USAGE}"))?;
            match word.as_str() {
                "--seed" => args.seed = number,
                "--rounds" if number > 0 => args.rounds = number,
                "--parallel" if number > 0 => args.parallel = usize::try_from(number)?,
                _ => return Err(format!("{word} {number}? {USAGE}").into()),
            }
        }
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Args> {
        Args::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_unknown_word_and_a_run_of_nothing_are_refused() {
        assert!(parse("--round 1").is_err());
        assert!(parse("--rounds 0").is_err());
        assert!(parse("--seed x").is_err());
        assert_eq!(parse("--seed 7 --rounds 1").unwrap(), Args { seed: 7, rounds: 1, parallel: 3 });
    }
}
