//! How long it takes to find what looks like a picture among all others.

use std::time::{Duration, Instant};

use heirloom_core::{Actor, imprint::Imprint, query::Query};
use heirloom_db::{artifact::Payload, imprint::TAGS};
use serde_json::json;

use crate::{
    chance::Chance,
    figures::Figures,
    library::{Finding, Library, PHOTOGRAPH, Times},
    options::Options,
};

const LIMIT: Duration = Duration::from_millis(1_000);
/// How many pictures there are, one library after the other, and how many motifs they are of.
const PICTURES: [u64; 2] = [10_000, 100_000];
const MOTIFS: u64 = 500;
const FEATURES: usize = 1_280;
const ASKED: usize = 20;

pub(crate) async fn measure(options: &Options) {
    let title = "what looks like a picture, among all others";
    let figures = Figures::titled(title, &Times::COLUMNS);
    for pictures in PICTURES {
        let library = Library::of(options, pictures, PHOTOGRAPH, look).await;
        let (db, family) = (&library.db, library.family.id);
        let (mut times, mut most) = (Times::default(), 0);
        for asset in library.some(ASKED).await {
            let query: Query = format!("like:{asset}").parse().unwrap();
            let started = Instant::now();
            let found = db.search(&Actor::Operator, family, &query, None, 50);
            let found = found.await.unwrap();
            times.add(started);
            most = most.max(found.items.len());
        }
        times.row(&figures, &format!("like: among {pictures}"), LIMIT, most);
        db.close().await;
    }
}

fn look(number: u64) -> Finding {
    let payload = json!({ "tags": [], "imprint": imprint(number) });
    Finding {
        kind: TAGS,
        payload: Payload::Json(payload),
    }
}

/// One of a few hundred motifs, and something of its own. Most numbers are small, as those of networks are.
fn imprint(number: u64) -> Imprint {
    let mut chance = Chance::new(number);
    let mut motif = Chance::new(1_000_000 + chance.below(MOTIFS));
    let numbers = (0..FEATURES).map(|_| {
        let is_strong = motif.percent(10);
        let own = chance.below(60) as u8;
        if is_strong { 150 + own } else { own / 2 }
    });
    Imprint {
        model: "lite2@1".to_owned(),
        numbers: numbers.collect(),
    }
}
