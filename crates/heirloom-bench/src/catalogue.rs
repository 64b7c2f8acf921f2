//! A catalogue of a family that never was: files with dates, cameras, places, people and captions,
//! in the proportions of a real one, stored as a scan stores them.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use heirloom_core::{
    Actor, ContentHash, FolderId, MediaKind,
    claim::{ClaimKind, Statement},
};
use heirloom_db::{
    Db, Location,
    archive::Archive,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::Measures,
    claim::NewClaim,
    family::Family,
    record::{FoundFile, ScanBatch},
};
use heirloom_testing::{
    postgres::{self, Durability, TestDatabase},
    process::Heirloom,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{chance::Chance, figures::Figures, options::Options, served::heirloom, words};

/// A data folder with a seeded catalogue. It is removed at the end, unless it was to be kept.
pub(crate) struct Catalogue {
    data: PathBuf,
    _folder: Option<TempDir>,
    database: Option<TestDatabase>,
}

/// Files per transaction, as a scan has them.
const BATCH: u64 = 256;
const FILES_PER_FOLDER: u64 = 400;

impl Catalogue {
    /// The catalogue that was kept, or a new one.
    pub(crate) async fn seeded(options: &Options) -> Self {
        let folder = options.data.is_none().then(|| options.folder());
        let data = match (&options.data, &folder) {
            (Some(kept), _) => kept.clone(),
            (None, Some(folder)) => folder.path().join("data"),
            (None, None) => unreachable!("one of both was made"),
        };
        std::fs::create_dir_all(&data).unwrap();
        let database = options
            .is_postgres
            .then(|| postgres::cluster_with(Durability::Durable).database());
        let catalogue = Self {
            data,
            _folder: folder,
            database,
        };
        let db = catalogue.open().await;
        let family = db.get_or_create_family("Family").await.unwrap();
        let page = db.list_assets(&Actor::Operator, family.id, None, 1).await;
        if page.unwrap().items.is_empty() {
            seed(&db, &family, options).await;
        }
        db.close().await;
        if let Some(database) = &catalogue.database {
            // What the server does by itself within a minute.
            let _ = database.sql("VACUUM ANALYZE");
        }
        catalogue
    }

    /// The catalogue, opened in this process.
    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.location()).await.unwrap()
    }

    fn location(&self) -> Location {
        match &self.database {
            Some(database) => Location::Url(database.url.clone()),
            None => Location::File(self.data.join("catalogue.db")),
        }
    }

    /// The program on this data folder.
    pub(crate) fn heirloom(&self) -> Heirloom {
        let heirloom = heirloom(&self.data);
        match &self.database {
            Some(database) => heirloom.env("HEIRLOOM_DATABASE", &database.url),
            None => heirloom,
        }
    }
}

