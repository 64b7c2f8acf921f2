//! How long a page of what is found takes, by kind of query.

use std::time::{Duration, Instant};

use heirloom_core::{Actor, query::Query};

use crate::{
    catalogue::Catalogue,
    chance::Chance,
    figures::{Figures, ms, percentile, processor_time},
    options::Options,
    words::{PERSONS, PLACES, WORDS, person, place, word},
};

/// What a person who types should wait at most, in milliseconds; over HTTP the limit is 50.
const LIMIT: Duration = Duration::from_millis(40);
const PAGE: usize = 50;
/// How many queries of a class are asked, each with its second page.
const QUERIES: u64 = 60;

type Class = (&'static str, fn(&mut Chance) -> String);

const CLASSES: [Class; 26] = [
    ("no terms", |_| String::new()),
    ("very common word", |c| pick(c, 0..5)),
    ("common word", |c| pick(c, 5..100)),
    ("word", |c| pick(c, 100..5_000)),
    ("rare word", |c| pick(c, 5_000..WORDS)),
    ("word that is nowhere", |c| {
        format!("nowhere{}", c.below(1_000))
    }),
    ("prefix of 1 letter", |c| prefix(c, 1)),
    ("prefix of 2 letters", |c| prefix(c, 2)),
    ("prefix of 3 letters", |c| prefix(c, 3)),
    ("prefix of 4 letters", |c| prefix(c, 4)),
    ("prefix of the commonest", |c| {
        ["phot*", "photo*", "famil*", "summe*", "wit*"][c.below(5) as usize].to_owned()
    }),
    ("phrase of common words", |c| {
        format!("\"{} {}\"", pick(c, 0..20), pick(c, 0..20))
    }),
    ("phrase", |c| {
        format!("\"{} {}\"", pick(c, 0..50), pick(c, 50..2_000))
    }),
    ("2 common words", |c| {
        format!("{} {}", pick(c, 0..20), pick(c, 0..20))
    }),
    ("4 words", |c| {
        format!(
            "{} {} {} {}",
            pick(c, 0..9),
            pick(c, 0..30),
            pick(c, 9..90),
            pick(c, 9..900)
        )
    }),
    ("common and rare word", |c| {
        format!("{} {}", pick(c, 0..10), pick(c, 5_000..WORDS))
    }),
    ("common without common", |c| {
        format!("{} -{}", pick(c, 0..10), pick(c, 0..10))
    }),
    ("without the most common", |c| {
        format!("-photo -the -{}", pick(c, 2..9))
    }),
    ("person, place, tag", |c| match c.below(3) {
        0 => format!("person:\"{}\"", person(c.rank(PERSONS))),
        1 => format!("place:\"{}\"", place(c.rank(PLACES))),
        _ => format!("tag:{}", word(c.rank(2_000))),
    }),
    ("prefix in a field", |c| {
        let field = ["person", "place", "tag"][c.below(3) as usize];
        format!("{field}:{}", prefix(c, 1))
    }),
    ("type", |c| {
        ["type:image", "type:video", "type:document"][c.below(3) as usize].to_owned()
    }),
    ("year", |c| format!("date:{}", 1950 + c.below(76))),
    ("month", |c| {
        format!("date:{}-{:02}", 1950 + c.below(76), 1 + c.below(12))
    }),
    ("day", |c| {
        format!(
            "date:{}-{:02}-{:02}",
            1950 + c.below(76),
            1 + c.below(12),
            1 + c.below(28)
        )
    }),
    ("word in years", |c| {
        let from = 1950 + c.below(60);
        format!("{} date:{from}..{}", pick(c, 0..3_000), from + c.below(12))
    }),
    ("everything at once", |c| {
        let from = 1980 + c.below(30);
        format!(
            "{} type:image,video date:{from}..{} place:\"{}\" -{}",
            pick(c, 0..40),
            from + 15,
            place(c.rank(60)),
            pick(c, 0..20),
        )
    }),
];

fn pick(chance: &mut Chance, ranks: std::ops::Range<usize>) -> String {
    let count = (ranks.end - ranks.start) as u64;
    word(ranks.start + usize::try_from(chance.below(count)).unwrap_or(0))
}

fn prefix(chance: &mut Chance, letters: usize) -> String {
    let word = word(chance.rank(3_000));
    format!("{}*", word.get(..letters).unwrap_or(&word))
}

pub(crate) async fn measure(options: &Options) {
    let catalogue = Catalogue::seeded(options).await;
    let title = format!(
        "first and second page of {PAGE}, {QUERIES} queries a class, on {:?}",
        catalogue.db.engine()
    );
    let figures = Figures::titled(
        &title,
        &["p50", "p95", "max", "limit p95", "processor", "found"],
    );
    let mut all = Vec::new();
    for (name, make) in CLASSES {
        if !name.contains(&options.only) {
            continue;
        }
        let mut chance = Chance::new(name.len() as u64);
        let queries: Vec<String> = (0..QUERIES).map(|_| make(&mut chance)).collect();
        let before = processor_time();
        let (times, found, slowest) = ask(&catalogue, &queries).await;
        let used = (processor_time() - before) / u32::try_from(times.len()).unwrap_or(1);
        let (p50, p95) = (percentile(&times, 50), percentile(&times, 95));
        let max = times[times.len() - 1];
        let cells = [
            ms(p50),
            ms(p95),
            ms(max),
            ms(LIMIT),
            ms(used),
            found.to_string(),
        ];
        figures.row(name, &cells, p95 > LIMIT);
        if max > LIMIT {
            println!("    slowest: {slowest}");
        }
        all.extend(times);
    }
    all.sort_unstable();
    assert!(!all.is_empty(), "no class of queries is called so");
    let (p50, p95) = (percentile(&all, 50), percentile(&all, 95));
    let cells = [
        ms(p50),
        ms(p95),
        ms(all[all.len() - 1]),
        ms(LIMIT),
        String::new(),
        String::new(),
    ];
    figures.row("all", &cells, p95 > LIMIT);
    catalogue.db.close().await;
}

/// Times in order, how many were found, and the query that took the longest.
async fn ask(catalogue: &Catalogue, queries: &[String]) -> (Vec<Duration>, usize, String) {
    let mut times = Vec::new();
    let mut found = 0;
    let mut slowest = (Duration::ZERO, String::new());
    for text in queries {
        let query: Query = text.parse().expect("a query");
        let mut after = None;
        for _page in 0..2 {
            let started = Instant::now();
            let page = catalogue
                .db
                .search(&Actor::Operator, catalogue.family.id, &query, after, PAGE)
                .await
                .expect("the query is answered");
            times.push(started.elapsed());
            if started.elapsed() > slowest.0 {
                slowest = (started.elapsed(), text.clone());
            }
            found += page.items.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    times.sort_unstable();
    (times, found, slowest.1)
}
