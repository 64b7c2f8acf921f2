//! An idle server, and how soon it answers.

use std::time::Duration;

use crate::{
    catalogue::Catalogue,
    figures::{Figures, percentile, resident_mb},
    options::Options,
    served::Served,
};

const IDLE_MB: f64 = 60.0;
const READY_MS: f64 = 200.0;
const STARTS: usize = 10;

pub(crate) async fn measure(options: &Options) {
    let catalogue = Catalogue::seeded(options).await;
    let figures = Figures::of(&format!("a server on {} assets", options.assets));
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let served = Served::start(&catalogue.heirloom()).await;
        starts.push(served.ready_after);
        assert_eq!(served.running.stop().code, Some(0));
    }
    starts.sort_unstable();
    for (name, percent) in [
        ("ready after, in the middle", 50),
        ("ready after, at most", 100),
    ] {
        let after_ms = percentile(&starts, percent).as_secs_f64() * 1e3;
        figures.at_most(name, after_ms, READY_MS, "ms");
    }
    let mut served = Served::start(&catalogue.heirloom()).await;
    served.get("/plain").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let resident = resident_mb(served.running.id(), "VmRSS");
    figures.at_most("resident, idle after a page", resident, IDLE_MB, "MB");
}
