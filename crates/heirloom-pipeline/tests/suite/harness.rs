//! A folder of originals with a catalogue of it, on each engine.

use std::{
    collections::BTreeMap,
    fs::{self, File, FileTimes},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime},
};

use heirloom_blobs::{FolderStore, S3Settings};
use heirloom_core::{
    Actor, AssetId,
    claim::{ClaimKind, Statement},
};
use heirloom_db::{
    Db, Engine, Location, archive::Archive, asset::Asset, claim::NewClaim, family::Family,
};
use heirloom_pipeline::{
    Context,
    archive::{check_root, get_or_create_archive},
    scan::{FileOutcome, Outcome, ScanError, ScanEvent, ScanOptions, ScanReport, scan},
};
use heirloom_testing::{
    jpeg,
    postgres::{self, TestDatabase},
    process::as_nobody,
};
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Runs the body of each scenario on both engines, as two tests.
macro_rules! on_both_engines {
    ($(
        $(#[$meta:meta])*
        async fn $name:ident($home:ident: Home) $body:block
    )*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a scenario that needs nothing of its module is one too")]
            use super::*;

            #[allow(unused_mut, reason = "some scenarios open their home anew")]
            async fn body(mut $home: $crate::harness::Home) $body

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

/// A family with one folder of originals.
pub(crate) struct Home {
    pub(crate) ctx: Context,
    pub(crate) family: Family,
    /// The folder of originals; everything else of the home lies beside it.
    pub(crate) library: PathBuf,
    pub(crate) place: TempDir,
    location: Location,
    /// Only on PostgreSQL.
    pub(crate) database: Option<TestDatabase>,
}

/// What a scan said.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) report: ScanReport,
    pub(crate) files: BTreeMap<String, FileOutcome>,
}

pub(crate) fn run_on(engine: Engine, body: impl AsyncFnOnce(Home)) {
    let place = tempfile::tempdir().unwrap();
    let (location, database) = match engine {
        Engine::Sqlite => (Location::File(place.path().join("data/catalogue.db")), None),
        Engine::Postgres => {
            let database = postgres::database();
            (Location::Url(database.url.clone()), Some(database))
        }
    };
    runtime().block_on(async {
        let home = Home::new(place, location, database).await;
        body(home).await;
    });
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

impl Home {
    async fn new(place: TempDir, location: Location, database: Option<TestDatabase>) -> Self {
        let library = place.path().join("library");
        let data_folder = place.path().join("data");
        fs::create_dir(&library).unwrap();
        fs::create_dir(&data_folder).unwrap();
        let ctx = context(&location, data_folder).await;
        let family = ctx.db.get_or_create_family("Home").await.unwrap();
        Self {
            ctx,
            family,
            library,
            place,
            location,
            database,
        }
    }

    /// A second catalogue on the same engine, of the same folder of originals.
    pub(crate) async fn twin(&self) -> Home {
        let place = tempfile::tempdir().unwrap();
        let data_folder = place.path().join("data");
        fs::create_dir(&data_folder).unwrap();
        let (location, database) = match self.location {
            Location::File(_) => (Location::File(data_folder.join("catalogue.db")), None),
            Location::Url(_) => {
                let database = postgres::database();
                (Location::Url(database.url.clone()), Some(database))
            }
        };
        let ctx = context(&location, data_folder).await;
        let family = ctx.db.get_or_create_family("Home").await.unwrap();
        Home {
            ctx,
            family,
            library: self.library.clone(),
            place,
            location,
            database,
        }
    }

    pub(crate) async fn archive(&self) -> Archive {
        let archives = self
            .ctx
            .db
            .list_archives(OPERATOR, self.family.id)
            .await
            .unwrap();
        let root = check_root(&self.library, &self.ctx.data_folder, &archives).unwrap();
        get_or_create_archive(&self.ctx, &self.family, &root, None)
            .await
            .unwrap()
    }

    /// The models that an engine of this home has: none.
    pub(crate) fn models(&self) -> heirloom_models::Store {
        heirloom_models::Store::open(self.ctx.data_folder.join("models"))
    }

    pub(crate) async fn scan(&self) -> Scanned {
        self.scan_with(ScanOptions::default()).await.unwrap()
    }

    pub(crate) async fn scan_with(&self, options: ScanOptions) -> Result<Scanned, ScanError> {
        let archive = self.archive().await;
        let mut files = BTreeMap::new();
        let observe = &mut |event: ScanEvent<'_>| {
            if let ScanEvent::File(file) = event {
                let before = files.insert(file.path.clone(), file.clone());
                assert_eq!(before, None, "one word for each path: {file:?}");
            }
        };
        let cancel = CancellationToken::new();
        let report = scan(&self.ctx, archive.id, options, &cancel, observe).await?;
        Ok(Scanned { report, files })
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.library.join(path)
    }

    /// Writes a file of originals, with a time that no other file has.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
    }

    /// Writes a small photograph, each number another one.
    pub(crate) fn photo(&self, path: &str, number: u64) {
        self.write(path, photo(number));
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.path(from), to).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// The paths of the archive where assets are now, with the asset of each.
    pub(crate) async fn tree(&self) -> BTreeMap<String, AssetId> {
        let mut tree = BTreeMap::new();
        for asset in self.assets().await {
            for location in self
                .ctx
                .db
                .list_locations(&self.ctx.actor, asset.family_id, asset.id)
                .await
                .unwrap()
            {
                if location.gone_at_ms.is_none() {
                    tree.insert(location.path, asset.id);
                }
            }
        }
        tree
    }

    /// The asset at a path now.
    pub(crate) async fn asset(&self, path: &str) -> Asset {
        let tree = self.tree().await;
        let id = tree
            .get(path)
            .unwrap_or_else(|| panic!("nothing at {path}: {tree:?}"));
        self.get(*id).await
    }

    pub(crate) async fn get(&self, id: AssetId) -> Asset {
        self.ctx.db.get_asset(OPERATOR, id).await.unwrap()
    }

    /// The assets that are listed.
    pub(crate) async fn assets(&self) -> Vec<Asset> {
        let page = self
            .ctx
            .db
            .list_assets(OPERATOR, self.family.id, None, 10_000)
            .await;
        page.unwrap().items
    }

    /// Says something about an asset, as a person.
    pub(crate) async fn say(&self, asset: AssetId, kind: ClaimKind, words: &str) {
        let claim = NewClaim {
            statement: Statement::from_json(kind, &json!(words)).unwrap(),
            is_negation: false,
            source: String::new(),
            confidence: 1.0,
        };
        self.ctx
            .db
            .make_claim(OPERATOR, asset, claim)
            .await
            .unwrap();
    }

    /// What is claimed about an asset, as `kind value`, sorted, each once; undone ones
    /// left out.
    pub(crate) async fn claims(&self, asset: AssetId) -> Vec<String> {
        let claims = self.ctx.db.list_claims(OPERATOR, asset).await.unwrap();
        let mut claims: Vec<String> = claims
            .into_iter()
            .filter(|claim| claim.undone_at_ms.is_none())
            .map(|claim| {
                let value = claim.statement.value().to_json();
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                format!("{} {value}", claim.statement.kind())
            })
            .collect();
        claims.sort();
        claims.dedup();
        claims
    }

    /// Opens the catalogue anew, as a process does that comes after one that was killed.
    pub(crate) async fn reopen(&mut self) {
        self.ctx.db.close().await;
        self.ctx = context(&self.location, self.ctx.data_folder.clone()).await;
    }
}

impl Scanned {
    /// What became of a path.
    #[track_caller]
    pub(crate) fn outcome(&self, path: &str) -> Outcome {
        self.file(path).outcome
    }

    #[track_caller]
    pub(crate) fn file(&self, path: &str) -> &FileOutcome {
        let file = self.files.get(path);
        file.unwrap_or_else(|| panic!("nothing was said of {path}: {:#?}", self.files))
    }

    #[track_caller]
    pub(crate) fn reason(&self, path: &str) -> &str {
        self.file(path).reason.as_deref().unwrap_or_default()
    }

    /// The paths with what became of each.
    pub(crate) fn outcomes(&self) -> Vec<(&str, Outcome)> {
        self.files
            .values()
            .map(|file| (file.path.as_str(), file.outcome))
            .collect()
    }
}

async fn context(location: &Location, data_folder: PathBuf) -> Context {
    Context {
        db: Db::open(location).await.unwrap(),
        blobs: Arc::new(FolderStore::create(data_folder.join("blobs")).unwrap()),
        actor: Actor::Operator,
        data_folder,
        s3: S3Settings::default(),
    }
}

/// The bytes of a small photograph without a date, so that nothing is believed of it that a test did
/// not say.
pub(crate) fn photo(number: u64) -> Vec<u8> {
    jpeg::tiny(number, &jpeg::Options::default())
}

/// The bytes of a small photograph that was taken then: `2008:10:22 16:28:39`.
pub(crate) fn photo_of(number: u64, taken: &str) -> Vec<u8> {
    let options = jpeg::Options {
        taken: Some(taken.to_owned()),
        make: Some("Canon".to_owned()),
        ..jpeg::Options::default()
    };
    jpeg::tiny(number, &options)
}

/// An XMP sidecar with a title.
pub(crate) fn xmp(title: &str) -> String {
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title><rdf:Alt>\
         <rdf:li xml:lang='x-default'>{title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
}

/// Sets when a file was modified, in seconds since 1970.
pub(crate) fn set_time(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = File::open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// Changes a byte as a disk does that rots: nothing else about the file changes.
pub(crate) async fn rot(home: &Home, path: &str) {
    let file = home.path(path);
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    flip_a_byte(&file);
    let times = FileTimes::new().set_modified(modified);
    File::open(&file).unwrap().set_times(times).unwrap();
    let metadata = fs::metadata(&file).unwrap();
    let changed_at_ns = metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec();
    let name = path.rsplit('/').next().unwrap();
    home.ctx
        .db
        .set_changed_at(name, changed_at_ns)
        .await
        .unwrap();
}

pub(crate) fn flip_a_byte(path: &Path) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 20).unwrap();
    file.write_all_at(&[!byte[0]], 20).unwrap();
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const APART: &str = "TEST_MAY_MOUNT";

/// Runs the body of a scenario, on SQLite, in a process that may mount what nobody else sees. `test`
/// is the name of the test that calls it.
pub(crate) fn with_mounts(test: &str, body: impl AsyncFnOnce(Home)) {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test finds itself started by itself"
    )]
    let is_apart = std::env::var_os(APART).is_some();
    if is_apart {
        return run_on(Engine::Sqlite, body);
    }
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(APART, "1")
        .output()
        .expect("unshare (util-linux) is needed to mount a disk");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{complained}"
    );
}

/// Mounts an empty disk at a folder.
pub(crate) fn mount(folder: &Path) {
    run(Command::new("mount")
        .args(["-t", "tmpfs", "tmpfs"])
        .arg(folder));
}

pub(crate) fn unmount(folder: &Path) {
    run(Command::new("umount").arg(folder));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
}

/// Runs the body of a scenario, on SQLite, as somebody whom permissions concern.
pub(crate) fn run_as_nobody(body: impl AsyncFnOnce(Home) + Send) {
    as_nobody(|| run_on(Engine::Sqlite, body));
}
