//! A catalogue for each test on each engine, and short ways to fill it.

use std::{future::Future, path::PathBuf, sync::OnceLock};

use heirloom_core::{
    Actor, ArchiveId, AssetId, AudienceId, ContentHash, FamilyId, FolderId, MediaKind, RunId,
    audience::Sight,
    claim::{Claim, ClaimKind, Statement},
    query::Query,
    role::Role,
};
use heirloom_db::{
    Db, DbError, Engine, Location,
    archive::Archive,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::{Asset, Measures},
    claim::NewClaim,
    family::Family,
    record::{FoundFile, Recorded, ScanBatch},
    search::SearchPage,
};
use heirloom_testing::postgres::{self, TestDatabase};
use serde_json::json;
use sqlx::{Connection as _, Row as _};

/// Runs the body of a test on both engines, as two tests.
macro_rules! on_both_engines {
    ($(
        $(#[$meta:meta])*
        async fn $name:ident($store:ident: $type:ty) $body:block
    )*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body($store: $type) $body

            #[test]
            fn on_sqlite() {
                $crate::harness::run_on(heirloom_db::Engine::Sqlite, body);
            }

            #[test]
            fn on_postgres() {
                $crate::harness::run_on(heirloom_db::Engine::Postgres, body);
            }
        }
    )*};
}
pub(crate) use on_both_engines;

pub(crate) const OPERATOR: &Actor = &Actor::Operator;

/// A catalogue with a family, an archive and a run that files are recorded in.
pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) location: Location,
    pub(crate) family: Family,
    pub(crate) archive: Archive,
    pub(crate) run: RunId,
    pub(crate) home: Home,
}

/// What a catalogue stands on; gone when this is dropped.
pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) database: Option<TestDatabase>,
}

pub(crate) fn run_on<F: Future<Output = ()>>(engine: Engine, body: fn(Store) -> F) {
    // PostgreSQL's harness prepares a template with a runtime of its own, before this one.
    let (home, location) = home(engine);
    runtime().block_on(async {
        let store = Store::open(home, location).await;
        body(store).await;
    });
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A place for a catalogue that is up to date (PostgreSQL) or to be made (SQLite).
pub(crate) fn home(engine: Engine) -> (Home, Location) {
    let folder = tempfile::tempdir().unwrap();
    if engine == Engine::Sqlite {
        let location = Location::File(folder.path().join("catalogue.db"));
        let database = None;
        return (Home { folder, database }, location);
    }
    // Whatever the tables look like is in the key.
    static KEY: OnceLock<String> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut files: Vec<PathBuf> = std::fs::read_dir("migrations")
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let texts = files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap());
        format!("storage suite\n{}", texts.collect::<String>())
    });
    let database = postgres::database_like(key, |url| {
        runtime().block_on(async {
            let db = Db::open(&Location::Url(url.to_owned())).await.unwrap();
            db.close().await;
        });
    });
    let location = Location::Url(database.url.clone());
    let database = Some(database);
    (Home { folder, database }, location)
}

impl Store {
    pub(crate) async fn open(home: Home, location: Location) -> Self {
        let db = Db::open(&location).await.unwrap();
        let family = db.get_or_create_family("Home").await.unwrap();
        let archive = db
            .create_archive(OPERATOR, &family, "photos", "/photos")
            .await
            .unwrap();
        let run = db
            .begin_run(OPERATOR, family.id, "scan", Some(archive.id), &json!({}))
            .await
            .unwrap();
        Self {
            db,
            location,
            family,
            archive,
            run: run.id,
            home,
        }
    }

    pub(crate) fn family_id(&self) -> FamilyId {
        self.family.id
    }

    /// Opens the same catalogue once more, as another process would.
    pub(crate) async fn open_again(&self) -> Db {
        Db::open(&self.location).await.unwrap()
    }

