//! Checks every class of provider and prints what was found, with the shortest way to each thing that breaks a claim.

use std::io::{self, Write};

use model::{Fault, Scenario, checker, properties, tell};
use shared::domain::Rotation;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for (name, rotation) in [
        ("none", Rotation::None),
        ("sliding", Rotation::Sliding),
        ("single_use", Rotation::SingleUse),
        ("single_use_with_grace", Rotation::SingleUseWithGrace),
    ] {
        let all = Scenario::of(rotation);
        for (label, scenario) in [
            ("all", all),
            ("lenient", all.lenient()),
            ("manageable", all.with(2, Fault::MANAGEABLE)),
            ("patient", all.patient_grace()),
        ] {
            let key = format!("{name}/{label}");
            if !wanted.is_empty() && !wanted.contains(&key) {
                continue;
            }
            let report = checker::check(&scenario, &properties::always(), &properties::sometimes());
            writeln!(out, "== {key}: {} states, {} steps, depth {}", report.states, report.steps, report.depth)?;
            for (claim, path) in &report.violated {
                writeln!(out, "VIOLATED {claim}:\n{}", tell(&scenario, path))?;
            }
            let reached: Vec<_> = report.reached.iter().map(|(name, path)| format!("{name} ({})", path.len())).collect();
            writeln!(out, "possible: {}", reached.join("; "))?;
        }
    }
    Ok(())
}
