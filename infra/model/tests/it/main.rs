//! The refresh protocol, checked: as it is built, without each of its parts, and its limits.

#![expect(
    clippy::print_stdout,
    clippy::panic,
    reason = "what the tests share: it counts states, and tells counterexamples"
)]

mod as_built;
mod limits;
mod parts;

use model::checker::{Path, Report, check};
use model::{Scenario, properties, tell};
use shared::domain::Rotation;

const ALL: [Rotation; 4] =
    [Rotation::None, Rotation::Sliding, Rotation::SingleUse, Rotation::SingleUseWithGrace];

/// Visits every state of a scenario, and says how many there were.
fn explore(scenario: &Scenario) -> Report<Scenario> {
    let report = check(scenario, &properties::always(), &properties::sometimes());
    println!(
        "{:?}, {} faults: {} states, {} steps, {} deep",
        scenario.rotation, scenario.faults, report.states, report.steps, report.depth
    );
    report
}

/// Asserts that no claim is broken.
fn holds(scenario: &Scenario) {
    breaks(scenario, &[]);
}

/// Asserts that exactly these claims are broken; a test that fails tells how.
fn breaks(scenario: &Scenario, expected: &[&str]) {
    let report = explore(scenario);
    for (claim, path) in &report.violated {
        assert!(expected.contains(claim), "{claim}\nis broken by\n{}", tell(scenario, path));
    }
    let broken: Vec<_> = report.violated.iter().map(|(claim, _)| *claim).collect();
    assert_eq!(broken.len(), expected.len(), "only {broken:?} are broken by {scenario:?}");
}

/// The shortest way to something that must be possible.
fn way(scenario: &Scenario, what: &str) -> Path<Scenario> {
    let mut looked_for = properties::sometimes();
    looked_for.retain(|each| each.name == what);
    let report = check(scenario, &[], &looked_for);
    report.witness(what).unwrap_or_else(|| panic!("{what}: not possible with {scenario:?}")).clone()
}

/// Asserts that something can't happen.
fn never(scenario: &Scenario, what: &str) {
    if let Some(path) = explore(scenario).witness(what) {
        panic!("{what}\nhappens by\n{}", tell(scenario, path));
    }
}
