//! What Terraform applied, tried: every route and every trigger reaches the function that it names, as the platform sends it.
//!
//! `APPLIED_GCP` and `APPLIED_AWS` name files with the routes and triggers that an apply left behind (`make terraform-apply` writes
//! them); without them `terraform/functions.yaml` stands in, from which both are made.

use std::collections::BTreeSet;

use deployment::{Backend, scheduled};
use gateway::{Exposure, Route, Secret, Store, Table, Use};
use serde::Deserialize;

use crate::harness::*;
use crate::sent;

/// What an apply left behind. There is more in it.
#[derive(Deserialize)]
pub(crate) struct Applied {
    pub(crate) routes: Vec<Led>,
    pub(crate) triggers: Vec<Trigger>,
}

/// A route and where it leads.
#[derive(Clone, Deserialize)]
pub(crate) struct Led {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) function: String,
}

/// What a clock sends to a function.
#[derive(Deserialize)]
pub(crate) struct Trigger {
    pub(crate) function: String,
    /// Cloud Scheduler's; empty when there is none.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// EventBridge Scheduler's, as JSON or as a text of it; its own event when there is none.
    #[serde(default)]
    pub(crate) input: Value,
}

impl Applied {
    /// What a variable's file says, else what follows from the list.
    fn read(variable: &str) -> Self {
        if let Ok(file) = std::env::var(variable) {
            let text =
                std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{variable}={file}: {error}"));
            return serde_json::from_str(&text).unwrap_or_else(|error| panic!("{variable}={file}: {error}"));
        }
        let routes = FUNCTIONS.routes().map(|(function, _, route)| Led {
            method: route.method.clone(),
            path: route.path.clone(),
            function: function.to_owned(),
        });
        // Alone, and one of several.
        let triggers = functions(false).flat_map(|function| {
            [Value::Null, json!({"shard": 1, "of": 3})].map(|input| Trigger {
                function: function.to_owned(),
                body: (!input.is_null()).then(|| input.to_string()),
                input,
            })
        });
        Self { routes: routes.collect(), triggers: triggers.collect() }
    }

    /// It has every route of the list and no other, and something starts every job.
    fn is_whole(&self) {
        let applied = self.routes.iter().map(|led| format!("{} {} → {}", led.method, led.path, led.function));
        let listed = FUNCTIONS.routes().map(|(function, _, route)| format!("{route} → {function}"));
        assert_eq!(applied.collect::<BTreeSet<_>>(), listed.collect());
        let started = self.triggers.iter().map(|trigger| trigger.function.as_str());
        assert_eq!(started.collect::<BTreeSet<_>>(), functions(false).collect());
    }

