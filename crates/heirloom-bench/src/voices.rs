//! How long it takes to find a voice in all other recordings of a library.

use std::time::{Duration, Instant};

use heirloom_core::{
    Actor, AssetId, ContentHash, FolderId, MediaKind, run::RunEvent, transcript::Voiceprint,
};
use heirloom_db::{
    Db, Location,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::Measures,
    family::Family,
    plan::{Aim, Parameters, Wanted},
    record::{FoundFile, ScanBatch},
    text::Text,
    unit::{Ended, Lease, Outcome},
    voice::Voice,
    workpiece::Workpiece,
};
use heirloom_testing::postgres::{self, Durability};
use serde_json::json;

use crate::{
    chance::Chance,
    figures::{Figures, ms, percentile},
    options::Options,
};

const LIMIT: Duration = Duration::from_millis(500);
/// How many recordings, how many voices are in each, and how many people they are of.
const RECORDINGS: u64 = 10_000;
const VOICES: u32 = 2;
const PEOPLE: u64 = 200;
const BATCH: usize = 250;
const STEP: &str = "transcript";
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

async fn seed(db: &Db, family: &Family) {
    let operator = &Actor::Operator;
    let archive = db.create_archive(operator, family, "tapes", "/tapes");
    let archive = archive.await.unwrap();
    let nothing = json!({});
    let scan = db.begin_run(operator, family.id, "scan", Some(archive.id), &nothing);
    let scan = scan.await.unwrap();
    let folder = db.get_or_create_folder(archive.id, None, "");
    let folder = folder.await.unwrap().id;
    for from in (0..RECORDINGS).step_by(BATCH) {
        let files = (from..from + BATCH as u64).map(|number| file(number, folder));
        let batch = ScanBatch {
            files: files.collect(),
            ..ScanBatch::default()
        };
        let recorded = db.record_batch(&archive, scan.id, 0, &batch);
        recorded.await.unwrap();
    }
    let everything = Parameters::default();
    let run = db.create_deriving_run(operator, family.id, "understand", &everything, &[STEP]);
    let run = run.await.unwrap().id;
    let begun = db.advance_run(operator, run, RunEvent::Start, None);
    begun.await.unwrap();
    let wanted = |_: &Workpiece, _: &Parameters| {
        vec![Wanted {
            step: STEP,
            tool: (STEP, 2),
            model: String::new(),
            key: None,
        }]
    };
    for _ in 0..=RECORDINGS / BATCH as u64 {
        let planned = db.plan_run(run, BATCH, Aim::Complete, wanted);
        planned.await.unwrap();
        let ready = db.list_ready_units(run, STEP, BATCH).await.unwrap();
        let leases = db.lease_units(&ready, 60_000).await.unwrap();
        let ended: Vec<Ended> = leases.into_iter().map(heard).collect();
        if !ended.is_empty() {
            assert_eq!(db.end_units(run, &ended).await.unwrap(), []);
        }
    }
}

fn file(number: u64, folder_id: FolderId) -> FoundFile {
    FoundFile {
        folder_id,
        folder_path: String::new(),
        name: format!("{number}.wav"),
        size_bytes: 3_000_000,
        modified_at_ns: 0,
        changed_at_ns: 0,
        content_hash: hash_of(&number.to_le_bytes()),
        measures: Measures {
            kind: MediaKind::Audio,
            media_type: "audio/x-wav",
            width: None,
            height: None,
            duration_ms: Some(400_000),
        },
        derived: Vec::new(),
        previous: None,
    }
}

/// A conversation of two with a hundred passages.
fn heard(lease: Lease) -> Ended {
    let asset = hash_of(lease.asset.as_bytes());
    let mut seed = [0; 8];
    seed.copy_from_slice(&asset.as_bytes()[..8]);
    let mut chance = Chance::new(u64::from_le_bytes(seed));
    let voice = |label| {
        let mut own = Chance::new(1_000_000 + chance.below(PEOPLE));
        // A third of the numbers is nothing, as with Resemblyzer's.
        let numbers = (0..256).map(|_| match own.percent(33) {
            true => 0,
            false => (own.below(200) + chance.below(20)) as u8,
        });
        let numbers = numbers.collect();
        let passages = (0..50).map(|at| (at * 8_000, at * 8_000 + 3_000));
        Voice {
            label,
            voiceprint: Voiceprint {
                model: "resemblyzer@1".to_owned(),
                numbers,
            },
            spoken_ms: 150_000,
            passages: passages.collect(),
        }
    };
    let text = Text {
        words: "So it was. ".repeat(300),
        times: (0..900).map(|at| (at * 400, at * 400 + 300)).collect(),
        voices: (0..VOICES).map(voice).collect(),
        ..Text::default()
    };
    let artifact = NewArtifact {
        kind: STEP,
        part: Part::Whole,
        tool: STEP,
        tool_version: 2,
        model: "whisper".to_owned(),
        parameters: serde_json::Value::Null,
        is_deterministic: false,
        inputs: vec![asset],
        payload: Payload::Text {
            json: Some(json!({})),
            blob: None,
            text,
        },
    };
    let claims = Vec::new();
    Ended {
        lease,
        outcome: Outcome::Done(vec![Derived { artifact, claims }]),
        has_crashed: false,
        duration_ms: 1,
        log: None,
        measures: None,
    }
}

fn hash_of(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(*blake3::hash(bytes).as_bytes())
}
