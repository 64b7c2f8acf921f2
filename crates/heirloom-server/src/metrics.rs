//! Figures about the running server, in Prometheus' text format.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::problem::Problem;

/// What is counted. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    files: Family<Outcome, Counter>,
    scanned_bytes: Counter,
    scans_running: Gauge,
    resident_bytes: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Seconds: from what a cached row takes to what nobody waits for.
const BUCKETS_S: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let durations: Family<Route, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS_S));
        registry.register_with_unit(
            "http_request_duration",
            "Time until an answer began",
            Unit::Seconds,
            durations.clone(),
        );
        let files = Family::default();
        registry.register(
            "scan_files",
            "Files that scans met, by what became of them",
            files.clone(),
        );
        let scanned_bytes = Counter::default();
        registry.register_with_unit(
            "scan_read",
            "Bytes of originals that scans read",
            Unit::Bytes,
            scanned_bytes.clone(),
        );
        let scans_running = Gauge::default();
        registry.register("scans_running", "Scans under way", scans_running.clone());
        let resident_bytes = Gauge::default();
        registry.register_with_unit(
            "process_resident_memory",
            "Resident memory of this process",
            Unit::Bytes,
            resident_bytes.clone(),
        );
        Self {
            registry: Arc::new(registry),
            requests,
            durations,
            files,
            scanned_bytes,
            scans_running,
            resident_bytes,
        }
    }

    /// An answer to a request. `route` is the pattern, so that ids do not multiply the figures.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (method.to_owned(), route.to_owned());
        self.durations
            .get_or_create(&Route {
                method: method.clone(),
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&Request {
                method,
                route,
                status,
            })
            .inc();
    }

    /// A file that a scan met.
    pub(crate) fn met(&self, outcome: &'static str) {
        self.files.get_or_create(&Outcome { outcome }).inc();
    }

    /// Bytes that a scan read.
    pub(crate) fn read(&self, bytes: u64) {
        self.scanned_bytes.inc_by(bytes);
    }

    /// How many scans are under way now.
    pub(crate) fn scanning(&self, scans: usize) {
        self.scans_running
            .set(i64::try_from(scans).unwrap_or(i64::MAX));
    }

    /// All figures as they are now.
    pub(crate) fn render(&self) -> Result<String, Problem> {
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(bytes);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(Problem::internal)?;
        Ok(text)
    }
}

/// The resident memory of this process, where the system tells.
pub(crate) fn resident_bytes() -> Option<i64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * i64::try_from(rustix::param::page_size()).ok()?)
}
