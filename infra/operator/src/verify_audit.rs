//! `oms-tool verify-audit`: says of an audit log what is proven and what is wrong.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use shared::audit::{Report, Writer, verify};

use crate::{Told, WRONG, key};

/// How many writers of a kind are told.
const TOLD: usize = 20;

pub(crate) fn run(arguments: &[&str]) -> Told {
    let (allow_open, path) = match arguments {
        [] => (false, None),
        ["--allow-open"] => (true, None),
        ["--allow-open", path] | [path, "--allow-open"] => (true, Some(*path)),
        [path] if !path.starts_with('-') => (false, Some(*path)),
        _ => return Err(crate::USAGE.to_owned()),
    };
    let key = key::audit_key()?;
    let log: Box<dyn BufRead> = match path {
        None => Box::new(io::stdin().lock()),
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(|error| format!("{path}: {error}"))?)),
    };
    let report = verify(log, &key).map_err(|error| format!("the log can't be read: {error}"))?;
    if report.writers.is_empty() {
        return Err(format!("there is no audit line among {} lines", report.lines));
    }
    if report.proven() == 0 {
        return Err("no line fits this key: is it the one that they were written with?".to_owned());
    }
    let told = tell(&report).map_err(|error| error.to_string())?;
    let intact = report.wrong() == 0 && (allow_open || report.open() == 0);
    Ok((told, if intact { 0 } else { WRONG }))
}

fn tell(report: &Report) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let times = |pick: fn(&Writer) -> _| report.writers.iter().map(pick);
    writeln!(out, "{} records of {} writers are proven", report.proven(), report.writers.len())?;
    if let (Some(first), Some(last)) = (times(|each| each.first).min(), times(|each| each.last).max()) {
        writeln!(out, "from {first} to {last}")?;
    }
    if report.others > 0 {
        writeln!(out, "{} other lines were skipped", report.others)?;
    }
    let late: u64 = report.writers.iter().map(|writer| writer.late).sum();
    if late > 0 {
        writeln!(out, "{late} lines stood behind later ones; their numbers put them back")?;
    }
    let open = report.writers.iter().filter(|writer| !writer.is_closed);
    for writer in open.take(TOLD) {
        writeln!(out, "WARNING  {}: no end; it runs, was killed, or the log was cut off", name(writer))?;
    }
    if report.open() > TOLD {
        writeln!(out, "WARNING  {} writers more have no end", report.open() - TOLD)?;
    }
    for writer in report.writers.iter().filter(|writer| writer.wrong > 0).take(TOLD) {
        writeln!(out, "WRONG    {}: {} problems", name(writer), writer.wrong)?;
        for problem in &writer.problems {
            writeln!(out, "         {problem}")?;
        }
    }
    let verdict = match (report.wrong(), report.open()) {
        (0, 0) => "INTACT".to_owned(),
        (0, open) => format!("INTACT as far as it goes: {open} writers have no end"),
        (wrong, _) => format!("NOT INTACT: {wrong} problems"),
    };
    writeln!(out, "{verdict}")?;
    Ok(out)
}

fn name(writer: &Writer) -> String {
    format!(
        "{} {} ({} records from {} to {})",
        writer.service, writer.id, writer.proven, writer.first, writer.last
    )
}