    fn table(&self) -> Table {
        let routes =
            self.routes.iter().map(|led| (format!("{} {}", led.method, led.path), led.function.clone()));
        routes.map(|(route, function)| (route.parse::<Route>().unwrap(), function)).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    Google,
    Aws,
}

/// What Terraform gives a function, by what the list says that it may use.
fn environment(world: &World, name: &str, cloud: Cloud) -> Vec<(String, String)> {
    let function = FUNCTIONS.get(name).unwrap();
    let has = |secret| function.secrets.contains(&secret);
    let mut vars = world.vars().to_vec();
    vars.retain(|(name, _)| match name.as_str() {
        "CALLERS" => has(Secret::Callers),
        "ATTEMPT_KEY" => has(Secret::AttemptKey),
        "STORE_URL" => function.store != Store::None,
        "CACHE_URL" => function.cache != Use::None,
        "KEY_URL" | "KMS_ENDPOINT" => function.kms != Use::None,
        name => !name.ends_with("_CLIENT_SECRET") || has(Secret::ClientSecrets),
    });
    let mut give = |name: &str, value: &str| vars.push((name.to_owned(), value.to_owned()));
    give("AUDIT_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    if function.kms == Use::None {
        give("KEY_URL", "none");
    }
    match function.exposure {
        Exposure::Scheduled => give("AUTH", "platform"),
        Exposure::Public if cloud == Cloud::Google => {
            give("GATEWAY", "sole-invoker");
            give("TRUSTED_PROXIES", "hops:2");
        }
        Exposure::Internal if cloud == Cloud::Google => give("TRUSTED_PROXIES", "hops:1"),
        Exposure::Internal => give("GATEWAY", "sole-invoker"),
        Exposure::Public => {}
    }
    vars
}

/// One copy of each function, with what its platform gives it.
async fn start(setup: Setup, cloud: Cloud) -> Option<World> {
    let mut world = setup.var("CORS_ORIGINS", sent::ORIGIN).prepare().await?;
    for (name, _) in FUNCTIONS.iter() {
        let vars = environment(&world, name, cloud);
        world.start_copy_in(name, &vars).await;
    }
    Some(world)
}

#[tokio::test]
async fn every_route_on_google_cloud_is_answered_by_the_function_that_it_leads_to() {
    let applied = Applied::read("APPLIED_GCP");
    applied.is_whole();
    let Some(world) = start(Setup::default(), Cloud::Google).await else { return };
    for led in &applied.routes {
        let copy = world.copies(&led.function).next().unwrap();
        let exposure = FUNCTIONS.get(&led.function).unwrap().exposure;
        let session = sent::session(&world, Cloud::Google).await;
        let request = sent::request(&world, copy.base(), led, &session);
        let request = sent::by_google(request, exposure);
        let answer = world.api.send(request).await;
        sent::is_from(led, &answer, copy);
        if let Some(line) = sent::recorded(led, copy) {
            assert_eq!(line["address"], sent::CALLER, "{line}");
        }
    }
}

#[tokio::test]
async fn every_route_on_aws_is_answered_by_the_function_that_it_leads_to() {
    let applied = Applied::read("APPLIED_AWS");
    applied.is_whole();
    let setup = Setup::default().in_lambda().routes(applied.table());
    let Some(world) = start(setup, Cloud::Aws).await else { return };
    for led in &applied.routes {
        let copy = world.copies(&led.function).next().unwrap();
        let exposure = FUNCTIONS.get(&led.function).unwrap().exposure;
        let session = sent::session(&world, Cloud::Aws).await;
        let request = sent::by_aws(sent::request(&world, &world.api.base, led, &session), exposure);
        let answer = world.api.send(request).await;
        sent::is_from(led, &answer, copy);
    }
}

#[tokio::test]
async fn every_trigger_on_google_cloud_starts_its_job_for_its_share() {
    let applied = Applied::read("APPLIED_GCP");
    let Some(world) = start(Setup::default(), Cloud::Google).await else { return };
    for trigger in &applied.triggers {
        let copy = world.copies(&trigger.function).next().unwrap();
        let body = trigger.body.clone().unwrap_or_default();
        let answer = sent::by_cloud_scheduler(copy.base(), &trigger.function, &body).await;
        let asked = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        reports(trigger, &answer, &asked, copy);
    }
}

#[tokio::test]
async fn every_trigger_on_aws_starts_its_job_for_its_share() {
    let applied = Applied::read("APPLIED_AWS");
    let Some(world) = start(Setup::default().in_lambda(), Cloud::Aws).await else { return };
    for trigger in &applied.triggers {
        let copy = world.copies(&trigger.function).next().unwrap();
        assert!(matches!(copy.backend, Backend::Lambda(_)));
        let input = match &trigger.input {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            input => input.clone(),
        };
        let event = if input.is_null() { scheduled(&trigger.function) } else { input.clone() };
        reports(trigger, &copy.run(&event).await, &input, copy);
    }
}

/// The report is of the job, and its run was the share that was asked for.
fn reports(trigger: &Trigger, report: &Value, asked: &Value, copy: &Process) {
    assert_eq!((&report["job"], &report["complete"]), (&json!(trigger.function), &json!(true)), "{report}");
    let lines = copy.log();
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let run = lines.filter(|line| line["run.id"] == report["runId"]).last().unwrap();
    let share = if asked["of"].is_u64() { asked.clone() } else { json!({"shard": 0, "of": 1}) };
    assert_eq!((&run["shard"], &run["of"]), (&share["shard"], &share["of"]), "{run}");
}