    pub(crate) async fn folder(&self, archive: ArchiveId, path: &str) -> FolderId {
        let folder = self.db.get_or_create_folder(archive, None, path).await;
        folder.unwrap().id
    }

    /// Stores files of the archive as one batch of a scan.
    pub(crate) async fn record(&self, files: impl IntoIterator<Item = File>) -> Vec<Recorded> {
        self.record_in(&self.archive, files).await
    }

    pub(crate) async fn record_in(
        &self,
        archive: &Archive,
        files: impl IntoIterator<Item = File>,
    ) -> Vec<Recorded> {
        let mut found = Vec::new();
        for file in files {
            let folder = self.folder(archive.id, &file.folder).await;
            found.push(file.found_in(folder));
        }
        let batch = ScanBatch {
            files: found,
            ..ScanBatch::default()
        };
        let recorded = self.db.record_batch(archive, self.run, 0, &batch).await;
        recorded.unwrap()
    }

    /// Stores one file, and gives its asset.
    pub(crate) async fn add(&self, file: File) -> AssetId {
        asset_of(&self.record([file]).await[0])
    }

    pub(crate) async fn asset(&self, id: AssetId) -> Asset {
        self.db.get_asset(OPERATOR, id).await.unwrap()
    }

    /// Says something as the operator.
    pub(crate) async fn say(&self, id: AssetId, kind: ClaimKind, value: &str) -> Claim {
        let claim = claim(kind, value);
        self.db.make_claim(OPERATOR, id, claim).await.unwrap()
    }

    /// Denies something as the operator.
    pub(crate) async fn deny(&self, id: AssetId, kind: ClaimKind, value: &str) -> Claim {
        let claim = NewClaim {
            is_negation: true,
            ..claim(kind, value)
        };
        self.db.make_claim(OPERATOR, id, claim).await.unwrap()
    }

    pub(crate) async fn search_as(
        &self,
        actor: &Actor,
        query: &str,
    ) -> Result<SearchPage, DbError> {
        let query: Query = query.parse().unwrap();
        self.db
            .search(actor, self.family.id, &query, None, 50)
            .await
    }

    /// The file names of what the operator finds, in order.
    pub(crate) async fn find(&self, query: &str) -> Vec<String> {
        let page = self.search_as(OPERATOR, query).await.unwrap();
        page.items.into_iter().map(|hit| hit.asset.name).collect()
    }

    /// The file names of what the operator sees listed, in order.
    pub(crate) async fn list(&self) -> Vec<String> {
        let page = self
            .db
            .list_assets(OPERATOR, self.family.id, None, 100)
            .await;
        let items = page.unwrap().items;
        items.into_iter().map(|asset| asset.name).collect()
    }

    /// Runs statements past the code under test; gives the first column of their rows as text.
    pub(crate) async fn sql(&self, statements: &str) -> Vec<String> {
        let Location::File(path) = &self.location else {
            let database = self.home.database.as_ref().unwrap();
            let lines = database.sql(statements);
            return lines.lines().map(str::to_owned).collect();
        };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut connection = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        rows.iter()
            .map(|row| row.get_unchecked::<Option<String>, _>(0))
            .map(Option::unwrap_or_default)
            .collect()
    }

