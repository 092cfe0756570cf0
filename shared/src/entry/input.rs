//! What a job is asked for: everything, or `{"shard": i, "of": n, "limit": k}`, in an event, a body or arguments.

use std::num::NonZeroU64;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::config::Config;
use crate::flow::sweep::{Bounds, Share};
use crate::store::SHARDS;

const SHARD: &str = "shard";
const OF: &str = "of";
const LIMIT: &str = "limit";

/// Which part of what is due, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input {
    share: Share,
    limit: Option<NonZeroU64>,
}

/// What is wrong with an input, by the name of the field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub(super) struct InputError {
    pub(super) field: String,
    pub(super) problem: String,
}

fn wrong(field: &str, problem: impl Into<String>) -> InputError {
    InputError { field: field.to_owned(), problem: problem.into() }
}

impl Input {
    /// Reads an event. A scheduler sends what it likes: JSON without any of our fields asks for everything.
    /// With one of them it is ours, and then a field that we don't know is a mistake.
    pub(super) fn from_event(event: &Value) -> Result<Self, InputError> {
        match event.as_object() {
            Some(fields) if [SHARD, OF, LIMIT].iter().any(|ours| fields.contains_key(*ours)) => {
                Self::from_fields(fields)
            }
            Some(_) | None => Ok(Self { share: Share::ALL, limit: None }),
        }
    }

    /// Reads the body of a request, where nothing asks for everything too.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, InputError> {
        if body.trim_ascii().is_empty() {
            return Self::from_event(&Value::Null);
        }
        let event = serde_json::from_slice(body).map_err(|_| wrong("body", "is not valid JSON"))?;
        Self::from_event(&event)
    }

    /// Reads the arguments of a process: `--once`, then the same as JSON or as `--shard I --of N --limit K`.
    /// `None` without arguments.
    pub(super) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, InputError> {
        let Some(first) = arguments.next() else { return Ok(None) };
        if first != "--once" {
            return Err(wrong(&first, "is not known here: --once runs once, nothing serves"));
        }
        let mut fields = Map::new();
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix("--") {
                Some(name) if [SHARD, OF, LIMIT].contains(&name) => {
                    let value = arguments.next().and_then(|text| text.parse::<u64>().ok());
                    let value = value.ok_or_else(|| wrong(&argument, "must be a whole number"))?;
                    fields.insert(name.to_owned(), value.into());
                }
                Some(_) => return Err(wrong(&argument, "is not known here: --shard, --of and --limit are")),
                None => {
                    let json = serde_json::from_str::<Map<String, Value>>(&argument);
                    fields.extend(json.map_err(|_| wrong(&argument, "is not a JSON object"))?);
                }
            }
        }
        Self::from_fields(&fields).map(Some)
    }

    fn from_fields(fields: &Map<String, Value>) -> Result<Self, InputError> {
        if let Some(unknown) = fields.keys().find(|name| ![SHARD, OF, LIMIT].contains(&name.as_str())) {
            return Err(wrong(unknown, "is not known here: shard, of and limit are"));
        }
        let number = |name: &str| match fields.get(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| wrong(name, "must be a whole number")),
        };
        let share = match (number(SHARD)?, number(OF)?) {
            (None, None) => Share::ALL,
            (Some(_), None) => return Err(wrong(OF, "is missing: shard is one of how many")),
            (None, Some(_)) => return Err(wrong(SHARD, "is missing: of says how many there are")),
            (Some(_), Some(of)) if !(1..=u64::from(SHARDS)).contains(&of) => {
                return Err(wrong(OF, format!("must be from 1 to {SHARDS}, not {of}")));
            }
            (Some(shard), Some(of)) => u8::try_from(shard)
                .ok()
                .zip(u8::try_from(of).ok())
                .and_then(|(shard, of)| Share::new(shard, of))
                .ok_or_else(|| wrong(SHARD, format!("must be less than of, which is {of}, not {shard}")))?,
        };
        let limit = match number(LIMIT)? {
            None => None,
            Some(limit) => Some(NonZeroU64::new(limit).ok_or_else(|| wrong(LIMIT, "must be at least 1"))?),
        };
        Ok(Self { share, limit })
    }

    /// The bounds of the run: no longer than `DEADLINE`, nor than what the platform leaves.
    pub(super) fn bounds(self, config: &Config, left: Option<Duration>) -> Bounds {
        let deadline = left.map_or(config.deadline, |left| left.min(config.deadline));
        Bounds { share: self.share, limit: self.limit, ..Bounds::all(deadline, config.concurrency) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn share(index: u8, of: u8, limit: Option<u64>) -> Input {
        Input { share: Share::new(index, of).unwrap(), limit: limit.and_then(NonZeroU64::new) }
    }

    fn arguments(text: &str) -> Result<Option<Input>, InputError> {
        Input::from_arguments(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn whatever_a_scheduler_sends_asks_for_everything() {
        let everything = share(0, 1, None);
        for event in [json!(null), json!({}), json!("x"), json!([1]), json!({"detail": {"shard": 7}})] {
            assert_eq!(Input::from_event(&event), Ok(everything), "{event}");
        }
        assert_eq!(Input::from_body(b" \n"), Ok(everything));
        assert_eq!(arguments("--once"), Ok(Some(everything)));
        assert_eq!(arguments(""), Ok(None));
    }

    #[test]
    fn a_share_and_a_limit_are_read_alike_from_event_body_and_arguments() {
        let asked = share(1, 4, Some(100));
        let event = json!({"shard": 1, "of": 4, "limit": 100});
        assert_eq!(Input::from_event(&event), Ok(asked));
        assert_eq!(Input::from_body(event.to_string().as_bytes()), Ok(asked));
        assert_eq!(arguments("--once --shard 1 --of 4 --limit 100"), Ok(Some(asked)));
        assert_eq!(arguments(r#"--once {"shard":1,"of":4,"limit":100}"#), Ok(Some(asked)));
    }

    #[test]
    fn an_impossible_share_or_limit_is_refused_by_name() {
        for (event, said) in [
            (json!({"shard": 4, "of": 4}), "shard must be less than of, which is 4, not 4"),
            (json!({"shard": 300, "of": 4}), "shard must be less than of, which is 4, not 300"),
            (json!({"shard": 0, "of": 0}), "of must be from 1 to 16, not 0"),
            (json!({"shard": 0, "of": 17}), "of must be from 1 to 16, not 17"),
            (json!({"shard": 0}), "of is missing: shard is one of how many"),
            (json!({"of": 2}), "shard is missing: of says how many there are"),
            (json!({"limit": 0}), "limit must be at least 1"),
            (json!({"limit": "10"}), "limit must be a whole number"),
            (json!({"shard": -1, "of": 2}), "shard must be a whole number"),
            (json!({"shards": 0, "of": 2}), "shards is not known here: shard, of and limit are"),
        ] {
            assert_eq!(Input::from_event(&event).unwrap_err().to_string(), said, "{event}");
        }
        assert_eq!(Input::from_body(b"{").unwrap_err().to_string(), "body is not valid JSON");
    }

    #[test]
    fn arguments_that_are_not_known_are_refused() {
        for (text, name) in [
            ("--shard 1 --of 2", "--shard"),
            ("--twice", "--twice"),
            ("--once --shards 1", "--shards"),
            ("--once --shard", "--shard"),
            ("--once 5", "5"),
        ] {
            assert_eq!(arguments(text).unwrap_err().field, name, "{text}");
        }
    }
}
