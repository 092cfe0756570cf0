//! A run of `scheduled-refresh`: 2,000 of many connections are due, at a provider that takes 50 ms.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::{Clock, Ids, SystemIds};
use shared::domain::Job;

use crate::Result;
use crate::http::{self, Connection};
use crate::lab::{self, Lab};
use crate::load::{self, Until};
use crate::machine;
use crate::process::{self, Server, free_address};
use crate::report::{Goal, Report, Row, Unit};
use crate::seed;
use crate::stats::Spread;

use super::micros;

const DUE: u32 = 2000;
const LATENCY: Duration = Duration::from_millis(50);
const SIZES: [(u32, &str); 2] = [(10_000, "10,000"), (100_000, "100,000")];
const CONCURRENCIES: [usize; 2] = [32, 64];

/// Gmail as it is shipped, but for the bound on calls in flight, which is lower than what is measured.
const GMAIL: &str = include_str!("../../../../shared/providers/gmail.toml");

/// What came of the sweeps of one kind, run by run.
#[derive(Default)]
struct Runs {
    rates: Vec<f64>,
    commits: Vec<f64>,
    cpu: Vec<f64>,
}

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let sandbox = start_sandbox(lab)?;
    let tokens = consent(&sandbox, DUE)?;
    slow_down(&sandbox)?;
    let providers = lab.folder("providers")?;
    fs::write(providers.join("gmail.toml"), without_bound(GMAIL)?)?;
    let mut templates = Vec::new();
    for (size, _) in SIZES {
        let data = lab.folder(&format!("sweep-{size}"))?;
        seed::fill(&data, 0..size, &tokens).await?;
        templates.push(data);
    }
    let flush = machine::flush_time(lab, lab.path())?;
    let direct: Arc<[Vec<u8>]> = tokens.iter().map(|token| refresh_request(token)).collect();
    for concurrency in CONCURRENCIES {
        let mut bare = Vec::new();
        let mut ours = SIZES.map(|_| Runs::default());
        for _ in 0..lab.args.rounds {
            let until = Until::Count(u64::from(DUE));
            bare.push(load::closed(&lab.clock, sandbox.address, &direct, concurrency, until).await?.rate());
            for (template, runs) in templates.iter().zip(&mut ours) {
                let data = copy(lab, template)?;
                sweep(lab, &data, &providers, &sandbox, concurrency, runs).await?;
            }
        }
        tell(report, concurrency, &bare, &ours, flush);
    }
    Ok(())
}

fn tell(report: &mut Report, concurrency: usize, bare: &[f64], ours: &[Runs; 2], flush: Duration) {
    let ideal = f64::from(u32::try_from(concurrency).unwrap_or(u32::MAX)) / LATENCY.as_secs_f64();
    for ((_, size), runs) in SIZES.iter().zip(ours) {
        let what = format!("sweep of 2,000 due in {size}, {concurrency} at once");
        let ratio = Spread::of(runs.rates.iter().map(|rate| rate / ideal));
        report.add(Row {
            what: format!("{what}: refreshes, of {concurrency} ÷ 50 ms = {ideal:.0}/s"),
            baseline: format!("{} by the load generator", Unit::Rate.show(Spread::of(bare.iter().copied()))),
            result: Unit::Rate.show(Spread::of(runs.rates.iter().copied())),
            ratio: Some(ratio),
            goal: Goal::AtLeast(0.85),
            judged: ratio.median,
        });
        let (commits, cpu) = (Spread::of(runs.commits.iter().copied()), Spread::of(runs.cpu.iter().copied()));
        report.add(Row {
            what: format!("{what}: commits of 4,000 writes, CPU of the job per refresh"),
            baseline: format!("flush {:.2} ms", micros(flush) / 1e3),
            result: format!(
                "{:.0} ({:.0}–{:.0}), {}",
                commits.median,
                commits.least,
                commits.most,
                Unit::Micros.show(cpu)
            ),
            ratio: None,
            goal: Goal::None,
            judged: 0.0,
        });
    }
    let [few, many] = ours;
    let what = format!("sweep, {concurrency} at once: the same in 100,000 as in 10,000");
    report.compare(what, Unit::Rate, &few.rates, &many.rates, Goal::AtLeast(0.95));
}