async fn seed(db: &Db, family: &Family, options: &Options) {
    let mut archives = Vec::new();
    for number in 0..options.audiences {
        // The first audience, everybody, holds most of what there is.
        let audience_id = if number == 0 {
            family.audience_id
        } else {
            let name = format!("audience {number}");
            db.create_audience(&Actor::Operator, family.id, &name)
                .await
                .unwrap()
        };
        let family = Family {
            audience_id,
            ..family.clone()
        };
        let name = format!("archive {number}");
        let root = format!("/archive{number}");
        archives.push(
            db.create_archive(&Actor::Operator, &family, &name, &root)
                .await
                .unwrap(),
        );
    }
    let run = db
        .begin_run(
            &Actor::Operator,
            family.id,
            "scan",
            Some(archives[0].id),
            &json!({}),
        )
        .await
        .unwrap();
    let mut seeding = Seeding::default();
    let started = Instant::now();
    let mut tenths: Vec<Duration> = Vec::new();
    let mut stored = 0;
    while stored < options.assets {
        let count = BATCH.min(options.assets - stored);
        let archive = &archives[seeding.archive(stored, archives.len())];
        let files = seeding.files(db, archive, stored, count).await;
        let before = Instant::now();
        let batch = ScanBatch {
            files,
            ..ScanBatch::default()
        };
        db.record_batch(archive, run.id, 0, &batch).await.unwrap();
        seeding.storing += before.elapsed();
        stored += count;
        if stored * 10 / options.assets > tenths.len() as u64 {
            tenths.push(std::mem::take(&mut seeding.storing));
            eprint!(
                "\rseeded {stored} in {:.0} s ",
                started.elapsed().as_secs_f64()
            );
        }
    }
    eprintln!();
    report(options.assets, started.elapsed(), &tenths);
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn report(assets: u64, all: Duration, tenths: &[Duration]) {
    let figures = Figures::of(&format!("storing {assets} assets as a scan does"));
    let rate = |tenth: &Duration| assets as f64 / 10.0 / tenth.as_secs_f64();
    let (first, last) = (rate(&tenths[0]), rate(&tenths[tenths.len() - 1]));
    figures.plain("all of it", &format!("{:.0} s", all.as_secs_f64()));
    figures.plain("files in a second, first tenth", &format!("{first:.0}"));
    figures.plain("files in a second, last tenth", &format!("{last:.0}"));
    figures.at_most("a file, last tenth to first", first / last, 1.2, "");
}

#[derive(Default)]
struct Seeding {
    folder: Option<(FolderId, String, u64)>,
    storing: Duration,
}

impl Seeding {
    /// In which archive a batch is: six in ten in the first, the rest spread.
    fn archive(&self, at: u64, archives: usize) -> usize {
        let mut chance = Chance::new(at ^ 0x00a5_c417);
        if archives == 1 || chance.percent(60) {
            return 0;
        }
        1 + usize::try_from(chance.below(archives as u64 - 1)).unwrap_or(0)
    }

    async fn files(&mut self, db: &Db, archive: &Archive, from: u64, count: u64) -> Vec<FoundFile> {
        let mut files = Vec::new();
        for number in from..from + count {
            let event = number / FILES_PER_FOLDER;
            if self.folder.as_ref().is_none_or(|folder| folder.2 != event)
                || (number == from && archive.name != "archive 0")
            {
                let path = folder_path(event);
                let folder = db
                    .get_or_create_folder(archive.id, None, &path)
                    .await
                    .unwrap();
                self.folder = Some((folder.id, path, event));
            }
            if let Some((id, path, _)) = &self.folder {
                files.push(file(number, *id, path));
            }
        }
        if archive.name != "archive 0" {
            self.folder = None;
        }
        files
    }
}

/// Where an event's files are: `1998/05 San Dako`.
fn folder_path(event: u64) -> String {
    let mut chance = Chance::new(event ^ 0x0f01_de55);
    let place = words::place(chance.rank(words::PLACES));
    format!("{}/{:02} {place}", year(event), 1 + chance.below(12))
}

/// The year of an event: more and more the nearer they are, and not in order, as hard disks are.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 75"
)]
fn year(event: u64) -> u64 {
    let ago = Chance::new(event ^ 0x7ea2).fraction().powi(2) * 75.0;
    2025 - ago as u64
}