    /// An id as this engine's SQL writes it.
    pub(crate) fn literal(&self, id: uuid::Uuid) -> String {
        let hex = id.as_simple();
        match self.db.engine() {
            Engine::Sqlite => format!("X'{hex}'"),
            Engine::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    /// Makes a static collection with these members, as whoever creates collections will.
    pub(crate) async fn collect(&self, name: &str, audience: AudienceId, assets: &[AssetId]) {
        let id = self.literal(uuid::Uuid::now_v7());
        let (family, audience) = (
            self.literal(self.family.id.uuid()),
            self.literal(audience.uuid()),
        );
        self.sql(&format!(
            "INSERT INTO collection (id, family_id, audience_id, name, created_at_ms, updated_at_ms, version)
             VALUES ({id}, {family}, {audience}, '{name}', 1, 1, 1)"
        ))
        .await;
        for asset in assets {
            let asset = self.literal(asset.uuid());
            self.sql(&format!(
                "INSERT INTO collection_member (collection_id, asset_id, position, added_at_ms)
                 VALUES ({id}, {asset}, 1, 1)"
            ))
            .await;
        }
        self.db.rebuild_search(OPERATOR).await.unwrap();
    }
}

pub(crate) fn asset_of(recorded: &Recorded) -> AssetId {
    match recorded {
        Recorded::NewAsset(id)
        | Recorded::NewLocation(id)
        | Recorded::Replacement(id)
        | Recorded::Touched(id) => *id,
        Recorded::Purged => panic!("its content was purged"),
    }
}

/// A member of the family who sees these audiences.
pub(crate) fn member(family: FamilyId, role: Role, audiences: &[AudienceId]) -> Actor {
    Actor::Member {
        account_id: uuid::Uuid::now_v7().into(),
        family_id: family,
        role,
        sight: Sight::Audiences(audiences.to_vec()),
    }
}

/// What somebody says: a text, a date, or JSON for kinds that take neither.
pub(crate) fn claim(kind: ClaimKind, value: &str) -> NewClaim {
    let text = json!(value);
    let json = serde_json::from_str(value).unwrap_or_else(|_| text.clone());
    let statement = Statement::from_json(kind, &text)
        .or_else(|_| Statement::from_json(kind, &json))
        .unwrap();
    NewClaim {
        statement,
        is_negation: false,
        source: String::new(),
        confidence: 1.0,
    }
}

/// A file on its way into the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) folder: String,
    name: String,
    content: ContentHash,
    kind: MediaKind,
    claims: Vec<NewClaim>,
    previous: Option<(heirloom_core::LocationId, AssetId)>,
}

/// A file in the root of its archive. Its bytes are its name, unless it is said otherwise.
pub(crate) fn file(name: &str) -> File {
    File {
        folder: String::new(),
        name: name.to_owned(),
        content: content(name),
        kind: MediaKind::Image,
        claims: Vec::new(),
        previous: None,
    }
}

pub(crate) fn content(text: &str) -> ContentHash {
    ContentHash::from_bytes(*blake3::hash(text.as_bytes()).as_bytes())
}

impl File {
    pub(crate) fn of_content(self, text: &str) -> Self {
        let content = content(text);
        Self { content, ..self }
    }

    pub(crate) fn in_folder(self, path: &str) -> Self {
        let folder = path.to_owned();
        Self { folder, ..self }
    }

    pub(crate) fn of_kind(self, kind: MediaKind) -> Self {
        Self { kind, ..self }
    }

    /// With what its bytes say of themselves.
    pub(crate) fn says(mut self, kind: ClaimKind, value: &str) -> Self {
        self.claims.push(NewClaim {
            confidence: 0.9,
            ..claim(kind, value)
        });
        self
    }

    pub(crate) fn dated(self, date: &str) -> Self {
        self.says(ClaimKind::Date, date)
    }

    pub(crate) fn instead_of(self, known: (heirloom_core::LocationId, AssetId)) -> Self {
        let previous = Some(known);
        Self { previous, ..self }
    }

    pub(crate) fn found_in(self, folder_id: FolderId) -> FoundFile {
        FoundFile {
            folder_id,
            folder_path: self.folder,
            name: self.name,
            size_bytes: 1000,
            modified_at_ns: 1,
            changed_at_ns: 1,
            content_hash: self.content,
            measures: Measures {
                kind: self.kind,
                media_type: "image/jpeg",
                width: Some(40),
                height: Some(30),
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
                    inputs: vec![self.content],
                    payload: Payload::Json(json!({})),
                },
                claims: self.claims,
            }],
            previous: self.previous,
        }
    }
}

/// A row of numbers that is the same each time.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}
