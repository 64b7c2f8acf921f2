//! How long a page of what is found takes over HTTP, by kind of query.

use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{
    catalogue::Catalogue,
    chance::Chance,
    figures::{Figures, ms, percentile, resident_mb},
    options::Options,
    served::Served,
    words::{PERSONS, PLACES, WORDS, person, place, word},
};

/// How long 95 of 100 pages may take over HTTP.
const LIMIT: Duration = Duration::from_millis(50);
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

/// What is typed when suggestions are asked for.
const TYPED: [Class; 5] = [
    ("suggestions: all of a field", |c| field(c).to_owned()),
    ("suggestions: 1 letter of a value", |c| {
        format!("{}{}", field(c), typed(c, 1))
    }),
    ("suggestions: 3 letters of a value", |c| {
        format!("{}{}", field(c), typed(c, 3))
    }),
    ("suggestions: 1 letter", |c| typed(c, 1)),
    ("suggestions: 3 letters", |c| typed(c, 3)),
];

fn field(chance: &mut Chance) -> &'static str {
    ["person:", "place:", "camera:", "tag:", "archive:", "date:"][chance.below(6) as usize]
}

fn typed(chance: &mut Chance, letters: usize) -> String {
    prefix(chance, letters).replace('*', "")
}

pub(crate) async fn measure(options: &Options) {
    let catalogue = Catalogue::seeded(options).await;
    let mut served = Served::start(&catalogue.heirloom()).await;
    let engine = if options.is_postgres {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let title = format!(
        "first and second page of {PAGE} over HTTP, {QUERIES} queries a class, {} assets on {engine}",
        options.assets
    );
    let columns = ["p50", "p95", "max", "limit p95", "processor", "found"];
    let figures = Figures::titled(&title, &columns);
    // The searches; suggestions are another thing.
    let (mut all, mut is_known) = (Vec::new(), false);
    let searches = CLASSES.map(|class| (class, format!("search?limit={PAGE}")));
    let suggestions = TYPED.map(|class| (class, "search/suggestions?limit=8".to_owned()));
    for ((name, make), address) in searches.into_iter().chain(suggestions) {
        if !name.contains(&options.only) {
            continue;
        }
        is_known = true;
        let mut chance = Chance::new(name.len() as u64);
        let queries: Vec<String> = (0..QUERIES).map(|_| make(&mut chance)).collect();
        let before = served.processor_time();
        let asked = ask(&mut served, &address, &queries).await;
        let used = (served.processor_time() - before) / u32::try_from(asked.times.len()).unwrap();
        row(
            &figures,
            name,
            &asked.times,
            &ms(used),
            &asked.found.to_string(),
        );
        if asked.times[asked.times.len() - 1] > LIMIT {
            println!("    slowest: {}", asked.slowest);
        }
        if address.starts_with("search?") {
            all.extend(asked.times);
        }
    }
    assert!(is_known, "no class of queries is called so");
    if !all.is_empty() {
        all.sort_unstable();
        row(&figures, "all", &all, "", "");
    }
    let resident = resident_mb(served.running.id(), "VmHWM");
    println!("\nthe most memory that the server had resident: {resident:.0} MB");
}

fn row(figures: &Figures, name: &str, times: &[Duration], processor: &str, found: &str) {
    let p95 = percentile(times, 95);
    let cells = [
        &*ms(percentile(times, 50)),
        &ms(p95),
        &ms(times[times.len() - 1]),
        &ms(LIMIT),
        processor,
        found,
    ];
    figures.row(name, &cells, p95 > LIMIT);
}

struct Asked {
    /// In order, the shortest first.
    times: Vec<Duration>,
    found: usize,
    slowest: String,
}

async fn ask(served: &mut Served, address: &str, queries: &[String]) -> Asked {
    let mut asked = Asked {
        times: Vec::new(),
        found: 0,
        slowest: String::new(),
    };
    let mut longest = Duration::ZERO;
    for text in queries {
        let query = utf8_percent_encode(text, NON_ALPHANUMERIC);
        let mut path = format!("/api/v1/{address}&q={query}");
        for _page in 0..2 {
            let started = Instant::now();
            let answer = served.get(&path).await;
            let time = started.elapsed();
            asked.times.push(time);
            if time > longest {
                longest = time;
                asked.slowest.clone_from(text);
            }
            let page: Value = serde_json::from_slice(&answer).unwrap();
            asked.found += page["items"].as_array().unwrap().len();
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("/api/v1/{address}&q={query}&after={next}");
        }
    }
    asked.times.sort_unstable();
    asked
}
