//! How long it takes to find a voice in all other recordings of a library.

use std::time::{Duration, Instant};

use heirloom_core::{Actor, AssetId, ContentHash, MediaKind, transcript::Voiceprint};
use heirloom_db::{
    Db, Location,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::Measures,
    record::{FoundFile, ScanBatch},
    text::Text,
    voice::Voice,
};
use heirloom_testing::postgres::{self, Durability};
use serde_json::json;

use crate::{
    chance::Chance,
    figures::{Figures, ms, percentile},
    options::Options,
};

const LIMIT: Duration = Duration::from_millis(200);
/// How many recordings, how many voices are in each, and how many people they are of.
const RECORDINGS: u64 = 10_000;
const VOICES: u32 = 2;
const PEOPLE: u64 = 200;
const BATCH: u64 = 250;
const ASKED: usize = 50;

pub(crate) async fn measure(options: &Options) {
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
    seed(&db, &family).await;
    if let Some(database) = &database {
        let _ = database.sql("VACUUM ANALYZE");
    }
    let page = db
        .list_assets(&Actor::Operator, family.id, None, ASKED)
        .await;
    let assets: Vec<AssetId> = page.unwrap().items.iter().map(|asset| asset.id).collect();
    let (mut times, mut most) = (Vec::new(), 0);
    for asset in assets {
        let started = Instant::now();
        let known = db
            .list_voices(&Actor::Operator, family.id, asset)
            .await
            .unwrap();
        times.push(started.elapsed());
        most = known
            .iter()
            .map(|voice| voice.elsewhere.len())
            .fold(most, usize::max);
    }
    times.sort_unstable();
    let p95 = percentile(&times, 95);
    let title =
        format!("the voices of one of {RECORDINGS} recordings in all others, {VOICES} in each");
    let figures = Figures::titled(&title, &["p50", "p95", "limit p95", "found at most"]);
    let cells = [
        &*ms(percentile(&times, 50)),
        &ms(p95),
        &ms(LIMIT),
        &most.to_string(),
    ];
    figures.row("where else", &cells, p95 > LIMIT);
    db.close().await;
}

async fn seed(db: &Db, family: &heirloom_db::family::Family) {
    let archive = db
        .create_archive(&Actor::Operator, family, "tapes", "/tapes")
        .await
        .unwrap();
    let nothing = json!({});
    let begun = db.begin_run(
        &Actor::Operator,
        family.id,
        "scan",
        Some(archive.id),
        &nothing,
    );
    let run = begun.await.unwrap();
    let folder = db.get_or_create_folder(archive.id, None, "").await.unwrap();
    for from in (0..RECORDINGS).step_by(BATCH as usize) {
        let files = (from..from + BATCH).map(|number| recording(number, folder.id));
        let batch = ScanBatch {
            files: files.collect(),
            ..ScanBatch::default()
        };
        db.record_batch(&archive, run.id, 0, &batch).await.unwrap();
    }
}

/// A conversation of two with a hundred passages.
fn recording(number: u64, folder_id: heirloom_core::FolderId) -> FoundFile {
    let mut chance = Chance::new(number);
    let content_hash = ContentHash::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
    let voice = |label| {
        let person = chance.below(PEOPLE);
        let mut own = Chance::new(1_000_000 + person);
        // A third of the numbers is nothing, as with Resemblyzer's.
        let numbers = (0..256).map(|_| match own.percent(33) {
            true => 0,
            false => (own.below(200) + chance.below(20)) as u8,
        });
        let passages = (0..50).map(|at| (at * 8_000, at * 8_000 + 3_000));
        Voice {
            label,
            voiceprint: Voiceprint {
                model: "resemblyzer@1".to_owned(),
                numbers: numbers.collect(),
            },
            spoken_ms: 150_000,
            passages: passages.collect(),
        }
    };
    let text = Text {
        words: "So it was. ".repeat(300),
        times: (0..900).map(|at| (at * 400, at * 400 + 300)).collect(),
        voices: (0..VOICES).map(voice).collect(),
    };
    FoundFile {
        folder_id,
        folder_path: String::new(),
        name: format!("{number}.wav"),
        size_bytes: 3_000_000,
        modified_at_ns: 0,
        changed_at_ns: 0,
        content_hash,
        measures: Measures {
            kind: MediaKind::Audio,
            media_type: "audio/x-wav",
            width: None,
            height: None,
            duration_ms: Some(400_000),
        },
        derived: vec![Derived {
            artifact: NewArtifact {
                kind: "transcript",
                part: Part::Whole,
                tool: "transcript",
                tool_version: 2,
                model: "whisper".to_owned(),
                parameters: serde_json::Value::Null,
                is_deterministic: false,
                inputs: vec![content_hash],
                payload: Payload::Text {
                    json: Some(json!({})),
                    blob: None,
                    text,
                },
            },
            claims: Vec::new(),
        }],
        previous: None,
    }
}
