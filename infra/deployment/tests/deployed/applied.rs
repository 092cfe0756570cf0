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
    /// `public` or `internal`, on Google Cloud.
    pub(crate) exposure: Option<String>,
    /// `NONE` or `AWS_IAM`, on AWS.
    pub(crate) auth: Option<String>,
}

/// What a clock sends to a function.
#[derive(Deserialize)]
pub(crate) struct Trigger {
    pub(crate) function: String,
    /// The text of Cloud Scheduler's.
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
            exposure: None,
            auth: None,
        });
        // One job alone, the other shared.
        let triggers = functions(false).zip([1, 3].into_iter().cycle()).flat_map(|(function, of)| {
            (0..of).map(move |shard| Trigger {
                function: function.to_owned(),
                body: None,
                input: if of == 1 { Value::Null } else { json!({"shard": shard, "of": of}) },
            })
        });
        Self { routes: routes.collect(), triggers: triggers.collect() }
    }

    /// It has every route of the list and no other, and something starts every share of every job once.
    fn is_whole(&self) {
        let applied = self.routes.iter().map(|led| format!("{} {} → {}", led.method, led.path, led.function));
        let listed = FUNCTIONS.routes().map(|(function, _, route)| format!("{route} → {function}"));
        assert_eq!(applied.collect::<BTreeSet<_>>(), listed.collect());
        for led in &self.routes {
            let public = FUNCTIONS.get(&led.function).unwrap().exposure == Exposure::Public;
            let said = (led.exposure.as_deref(), led.auth.as_deref());
            let right = match said {
                (Some(exposure), _) => exposure == if public { "public" } else { "internal" },
                (None, Some(auth)) => auth == if public { "NONE" } else { "AWS_IAM" },
                (None, None) => true,
            };
            assert!(right, "{} {} is open to others: {said:?}", led.method, led.path);
        }
        for function in functions(false) {
            let started = self.triggers.iter().filter(|trigger| trigger.function == function);
            let mut shares: Vec<_> = started.map(|trigger| share(&trigger.asked())).collect();
            shares.sort_unstable();
            let of = shares.first().map_or(1, |(_, of)| *of);
            assert_eq!(shares, (0..of).map(|shard| (shard, of)).collect::<Vec<_>>(), "{function}");
        }
        assert!(self.triggers.iter().all(|trigger| functions(false).any(|job| job == trigger.function)));
    }

    fn table(&self) -> Table {
        let routes =
            self.routes.iter().map(|led| (format!("{} {}", led.method, led.path), led.function.clone()));
        routes.map(|(route, function)| (route.parse::<Route>().unwrap(), function)).collect()
    }
}

impl Trigger {
    /// What the job is asked for; null is everything.
    fn asked(&self) -> Value {
        let text = self.body.as_deref().or(self.input.as_str());
        text.map_or_else(|| self.input.clone(), |text| serde_json::from_str(text).unwrap())
    }
}

/// Which share of how many is asked for.
fn share(asked: &Value) -> (u64, u64) {
    (asked["shard"].as_u64().unwrap_or(0), asked["of"].as_u64().unwrap_or(1))
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
    // The first to look may find a store that is still starting.
    let healthy = async || (world.api.get("/health").await.json()["status"] == "healthy").then_some(());
    until("good health", healthy).await;
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
        if led.method == "OPTIONS" {
            sent::is_allowed(led, request).await;
            continue;
        }
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
        if led.method == "OPTIONS" {
            sent::is_allowed(led, request).await;
            continue;
        }
        let answer = world.api.send(request).await;
        sent::is_from(led, &answer, copy);
    }
}

#[tokio::test]
async fn every_trigger_on_google_cloud_starts_its_job_for_its_share() {
    let applied = Applied::read("APPLIED_GCP");
    applied.is_whole();
    let Some(world) = start(Setup::default(), Cloud::Google).await else { return };
    for trigger in &applied.triggers {
        let copy = world.copies(&trigger.function).next().unwrap();
        let text = || Some(trigger.asked()).filter(|asked| !asked.is_null()).map(|asked| asked.to_string());
        let body = trigger.body.clone().or_else(text).unwrap_or_default();
        let answer = sent::by_cloud_scheduler(copy.base(), &trigger.function, &body).await;
        reports(trigger, &answer, copy);
    }
}

#[tokio::test]
async fn every_trigger_on_aws_starts_its_job_for_its_share() {
    let applied = Applied::read("APPLIED_AWS");
    applied.is_whole();
    let Some(world) = start(Setup::default().in_lambda(), Cloud::Aws).await else { return };
    for trigger in &applied.triggers {
        let copy = world.copies(&trigger.function).next().unwrap();
        assert!(matches!(copy.backend, Backend::Lambda(_)));
        let asked = trigger.asked();
        let event = if asked.is_null() { scheduled(&trigger.function) } else { asked };
        reports(trigger, &copy.run(&event).await, copy);
    }
}

/// The report is of the job, and its run was the share that was asked for.
fn reports(trigger: &Trigger, report: &Value, copy: &Process) {
    assert_eq!((&report["job"], &report["complete"]), (&json!(trigger.function), &json!(true)), "{report}");
    let lines = copy.log();
    let mut lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let run = lines.rfind(|line| line["run.id"] == report["runId"]).unwrap();
    assert!(run["of"].is_u64(), "{run}");
    assert_eq!(share(&run), share(&trigger.asked()), "{run}");
}
