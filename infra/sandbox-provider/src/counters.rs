//! Counts every call by endpoint, outcome and grant type, and proves how often each refresh token was presented.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use serde::Serialize;

use crate::{clock::Millis, endpoint::Endpoint};

/// What has been counted since the start or the last reset.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// By endpoint; endpoints that nobody called are absent.
    pub endpoints: BTreeMap<Endpoint, EndpointCounters>,
    /// How many distinct refresh tokens were presented.
    pub refresh_tokens_presented: usize,
    /// How often the most presented one was: 1 proves single use.
    pub most_presentations: u32,
    /// The last calls, oldest first, without secrets.
    pub log: Vec<CallRecord>,
}

/// What one endpoint has seen.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointCounters {
    /// Calls that arrived.
    pub calls: u64,
    /// Calls under way.
    pub in_flight: u32,
    /// Most calls that were under way at once.
    pub max_in_flight: u32,
    /// Finished calls by outcome: `ok`, the provider's error code, `fault:503`, `dropped_before`, `dropped_after`.
    pub outcomes: BTreeMap<String, u64>,
    /// Token endpoints: finished calls by `grant_type`, then outcome.
    pub grant_types: BTreeMap<String, BTreeMap<String, u64>>,
}

/// One finished call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// The sandbox's time, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// Token endpoints: which `grant_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// As in [`EndpointCounters::outcomes`].
    pub outcome: String,
}

impl Counters {
    /// Calls that arrived at an endpoint.
    #[must_use]
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.endpoints.get(&endpoint).map_or(0, |counted| counted.calls)
    }

    /// Finished calls of an endpoint with this outcome.
    #[must_use]
    pub fn outcome(&self, endpoint: Endpoint, outcome: &str) -> u64 {
        self.endpoints.get(&endpoint).and_then(|counted| counted.outcomes.get(outcome)).copied().unwrap_or(0)
    }

    /// Finished calls of a token endpoint with this `grant_type`, whatever their outcome.
    #[must_use]
    pub fn grant_type(&self, endpoint: Endpoint, grant_type: &str) -> u64 {
        self.endpoints
            .get(&endpoint)
            .and_then(|counted| counted.grant_types.get(grant_type))
            .map_or(0, |outcomes| outcomes.values().sum())
    }

    /// Most calls of an endpoint that were under way at once.
    #[must_use]
    pub fn max_in_flight(&self, endpoint: Endpoint) -> u32 {
        self.endpoints.get(&endpoint).map_or(0, |counted| counted.max_in_flight)
    }
}

/// The counters as they are kept.
#[derive(Debug, Default)]
pub(crate) struct Book {
    endpoints: BTreeMap<Endpoint, EndpointCounters>,
    presentations: HashMap<Arc<str>, u32>,
    log: VecDeque<CallRecord>,
}

impl Book {
    pub(crate) fn enter(&mut self, endpoint: Endpoint) {
        let counted = self.endpoints.entry(endpoint).or_default();
        counted.calls += 1;
        counted.in_flight += 1;
        counted.max_in_flight = counted.max_in_flight.max(counted.in_flight);
    }

    pub(crate) fn leave(&mut self, endpoint: Endpoint) {
        let counted = self.endpoints.entry(endpoint).or_default();
        counted.in_flight = counted.in_flight.saturating_sub(1);
    }

    pub(crate) fn finish(
        &mut self,
        now: Millis,
        endpoint: Endpoint,
        grant_type: Option<&str>,
        outcome: &str,
        keep: usize,
    ) {
        let counted = self.endpoints.entry(endpoint).or_default();
        add(&mut counted.outcomes, outcome);
        if let Some(grant_type) = grant_type {
            add(counted.grant_types.entry(grant_type.to_owned()).or_default(), outcome);
        }
        self.log.push_back(CallRecord {
            at_ms: now,
            endpoint,
            grant_type: grant_type.map(str::to_owned),
            outcome: outcome.to_owned(),
        });
        while self.log.len() > keep {
            self.log.pop_front();
        }
    }

    pub(crate) fn presented(&mut self, refresh_token: &Arc<str>) {
        *self.presentations.entry(Arc::clone(refresh_token)).or_default() += 1;
    }

    pub(crate) fn presentations(&self) -> HashMap<String, u32> {
        self.presentations.iter().map(|(token, times)| (token.to_string(), *times)).collect()
    }

    pub(crate) fn report(&self) -> Counters {
        Counters {
            endpoints: self.endpoints.clone(),
            refresh_tokens_presented: self.presentations.len(),
            most_presentations: self.presentations.values().copied().max().unwrap_or(0),
            log: self.log.iter().cloned().collect(),
        }
    }

    /// Forgets everything but what is under way.
    pub(crate) fn reset(&mut self) {
        self.presentations = HashMap::new();
        self.log.clear();
        for counted in self.endpoints.values_mut() {
            let in_flight = counted.in_flight;
            *counted =
                EndpointCounters { in_flight, max_in_flight: in_flight, ..EndpointCounters::default() };
        }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str) {
    // The name is copied only the first time that it appears.
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else {
        counts.insert(name.to_owned(), 1);
    }
}