fn file(number: u64, folder: FolderId, folder_path: &str) -> FoundFile {
    let mut chance = Chance::new(number);
    let (kind, media_type, end) = match chance.below(100) {
        0..88 => (MediaKind::Image, "image/jpeg", "jpg"),
        88..97 => (MediaKind::Video, "video/mp4", "mp4"),
        97..99 => (MediaKind::Audio, "audio/mpeg", "mp3"),
        _ => (MediaKind::Document, "application/pdf", "pdf"),
    };
    let content_hash = ContentHash::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
    let number_i = i64::try_from(number).unwrap_or(0);
    FoundFile {
        folder_id: folder,
        folder_path: folder_path.to_owned(),
        name: format!("IMG_{:04}_{number}.{end}", number % 10_000),
        size_bytes: 3_000_000 + number_i,
        modified_at_ns: 1_600_000_000_000_000_000 + number_i,
        changed_at_ns: 1_600_000_000_000_000_000 + number_i,
        content_hash,
        measures: Measures {
            kind,
            media_type,
            width: Some(4032),
            height: Some(3024),
            duration_ms: None,
        },
        derived: vec![Derived {
            artifact: NewArtifact {
                kind: "metadata",
                part: Part::Whole,
                tool: "metadata",
                tool_version: 1,
                model: String::new(),
                parameters: serde_json::Value::Null,
                is_deterministic: true,
                inputs: vec![content_hash],
                payload: Payload::Json(json!({
                    "container": end, "properties": { "exposure": "1/125", "aperture": 2.8,
                    "iso": 200, "focal_length": 26, "software": "14.4.2" },
                })),
            },
            claims: claims(number, folder_path, &mut chance),
        }],
        previous: None,
    }
}

fn claims(number: u64, folder_path: &str, chance: &mut Chance) -> Vec<NewClaim> {
    let mut claims = Vec::new();
    let mut say = |kind, value: Value| {
        claims.push(NewClaim {
            statement: Statement::from_json(kind, &value).expect("a value that fits"),
            is_negation: false,
            source: "exif".to_owned(),
            confidence: 0.9,
        });
    };
    let year = folder_path[..4].to_owned();
    match chance.below(100) {
        0..3 => {}
        3..6 => say(ClaimKind::Date, json!(year)),
        6..8 => say(ClaimKind::Date, json!(format!("{}X", &year[..3]))),
        _ => {
            // An event takes three days; one file in twenty lies in the wrong folder.
            let mut event = Chance::new((number / FILES_PER_FOLDER) ^ 0xda7e);
            let (mut month, mut day) = (1 + event.below(12), 1 + event.below(26) + chance.below(3));
            if chance.percent(5) {
                (month, day) = (1 + chance.below(12), 1 + chance.below(28));
            }
            let (hour, minute) = (chance.below(24), chance.below(60));
            let second = chance.below(60);
            say(
                ClaimKind::Date,
                json!(format!(
                    "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
                )),
            );
        }
    }
    if chance.percent(75) {
        let camera = chance.rank(60);
        say(
            ClaimKind::CameraMake,
            json!(words::place(camera / 6 * 4 + 2)),
        );
        say(ClaimKind::CameraModel, json!(format!("Model {camera}")));
    }
    if chance.percent(60) {
        let place = chance.rank(words::PLACES);
        say(ClaimKind::Place, json!(words::place(place)));
        // Each place somewhere on Earth; what is taken there lies within some kilometres of its middle.
        let mut middle = Chance::new(place as u64 ^ 0x0b5e_55ed);
        let mut near =
            |reach: f64| reach * (2.0 * middle.fraction() - 1.0) + 0.1 * chance.fraction();
        let (latitude, longitude) = (near(60.0), near(170.0));
        say(
            ClaimKind::Position,
            json!({ "latitude": latitude, "longitude": longitude }),
        );
    }
    if chance.percent(30) {
        say(
            ClaimKind::Person,
            json!(words::person(chance.rank(words::PERSONS))),
        );
    }
    for _ in 0..chance.below(3) {
        say(ClaimKind::Tag, json!(words::word(chance.rank(2_000))));
    }
    if chance.percent(70) {
        let length = 6 + chance.below(14);
        let caption = words::text(chance, length);
        say(ClaimKind::Caption, json!(caption));
    }
    if chance.percent(5) {
        let title = words::text(chance, 3);
        say(ClaimKind::Title, json!(title));
    }
    if number.is_multiple_of(50_000) {
        // Some words that stand in few documents.
        say(ClaimKind::Tag, json!(format!("unique{}", number / 50_000)));
    }
    claims
}
