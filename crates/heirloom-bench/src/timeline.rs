//! The timeline over HTTP: how much there is of each time, any part of it, and single assets.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    catalogue::Catalogue,
    chance::Chance,
    figures::{Figures, ms, percentile},
    options::Options,
    served::Served,
    words::{PLACES, place},
};

/// How often each kind of question is asked.
const TIMES: usize = 200;
/// How many assets a page fetches at once.
const PART: u64 = 200;
const PART_LIMIT: Duration = Duration::from_millis(50);
/// A kind of question: its name, what it may take in the middle and 95 of 100 times, and how it is asked.
type Question<'a> = (
    &'a str,
    [Option<Duration>; 2],
    Box<dyn FnMut() -> String + 'a>,
);
/// What the buckets may take: in the middle, and 95 of 100.
const BUCKETS_LIMITS: [Duration; 2] = [Duration::from_millis(3), Duration::from_millis(20)];

pub(crate) async fn measure(options: &Options) {
    let catalogue = Catalogue::seeded(options).await;
    let mut served = Served::start(&catalogue.heirloom()).await;
    let engine = match options.is_postgres {
        true => "PostgreSQL",
        false => "SQLite",
    };
    let title = format!(
        "the timeline of {} assets on {engine} over HTTP, {TIMES} questions of each kind",
        options.assets
    );
    let columns = ["p50", "p95", "max", "limit p50", "limit p95", "bytes"];
    let figures = Figures::titled(&title, &columns);
    let timeline = served.json("/api/v1/timeline").await;
    let buckets: Vec<(String, u64)> = timeline["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| {
            let name = bucket["bucket"].as_str().unwrap().replace('/', "%2F");
            (name, bucket["count"].as_u64().unwrap())
        })
        .collect();
    let all: u64 = buckets.iter().map(|(_, count)| count).sum();
    let page = served.json("/api/v1/assets?limit=200").await;
    let assets: Vec<String> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asset: &Value| asset["id"].as_str().unwrap().to_owned())
        .collect();

    let mut chance = Chance::new(4);
    let mut anywhere = move || {
        let mut at = chance.below(all);
        for (name, count) in &buckets {
            if at < *count {
                return (name.clone(), at);
            }
            at -= count;
        }
        unreachable!("it is below what all of them have together")
    };
    let mut chance = Chance::new(5);
    let mut asked = assets.into_iter().cycle();
    let limits = [None, Some(PART_LIMIT)];
    let mut questions: Vec<Question<'_>> = vec![
        (
            "all buckets",
            BUCKETS_LIMITS.map(Some),
            Box::new(|| "/api/v1/timeline".to_owned()),
        ),
        (
            "buckets of the pictures",
            BUCKETS_LIMITS.map(Some),
            Box::new(|| "/api/v1/timeline?q=type:image".to_owned()),
        ),
        (
            "buckets of a place",
            limits,
            Box::new(move || {
                let place = place(chance.rank(PLACES)).replace(' ', "%20");
                format!("/api/v1/timeline?q=place:%22{place}%22")
            }),
        ),
        (
            "200 assets anywhere",
            limits,
            Box::new(move || {
                let (bucket, offset) = anywhere();
                format!("/api/v1/timeline/{bucket}?offset={offset}&limit={PART}")
            }),
        ),
        (
            "an asset",
            limits,
            Box::new(move || format!("/api/v1/assets/{}", asked.next().unwrap())),
        ),
    ];
    for (name, limits, ask) in &mut questions {
        let mut took = Vec::with_capacity(TIMES);
        let mut bytes = 0;
        for _ in 0..TIMES {
            let path = ask();
            let started = Instant::now();
            bytes = served.get(&path).await.len().max(bytes);
            took.push(started.elapsed());
        }
        took.sort_unstable();
        let [p50, p95, most] = [50, 95, 100].map(|percent| percentile(&took, percent));
        let [limit_50, limit_95] = *limits;
        let is_missed =
            limit_50.is_some_and(|limit| p50 > limit) || limit_95.is_some_and(|limit| p95 > limit);
        let shown = limits.map(|limit| limit.map_or_else(String::new, ms));
        let cells = [ms(p50), ms(p95), ms(most)];
        let bytes = bytes.to_string();
        let cells: Vec<&str> = cells
            .iter()
            .chain(&shown)
            .chain([&bytes])
            .map(String::as_str)
            .collect();
        figures.row(name, &cells, is_missed);
    }
    drop(questions);
    assert_eq!(served.running.stop().code, Some(0));
}
