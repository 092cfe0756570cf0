//! Prints a table of claims and classes, or (given a class) the shortest way to each thing that breaks a claim there.

use std::io::{self, Write};

use model::checker::{Report, check};
use model::{Fault, Scenario, properties, tell};
use shared::domain::Rotation;

const CLASSES: [(&str, Rotation); 4] = [
    ("none", Rotation::None),
    ("sliding", Rotation::Sliding),
    ("single_use", Rotation::SingleUse),
    ("single_use_with_grace", Rotation::SingleUseWithGrace),
];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let deep = asked.iter().any(|each| each == "deep");
    let lenient = asked.iter().any(|each| each == "lenient");
    let faults = if deep { 3 } else { 2 };
    let chosen = CLASSES.iter().filter(|(name, _)| asked.iter().any(|each| each == name));
    let mut told = false;
    for (_, rotation) in chosen {
        told = true;
        tell_all(&mut out, &vary(*rotation, lenient).with(faults, Fault::ALL))?;
    }
    if told { Ok(()) } else { table(&mut out, faults, lenient) }
}

fn vary(rotation: Rotation, lenient: bool) -> Scenario {
    let scenario = Scenario::of(rotation);
    if lenient { scenario.lenient() } else { scenario }
}

/// Tells everything that can be broken, and everything that can happen.
fn tell_all(out: &mut impl Write, scenario: &Scenario) -> io::Result<()> {
    let report = explore(scenario);
    for (claim, path) in &report.violated {
        writeln!(out, "BROKEN: {claim}\n{}", tell(scenario, path))?;
    }
    for (what, path) in &report.reached {
        writeln!(out, "possible: {what}\n{}", tell(scenario, path))?;
    }
    Ok(())
}

fn table(out: &mut impl Write, faults: u8, lenient: bool) -> io::Result<()> {
    let scenarios = CLASSES.map(|(_, rotation)| vary(rotation, lenient).with(faults, Fault::ALL));
    let reports = scenarios.map(|scenario| explore(&scenario));
    writeln!(out, "| {faults} faults | {} |", CLASSES.map(|(name, _)| format!("`{name}`")).join(" | "))?;
    writeln!(out, "| --- | --- | --- | --- | --- |")?;
    for claim in properties::always() {
        let cells = reports.each_ref().map(|report| verdict(report, claim.name));
        writeln!(out, "| {} | {} |", claim.name, cells.join(" | "))?;
    }
    let states = reports.each_ref().map(|report| report.states.to_string());
    writeln!(out, "| states | {} |", states.join(" | "))?;
    let steps = reports.each_ref().map(|report| report.steps.to_string());
    writeln!(out, "| steps | {} |", steps.join(" | "))?;
    let depths = reports.each_ref().map(|report| report.depth.to_string());
    writeln!(out, "| the furthest is so many steps away | {} |", depths.join(" | "))?;
    Ok(())
}

fn verdict(report: &Report<Scenario>, claim: &str) -> String {
    report.violation(claim).map_or("holds".to_owned(), |path| format!("**broken** in {} steps", path.len()))
}

fn explore(scenario: &Scenario) -> Report<Scenario> {
    check(scenario, &properties::always(), &properties::sometimes())
}
