//! A library without files: what was derived of each is made up, and stored as a scan stores it.

use std::time::{Duration, Instant};

use heirloom_core::{Actor, AssetId, ContentHash, FolderId, MediaKind, RunId};
use heirloom_db::{
    Db, Location,
    archive::Archive,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::Measures,
    family::Family,
    record::{FoundFile, ScanBatch},
};
use heirloom_testing::postgres::{self, Durability, TestDatabase};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::{
    figures::{Figures, ms, percentile},
    options::Options,
};

/// A library of files that are alike but for what was derived of them.
pub(crate) struct Library {
    pub(crate) db: Db,
    pub(crate) family: Family,
    archive: Archive,
    scan: RunId,
    within: FolderId,
    count: u64,
    _folder: TempDir,
    database: Option<TestDatabase>,
}

/// What was derived of a file.
pub(crate) struct Finding {
    pub(crate) kind: &'static str,
    pub(crate) payload: Payload,
}

/// Files per transaction.
const BATCH: usize = 250;

impl Library {
    /// So many files, with what each is and what is found in it by its number.
    pub(crate) async fn of(
        options: &Options,
        files: u64,
        measures: Measures,
        find: impl Fn(u64) -> Finding,
    ) -> Self {
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
        let operator = &Actor::Operator;
        let archive = db.create_archive(operator, &family, "files", "/files");
        let archive = archive.await.unwrap();
        let nothing = json!({});
        let scan = db.begin_run(operator, family.id, "scan", Some(archive.id), &nothing);
        let scan = scan.await.unwrap().id;
        let within = db.get_or_create_folder(archive.id, None, "").await.unwrap();
        let mut library = Self {
            db,
            family,
            archive,
            scan,
            within: within.id,
            count: 0,
            _folder: folder,
            database,
        };
        library.add(files, measures, find).await;
        library
    }

    /// More of them, until there are so many.
    pub(crate) async fn add(
        &mut self,
        files: u64,
        measures: Measures,
        find: impl Fn(u64) -> Finding,
    ) {
        for from in (self.count..files).step_by(BATCH) {
            let found = (from..files.min(from + BATCH as u64)).map(|number| {
                let hash = *blake3::hash(&number.to_le_bytes()).as_bytes();
                let content_hash = ContentHash::from_bytes(hash);
                FoundFile {
                    folder_id: self.within,
                    folder_path: String::new(),
                    name: number.to_string(),
                    size_bytes: 3_000_000,
                    modified_at_ns: 0,
                    changed_at_ns: 0,
                    content_hash,
                    measures,
                    derived: vec![find(number).derived_of(content_hash)],
                    previous: None,
                }
            });
            let batch = ScanBatch {
                files: found.collect(),
                ..ScanBatch::default()
            };
            let recorded = self.db.record_batch(&self.archive, self.scan, 0, &batch);
            recorded.await.unwrap();
        }
        self.count = files;
        if let Some(database) = &self.database {
            // What the server does by itself within a minute.
            let _ = database.sql("VACUUM ANALYZE");
        }
    }

    /// Some of its assets.
    pub(crate) async fn some(&self, count: usize) -> Vec<AssetId> {
        let operator = &Actor::Operator;
        let page = self.db.list_assets(operator, self.family.id, None, count);
        page.await.unwrap().items.iter().map(|it| it.id).collect()
    }
}

impl Finding {
    fn derived_of(self, input: ContentHash) -> Derived {
        Derived {
            artifact: NewArtifact {
                kind: self.kind,
                part: Part::Whole,
                tool: self.kind,
                tool_version: 1,
                model: "made up".to_owned(),
                parameters: Json::Null,
                is_deterministic: false,
                inputs: vec![input],
                payload: self.payload,
            },
            claims: Vec::new(),
        }
    }
}

/// What a photograph is.
pub(crate) const PHOTOGRAPH: Measures = Measures {
    kind: MediaKind::Image,
    media_type: "image/jpeg",
    width: Some(4_000),
    height: Some(3_000),
    duration_ms: None,
};

/// How long something took, time after time.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// The columns of [`Self::row`].
    pub(crate) const COLUMNS: [&'static str; 4] = ["p50", "p95", "limit p95", "found at most"];

    pub(crate) fn add(&mut self, started: Instant) {
        self.0.push(started.elapsed());
    }

    pub(crate) fn row(mut self, figures: &Figures, name: &str, limit: Duration, most: usize) {
        self.0.sort_unstable();
        let (p50, p95) = (percentile(&self.0, 50), percentile(&self.0, 95));
        let cells = [&*ms(p50), &ms(p95), &ms(limit), &most.to_string()];
        figures.row(name, &cells, p95 > limit);
    }
}
