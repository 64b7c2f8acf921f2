//! How long it takes to find what looks like a picture among all others.

use std::time::{Duration, Instant};

use heirloom_core::{
    Actor, AssetId, ContentHash, FolderId, MediaKind, imprint::Imprint, query::Query,
};
use heirloom_db::{
    Db, Location,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::Measures,
    family::Family,
    imprint::TAGS,
    record::{FoundFile, ScanBatch},
};
use heirloom_testing::postgres::{self, Durability};
use serde_json::json;

use crate::{
    chance::Chance,
    figures::{Figures, ms, percentile},
    options::Options,
};

const LIMIT: Duration = Duration::from_millis(1_000);
/// How many pictures there are, one library after the other, and how many motifs they are of.
const PICTURES: [u64; 2] = [10_000, 100_000];
const MOTIFS: u64 = 500;
const FEATURES: usize = 1_280;
const BATCH: usize = 250;
const ASKED: usize = 20;

pub(crate) async fn measure(options: &Options) {
    let columns = ["p50", "p95", "limit p95", "found at most"];
    let figures = Figures::titled("what looks like a picture, among all others", &columns);
    for pictures in PICTURES {
        let folder = options.folder();
        let database = options
            .is_postgres
            .then(|| postgres::cluster_with(Durability::Durable).database());
        let location = match &database {
            Some(database) => Location::Url(database.url.clone()),
            None => Location::File(folder.path().join("catalogue.db")),
        };
        let db = Db::open(&location).await.unwrap();
        let family = db.get_or_create_family("Family").await.unwrap();
        seed(&db, &family, pictures).await;
        if let Some(database) = &database {
            let _ = database.sql("VACUUM ANALYZE");
        }
        let page = db.list_assets(&Actor::Operator, family.id, None, ASKED);
        let assets: Vec<AssetId> = page.await.unwrap().items.iter().map(|it| it.id).collect();
        let (mut times, mut most) = (Vec::new(), 0);
        for asset in assets {
            let query: Query = format!("like:{asset}").parse().unwrap();
            let started = Instant::now();
            let found = db.search(&Actor::Operator, family.id, &query, None, 50);
            let found = found.await.unwrap();
            times.push(started.elapsed());
            most = most.max(found.items.len());
        }
        times.sort_unstable();
        let p95 = percentile(&times, 95);
        let cells = [
            &*ms(percentile(&times, 50)),
            &ms(p95),
            &ms(LIMIT),
            &most.to_string(),
        ];
        figures.row(&format!("like: among {pictures}"), &cells, p95 > LIMIT);
        db.close().await;
    }
}

async fn seed(db: &Db, family: &Family, pictures: u64) {
    let operator = &Actor::Operator;
    let archive = db.create_archive(operator, family, "pictures", "/pictures");
    let archive = archive.await.unwrap();
    let nothing = json!({});
    let scan = db.begin_run(operator, family.id, "scan", Some(archive.id), &nothing);
    let scan = scan.await.unwrap();
    let folder = db.get_or_create_folder(archive.id, None, "");
    let folder = folder.await.unwrap().id;
    for from in (0..pictures).step_by(BATCH) {
        let files = (from..from + BATCH as u64).map(|number| file(number, folder));
        let batch = ScanBatch {
            files: files.collect(),
            ..ScanBatch::default()
        };
        let recorded = db.record_batch(&archive, scan.id, 0, &batch);
        recorded.await.unwrap();
    }
}

fn file(number: u64, folder_id: FolderId) -> FoundFile {
    let content_hash = ContentHash::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
    let artifact = NewArtifact {
        kind: TAGS,
        part: Part::Whole,
        tool: TAGS,
        tool_version: 1,
        model: "lite2@1".to_owned(),
        parameters: serde_json::Value::Null,
        is_deterministic: false,
        inputs: vec![content_hash],
        payload: Payload::Json(json!({ "tags": [], "imprint": imprint(number) })),
    };
    FoundFile {
        folder_id,
        folder_path: String::new(),
        name: format!("{number}.jpg"),
        size_bytes: 3_000_000,
        modified_at_ns: 0,
        changed_at_ns: 0,
        content_hash,
        measures: Measures {
            kind: MediaKind::Image,
            media_type: "image/jpeg",
            width: Some(4_000),
            height: Some(3_000),
            duration_ms: None,
        },
        derived: vec![Derived {
            artifact,
            claims: Vec::new(),
        }],
        previous: None,
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
