//! When something is raised to an operator: once several different things have shown it, and then not again for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The rule of one alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is about: one per provider app and fault.
    pub key: String,
    /// How many different things must show it.
    pub needs: usize,
    /// For how long what was seen counts, and for how long an alarm stands before it is raised again.
    pub stands: Duration,
}

/// What has been seen so far, by all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    seen: Vec<(String, Timestamp)>,
    raised_at: Option<Timestamp>,
}

impl Alarm {
    /// Notes that `subject` shows it. `None`: nothing changes. `Some`: what is to be kept, and whether it is raised now.
    #[must_use]
    pub fn sees(&self, rule: &Rule, subject: &str, now: Timestamp) -> Option<(Self, bool)> {
        // A clock that was ahead must not silence it for ever.
        let counts = |at: Timestamp| at <= now && now.since(at) < rule.stands;
        if self.raised_at.is_some_and(counts) {
            return None;
        }
        let mut seen: Vec<_> = self.seen.iter().filter(|(_, at)| counts(*at)).cloned().collect();
        if !seen.iter().any(|(known, _)| known == subject) {
            seen.push((subject.to_owned(), now));
        }
        let raised = seen.len() >= rule.needs;
        match raised {
            true => Some((Self { seen: Vec::new(), raised_at: Some(now) }, true)),
            false if seen == self.seen => None,
            false => Some((Self { seen, raised_at: self.raised_at }, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn rule(needs: usize) -> Rule {
        Rule { key: "app".to_owned(), needs, stands: Duration::from_secs(100) }
    }

    #[test]
    fn one_that_needs_one_is_raised_at_once_and_again_only_when_it_no_longer_stands() {
        let (alarm, raised) = Alarm::default().sees(&rule(1), "a", at(1000)).unwrap();
        assert!(raised);
        assert_eq!(alarm.sees(&rule(1), "b", at(1099)), None);
        assert!(alarm.sees(&rule(1), "b", at(1100)).unwrap().1);
        assert!(alarm.sees(&rule(1), "b", at(900)).unwrap().1, "the clock was ahead");
    }

    #[test]
    fn one_that_needs_three_wants_three_different_ones_in_time() {
        let rule = rule(3);
        let mut alarm = Alarm::default();
        for (subject, seconds) in [("a", 0), ("b", 10)] {
            let (next, raised) = alarm.sees(&rule, subject, at(seconds)).unwrap();
            assert!(!raised);
            alarm = next;
        }
        assert_eq!(alarm.sees(&rule, "a", at(20)), None, "known already");
        assert!(!alarm.sees(&rule, "c", at(105)).unwrap().1, "the first is forgotten");
        assert!(alarm.sees(&rule, "c", at(99)).unwrap().1);
    }
}
