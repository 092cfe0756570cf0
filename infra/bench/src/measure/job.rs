//! `scheduled-refresh` as processes of its own on a copy of a filled store, and what is known of them afterwards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Clock as _;
use shared::domain::JobReport;

use crate::Result;
use crate::lab::{self, Lab};
use crate::process::{self, Program};

use super::sandbox::Sandbox;

/// Gmail as it is shipped, but for the bound on calls in flight, which is lower than what is measured.
const GMAIL: &str = include_str!("../../../../shared/providers/gmail.toml");
/// How often is looked whether a process has ended, and how much memory it has had.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What runs the job.
pub(super) struct Sweeper<'a> {
    lab: &'a Lab,
    sandbox: &'a Sandbox,
    providers: PathBuf,
}

/// What came of one sweep.
pub(super) struct Swept {
    /// Refreshes per second, from the start of the first process's run to the last save of all.
    pub(super) rate: f64,
    /// The most calls in flight at the provider.
    pub(super) in_flight: f64,
    /// Commits of the store.
    pub(super) commits: f64,
    /// Pieces of work that were committed: leases, saves, and a few that keep the report.
    pub(super) writes: f64,
    /// Groups that the store did not commit, so that whoever had saved tried again.
    pub(super) refused: usize,
    /// Processor time of the job, of all processes, from their start to their end.
    pub(super) cpu: Duration,
    /// Processor time of the sandbox.
    pub(super) sandbox_cpu: Duration,
    /// Processor time of the whole machine, whoever used it.
    pub(super) machine_cpu: Duration,
    /// From before the start of the processes to their end.
    pub(super) elapsed: Duration,
    /// The most memory that one of the processes had resident, in bytes.
    pub(super) peak: u64,
}

impl<'a> Sweeper<'a> {
    pub(super) fn new(lab: &'a Lab, sandbox: &'a Sandbox) -> Result<Self> {
        let providers = lab.folder("providers")?;
        fs::write(providers.join("gmail.toml"), without_bound(GMAIL)?)?;
        Ok(Self { lab, sandbox, providers })
    }

    /// Has `processes` of them share the `due` refreshes in `data`, each with `concurrency` calls at once.
    ///
    /// # Errors
    /// When they did not do all of it, and each once.
    pub(super) fn sweep(&self, data: &Path, processes: u8, concurrency: usize, due: usize) -> Result<Swept> {
        let more = [
            ("CONCURRENCY", concurrency.to_string()),
            ("PROVIDERS_DIR", self.providers.display().to_string()),
            ("PROVIDER_GMAIL_ORIGIN", self.sandbox.origin()),
            ("LOG_FORMAT", "json".to_owned()),
            // The last of a name counts.
            ("LOG", "warn,shared::store::sqlite::writer=debug".to_owned()),
        ];
        let environment = [lab::environment(data).as_slice(), &more].concat();
        self.sandbox.count_anew()?;
        let clocks = || -> Result<_> {
            Ok([process::cpu_of_ended_children()?, self.sandbox.cpu()?, process::cpu_of_machine()?])
        };
        let (begin, before) = (self.lab.clock.monotonic(), clocks()?);
        let mut running = (0..processes)
            .map(|shard| {
                let share = json!({ "shard": shard, "of": processes }).to_string();
                let mut command = self.lab.command("scheduled-refresh", &environment);
                let log = self.lab.path().join(format!("sweep-{shard}.log"));
                Program::spawn(command.args(["--once", &share]), &log)
            })
            .collect::<Result<Vec<_>>>()?;
        wait(&mut running)?;
        let (elapsed, after) = (self.lab.clock.monotonic() - begin, clocks()?);
        let in_flight = self.sandbox.most_in_flight(due, concurrency * usize::from(processes))?;
        let said = running.iter_mut().map(Program::output).collect::<Result<Vec<_>>>()?;
        let (mut reports, mut groups, mut refused) = (Vec::new(), Vec::new(), 0);
        for (output, log) in &said {
            reports.push(serde_json::from_str::<JobReport>(output)?);
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            for line in lines {
                match line["message"].as_str() {
                    Some("group commit") => groups.push(line["store.batch"].as_f64().unwrap_or_default()),
                    Some("nothing of a group was committed") => refused += 1,
                    Some(_) | None => {}
                }
            }
        }
        let [cpu, sandbox_cpu, machine_cpu] = [0, 1, 2].map(|at| after[at] - before[at]);
        Ok(Swept {
            rate: due as f64 / time_of(&reports, due)?.as_secs_f64(),
            in_flight,
            commits: groups.len() as f64,
            writes: groups.iter().sum(),
            refused,
            cpu,
            sandbox_cpu,
            machine_cpu,
            elapsed,
            peak: running.iter().map(|each| each.peak).max().unwrap_or_default(),
        })
    }
}

fn wait(running: &mut [Program]) -> Result<()> {
    loop {
        let mut all = true;
        for each in running.iter_mut() {
            all &= each.has_ended()?;
        }
        if all {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// From the first start to the last save, if together they refreshed all that was due.
fn time_of(reports: &[JobReport], due: usize) -> Result<Duration> {
    let refreshed: u64 = reports.iter().map(|report| report.successful).sum();
    if refreshed != due as u64 || !reports.iter().all(|report| report.complete) {
        return Err(format!("the job did other work than it had: {reports:?}").into());
    }
    let begun = reports.iter().map(|report| report.started_at).min();
    let ended = reports.iter().map(|report| report.finished_at).max();
    Ok(ended.zip(begun).map(|(ended, begun)| ended.since(begun)).ok_or("there was no process")?)
}

/// A copy of a filled store, on the disk before anybody is timed.
pub(super) fn copy(lab: &Lab, template: &Path) -> Result<PathBuf> {
    let data = lab.folder("sweep")?;
    for entry in fs::read_dir(template)? {
        let from = entry?.path();
        let to = data.join(from.file_name().unwrap_or_default());
        fs::copy(&from, &to)?;
        File::open(&to)?.sync_all()?;
    }
    Ok(data)
}

fn without_bound(descriptor: &str) -> Result<String> {
    let (before, after) = descriptor.split_once("sweep_concurrency = ").ok_or("gmail.toml has no bound")?;
    let (_, after) = after.split_once('\n').ok_or("gmail.toml ends at its bound")?;
    Ok(format!("{before}sweep_concurrency = 1024\n{after}"))
}

#[cfg(test)]
mod tests {
    use shared::domain::{Job, Timestamp};

    use super::*;

    fn report(from: i64, to: i64, successful: u64, complete: bool) -> JobReport {
        let at = Timestamp::from_millis;
        let id = "00000000-0000-4000-8000-000000000000".parse().unwrap();
        let new = JobReport::new(id, Job::ScheduledRefresh, at(from));
        JobReport { finished_at: at(to), successful, complete, ..new }
    }

    #[test]
    fn processes_are_timed_from_the_first_start_to_the_last_save() {
        let reports = [report(1000, 3000, 6, true), report(1100, 3500, 4, true)];
        assert_eq!(time_of(&reports, 10).unwrap(), Duration::from_millis(2500));
    }

    #[test]
    fn a_sweep_that_left_something_or_did_more_gives_no_number() {
        assert!(time_of(&[report(0, 1, 6, true), report(0, 1, 4, false)], 10).is_err());
        assert!(time_of(&[report(0, 1, 9, true)], 10).is_err());
        assert!(time_of(&[report(0, 1, 11, true)], 10).is_err());
        assert!(time_of(&[], 0).is_err());
    }
}
