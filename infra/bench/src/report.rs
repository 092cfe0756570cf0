//! The table, as Markdown, and what is said while it is made.

use crate::stats::Spread;

/// What a result is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// There is none.
    None,
    /// A ratio of at least this.
    AtLeast(f64),
    /// A ratio of at most this.
    AtMost(f64),
    /// Mebibytes at most.
    MebibytesAtMost(f64),
    /// Microseconds at most.
    MicrosAtMost(f64),
}

impl Goal {
    fn text(self) -> String {
        match self {
            Self::None => "–".to_owned(),
            Self::AtLeast(goal) => format!("≥ {goal:.2}"),
            Self::AtMost(goal) => format!("≤ {goal:.2}"),
            Self::MebibytesAtMost(goal) => format!("≤ {goal:.0} MiB"),
            Self::MicrosAtMost(goal) => format!("≤ {goal:.0} µs"),
        }
    }

    /// Whether `value` meets it, or by how much it does not.
    fn verdict(self, value: f64) -> String {
        let (missed, goal) = match self {
            Self::None => return "–".to_owned(),
            Self::AtLeast(goal) => (value < goal, goal),
            Self::AtMost(goal) | Self::MebibytesAtMost(goal) | Self::MicrosAtMost(goal) => {
                (value > goal, goal)
            }
        };
        match missed {
            true => format!("**missed** by {:.1} %", (value / goal - 1.0).abs() * 100.0),
            false => "met".to_owned(),
        }
    }
}

/// A row: one thing that was measured.
pub(crate) struct Row {
    /// What.
    pub(crate) what: String,
    /// What it is measured against.
    pub(crate) baseline: String,
    /// What came out.
    pub(crate) result: String,
    /// One by the other.
    pub(crate) ratio: Option<Spread>,
    /// What it is held to.
    pub(crate) goal: Goal,
    /// What the goal is about.
    pub(crate) judged: f64,
}

/// The report of a run.
pub(crate) struct Report {
    head: Vec<String>,
    rows: Vec<[String; 6]>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) const fn new(head: Vec<String>) -> Self {
        Self { head, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: Row) {
        let ratio = row.ratio.map_or("–".to_owned(), |ratio| {
            format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.least, ratio.most)
        });
        let verdict = row.goal.verdict(row.judged);
        say(&format!("  {}: {} against {}, ratio {ratio}, {verdict}", row.what, row.result, row.baseline));
        self.rows.push([row.what, row.baseline, row.result, ratio, row.goal.text(), verdict]);
    }

    /// Adds a row of which the goal is about the ratio.
    pub(crate) fn compare(&mut self, what: String, unit: Unit, base: &[f64], ours: &[f64], goal: Goal) {
        let ratio = Spread::of_ratios(ours, base);
        self.add(Row {
            what,
            baseline: unit.show(Spread::of(base.iter().copied())),
            result: unit.show(Spread::of(ours.iter().copied())),
            ratio: Some(ratio),
            goal,
            judged: ratio.median,
        });
    }

    /// Adds a line below the table.
    pub(crate) fn note(&mut self, note: String) {
        say(&format!("  {note}"));
        self.notes.push(note);
    }

    /// Prints all of it.
    #[expect(clippy::print_stdout, reason = "the table is what was asked for")]
    pub(crate) fn print(&self) {
        for line in &self.head {
            println!("- {line}");
        }
        println!("\n| what | baseline | result | ratio | goal | |\n| --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
        println!();
        for note in &self.notes {
            println!("- {note}");
        }
    }
}

/// In what something is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Per second.
    Rate,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Of memory.
    Mebibytes,
}

impl Unit {
    /// The median, and how far the rounds lie apart.
    pub(crate) fn show(self, Spread { median, least, most }: Spread) -> String {
        match self {
            Self::Rate => format!("{median:.0}/s ({least:.0}–{most:.0})"),
            Self::Micros => format!("{median:.1} µs ({least:.1}–{most:.1})"),
            Self::Millis => format!("{median:.2} ms ({least:.2}–{most:.2})"),
            Self::Mebibytes => format!("{median:.1} MiB ({least:.1}–{most:.1})"),
        }
    }
}

/// Says something on standard error, beside the table.
#[expect(clippy::print_stderr, reason = "whoever waits reads what is under way")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_missed_says_by_how_much() {
        assert_eq!(Goal::AtLeast(0.7).verdict(0.7), "met");
        assert_eq!(Goal::AtLeast(0.8).verdict(0.6), "**missed** by 25.0 %");
        assert_eq!(Goal::AtMost(2.5).verdict(3.0), "**missed** by 20.0 %");
        assert_eq!(Goal::None.verdict(3.0), "–");
    }
}
