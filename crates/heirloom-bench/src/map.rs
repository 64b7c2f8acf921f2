//! How long a view of the map and a list of places take over HTTP, and how large a view is.

use std::time::{Duration, Instant};

use crate::{
    catalogue::Catalogue,
    chance::Chance,
    figures::{Figures, ms, percentile},
    options::Options,
    served::Served,
};

/// How long 95 of 100 answers may take over HTTP, and how large a view may be.
const LIMIT: Duration = Duration::from_millis(50);
const LIMIT_KB: f64 = 100.0;
/// How many views of each zoom are asked for.
const VIEWS: u64 = 60;
/// What a window shows, in pixels; the world is 512 wide at zoom 0.
const WINDOW: (f64, f64) = (1600.0, 900.0);
const WORLD: f64 = 512.0;

pub(crate) async fn measure(options: &Options) {
    let catalogue = Catalogue::seeded(options).await;
    let mut served = Served::start(&catalogue.heirloom()).await;
    let title = format!("the map over HTTP, {} assets", options.assets);
    let columns = ["p50", "p95", "limit p95", "largest", "limit", "clusters"];
    let figures = Figures::titled(&title, &columns);
    for zoom in [0, 2, 4, 6, 8, 10, 12, 13] {
        let mut chance = Chance::new(zoom);
        let paths: Vec<String> = (0..VIEWS).map(|_| view(&mut chance, zoom)).collect();
        row(
            &figures,
            &format!("view at zoom {zoom}"),
            &mut served,
            &paths,
        )
        .await;
    }
    let lists = [
        "/api/v1/places",
        "/api/v1/places?country=none&region=&limit=200",
    ];
    for path in lists {
        let paths = vec![path.to_owned(); 20];
        row(
            &figures,
            path.trim_start_matches("/api/v1/"),
            &mut served,
            &paths,
        )
        .await;
    }
    let world = served.json("/api/v1/map?box=-180,-85,180,85&zoom=0").await;
    let clusters = world["clusters"].as_array().unwrap().iter();
    let largest = clusters
        .max_by_key(|cluster| cluster["assets"].as_u64())
        .unwrap();
    let cell = largest["cell"].as_str().unwrap();
    let paths = vec![format!("/api/v1/places/assets?cell={cell}"); 20];
    let name = format!("what is in one cell: {}", largest["assets"]);
    row(&figures, &name, &mut served, &paths).await;
}

/// A window somewhere where people live.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn view(chance: &mut Chance, zoom: u64) -> String {
    let degrees = 360.0 / (WORLD * (1_u64 << zoom) as f64);
    let (wide, high) = (WINDOW.0 * degrees, WINDOW.1 * degrees * 0.6);
    let (west, south) = (
        360.0 * chance.fraction() - 180.0,
        120.0 * chance.fraction() - 60.0,
    );
    if wide >= 360.0 {
        return format!("/api/v1/map?box=-180,-85,180,85&zoom={zoom}");
    }
    let east = match west + wide {
        east if east > 180.0 => east - 360.0,
        east => east,
    };
    let north = (south + high).min(85.0);
    format!("/api/v1/map?box={west:.5},{south:.5},{east:.5},{north:.5}&zoom={zoom}")
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
async fn row(figures: &Figures, name: &str, served: &mut Served, paths: &[String]) {
    let mut times = Vec::new();
    let (mut largest, mut clusters) = (0, 0);
    for path in paths {
        let started = Instant::now();
        let answer = served.get(path).await;
        times.push(started.elapsed());
        largest = largest.max(answer.len());
        let found: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        clusters = clusters.max(found["clusters"].as_array().map_or(0, Vec::len));
    }
    times.sort_unstable();
    let p95 = percentile(&times, 95);
    let largest_kb = largest as f64 / 1e3;
    let cells = [
        &*ms(percentile(&times, 50)),
        &ms(p95),
        &ms(LIMIT),
        &format!("{largest_kb:.1} kB"),
        &format!("{LIMIT_KB} kB"),
        &clusters.to_string(),
    ];
    figures.row(name, &cells, p95 > LIMIT || largest_kb > LIMIT_KB);
}