/// One run of the job, as a process of its own, on data of its own.
async fn sweep(
    lab: &Lab,
    data: &Path,
    providers: &Path,
    sandbox: &Server,
    concurrency: usize,
    runs: &mut Runs,
) -> Result<()> {
    let log = lab.path().join("sweep.log");
    let more = [
        ("CONCURRENCY", concurrency.to_string()),
        ("PROVIDERS_DIR", providers.display().to_string()),
        ("PROVIDER_GMAIL_ORIGIN", format!("http://{}", sandbox.address)),
    ];
    let mut environment = [lab::environment(data).as_slice(), &more].concat();
    // The last of a name counts.
    environment.push(("LOG", "warn,shared::store::sqlite::writer=debug".to_owned()));
    let before = process::cpu_of_ended_children()?;
    let status = lab
        .command("scheduled-refresh", &environment)
        .arg("--once")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .status()?;
    let cpu = process::cpu_of_ended_children()? - before;
    let said = fs::read_to_string(&log)?;
    if !status.success() {
        return Err(format!("scheduled-refresh ended with {status}: {said}").into());
    }
    let store = shared::store::open(
        &format!("sqlite:{}", data.join("store.db").display()),
        &(Arc::clone(&lab.clock) as Arc<dyn Clock>),
        &(Arc::new(SystemIds) as Arc<dyn Ids>),
        &Arc::default(),
    )?;
    let report = store.last_run(Job::ScheduledRefresh).await?.ok_or("the job left no report")?;
    if report.successful != u64::from(DUE) || !report.complete {
        return Err(format!("the job did other work than it had: {report:?} {said}").into());
    }
    let took = report.finished_at.since(report.started_at);
    runs.rates.push(f64::from(DUE) / took.as_secs_f64());
    runs.cpu.push(micros(cpu) / f64::from(DUE));
    let commits = said.lines().filter(|line| line.contains("group commit")).count();
    runs.commits.push(f64::from(u32::try_from(commits)?));
    Ok(())
}

/// A copy of a filled store, on the disk before anybody is timed.
fn copy(lab: &Lab, template: &Path) -> Result<PathBuf> {
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

fn start_sandbox(lab: &Lab) -> Result<Server> {
    let address = free_address()?;
    let mut command = lab.command("sandbox-provider", &[("LISTEN", address.to_string())]);
    let mut sandbox = Server::spawn(&mut command, address, &lab.path().join("sandbox.log"))?;
    sandbox.connect()?;
    Ok(sandbox)
}

/// Has `count` people consent; answers their refresh tokens.
fn consent(sandbox: &Server, count: u32) -> Result<Vec<String>> {
    let url = "http://localhost/o/oauth2/v2/auth?client_id=sandbox-gmail&response_type=code&access_type=offline\
         &prompt=consent&redirect_uri=http%3A%2F%2F127.0.0.1%2F&scope=openid%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly";
    let mut connection = Connection::open(sandbox.address)?;
    (0..count)
        .map(|number| {
            let body = json!({ "authorizationUrl": url, "account": seed::user(number) });
            let request = http::post("/_sandbox/consent", "application/json", &body.to_string());
            let answer: Value = serde_json::from_slice(&connection.call(&request)?)?;
            let redirect = answer["redirect"].as_str().unwrap_or_default();
            let code = redirect.split(['?', '&']).find_map(|each| each.strip_prefix("code="));
            let code = code.ok_or("the sandbox gave no code")?;
            let form =
                format!("grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%2F");
            let answer: Value = serde_json::from_slice(&connection.call(&token_request(&form))?)?;
            Ok(answer["refresh_token"].as_str().ok_or("the sandbox gave no refresh token")?.to_owned())
        })
        .collect()
}

fn slow_down(sandbox: &Server) -> Result<()> {
    let body = json!({ "latencyMs": { "google.token": LATENCY.as_millis() } }).to_string();
    let request = http::send("PATCH", "/_sandbox/settings", "application/json", &body);
    Connection::open(sandbox.address)?.call(&request).map(drop)
}

/// The call that a refresh makes.
fn refresh_request(token: &str) -> Vec<u8> {
    token_request(&format!("grant_type=refresh_token&refresh_token={}", token.replace('/', "%2F")))
}

fn token_request(form: &str) -> Vec<u8> {
    let body = format!("{form}&client_id=sandbox-gmail&client_secret=sandbox-gmail-secret");
    http::post("/token", "application/x-www-form-urlencoded", &body)
}
