//! Stores to try, bytes to put into them and other processes that use them.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use heirloom_blobs::{
    BlobError, BlobStat, BlobStore, Cache, DataKey, FolderStore, MemoryStore, Remote,
    RemoteLocation, S3Keys, S3Settings, S3Store, Sealing, Tier, Tiers,
};
use heirloom_core::ContentHash;
use heirloom_testing::s3::{BUCKET, S3Server};
use tempfile::TempDir;

/// A store under test, and a way to damage it behind its back.
pub(crate) trait Subject {
    fn store(&self) -> &dyn BlobStore;
    fn tamper(&self, hash: ContentHash, change: &mut dyn FnMut(&mut Vec<u8>));
}

pub(crate) struct InFolder {
    pub(crate) store: FolderStore,
    _folder: TempDir,
}

impl InFolder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: FolderStore::create(folder.path().join("blobs")).unwrap(),
            _folder: folder,
        }
    }

    /// One that seals what it writes.
    pub(crate) fn sealed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sealing = sealing(folder.path());
        Self {
            store: FolderStore::create_sealed(folder.path().join("blobs"), sealing).unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn path(&self, hash: ContentHash) -> PathBuf {
        let plain = blob_path(self.store.root(), hash);
        let sealed = plain.with_extension("sealed");
        if sealed.exists() { sealed } else { plain }
    }
}

impl Subject for InFolder {
    fn store(&self) -> &dyn BlobStore {
        &self.store
    }

    fn tamper(&self, hash: ContentHash, change: &mut dyn FnMut(&mut Vec<u8>)) {
        let path = self.path(hash);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        // The file is read-only, so another one takes its place.
        let other = path.with_extension("other");
        fs::write(&other, bytes).unwrap();
        fs::rename(other, path).unwrap();
    }
}

pub(crate) struct InMemory(pub(crate) MemoryStore);

impl InMemory {
    pub(crate) fn new() -> Self {
        Self(MemoryStore::new(now_ms))
    }
}

impl Subject for InMemory {
    fn store(&self) -> &dyn BlobStore {
        &self.0
    }

    fn tamper(&self, hash: ContentHash, change: &mut dyn FnMut(&mut Vec<u8>)) {
        assert!(self.0.tamper(hash, change));
    }
}

/// A store in a bucket of a server of its own.
pub(crate) struct InBucket {
    pub(crate) store: S3Store,
    pub(crate) remote: Remote,
    pub(crate) cache: PathBuf,
    pub(crate) server: Option<S3Server>,
    _folder: TempDir,
}

pub(crate) const OWNER: &str = "018f0000-0000-7000-8000-000000000001";

impl InBucket {
    pub(crate) async fn new() -> Self {
        Self::with_cache(1 << 30).await
    }

    pub(crate) async fn with_cache(cap_bytes: u64) -> Self {
        Self::with(cap_bytes, |_| Sealing::default()).await
    }

    /// One that seals what it writes.
    pub(crate) async fn sealed() -> Self {
        Self::with(1 << 30, sealing).await
    }

    /// One whose server compares the signature of each request.
    pub(crate) async fn strict() -> Self {
        Self::at(S3Server::start_strict(), 1 << 30, |_| Sealing::default()).await
    }

    pub(crate) async fn with(cap_bytes: u64, sealing: impl FnOnce(&Path) -> Sealing) -> Self {
        Self::at(S3Server::start(), cap_bytes, sealing).await
    }

    async fn at(server: S3Server, cap_bytes: u64, sealing: impl FnOnce(&Path) -> Sealing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sealing = sealing(folder.path());
        let remote = remote(&server, "blobs").await;
        let path = folder.path().join("cache");
        let cache = Cache::open_sealed(&path, cap_bytes, sealing).unwrap();
        let store = S3Store::create(remote.clone(), cache, OWNER, now_ms).await;
        Self {
            store: store.unwrap(),
            remote,
            cache: path,
            server: Some(server),
            _folder: folder,
        }
    }
}

impl InBucket {
    pub(crate) fn server(&self) -> &S3Server {
        self.server.as_ref().unwrap()
    }
}

/// A new key, in a place whose folder `scratch` is for files without a name.
pub(crate) fn sealing(place: &Path) -> Sealing {
    let sealing = Sealing::new(place.join("scratch"));
    sealing.use_key(DataKey::generate().unwrap());
    sealing
}

/// The door to a part of a server's bucket.
pub(crate) async fn remote(server: &S3Server, prefix: &str) -> Remote {
    remote_at(server, &server.endpoint(), prefix).await
}

/// The same by another address.
pub(crate) async fn remote_at(server: &S3Server, endpoint: &str, prefix: &str) -> Remote {
    let settings = S3Settings {
        keys: Some(S3Keys {
            access_key_id: server.access_key_id.clone(),
            secret_access_key: server.secret_access_key.clone(),
        }),
        ..S3Settings::default()
    };
    let name = format!("s3:{endpoint}/{BUCKET}/{prefix}");
    let location = RemoteLocation::parse(&name).unwrap().unwrap();
    Remote::open(&location, &settings).await.unwrap()
}

impl Subject for InBucket {
    fn store(&self) -> &dyn BlobStore {
        &self.store
    }

    fn tamper(&self, hash: ContentHash, change: &mut dyn FnMut(&mut Vec<u8>)) {
        let tampering = async {
            let sealed = format!("blobs/{hash}.sealed");
            let object = match self.remote.stat(&sealed).await.unwrap() {
                Some(_) => sealed,
                None => format!("blobs/{hash}"),
            };
            let mut bytes = self.remote.read(&object).await.unwrap().to_vec();
            change(&mut bytes);
            self.remote.write(&object, bytes.into()).await.unwrap();
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(tampering));
        // What is damaged is the bucket; a copy here would hide it.
        for name in [format!("{hash}"), format!("{hash}.sealed")] {
            let _ = fs::remove_file(self.cache.join(name));
        }
    }
}

/// Two stores as one.
pub(crate) struct InTiers {
    pub(crate) tiers: Tiers,
    subjects: Vec<Box<dyn Subject + Send + Sync>>,
    server: Option<S3Server>,
}

impl InTiers {
    /// What is new goes to the first of two folders.
    pub(crate) fn of_folders() -> Self {
        let (near, far) = (InFolder::new(), InFolder::new());
        let stores = [near.store.clone(), far.store.clone()];
        let tiers = Tiers::new(tiers(stores.map(|store| Arc::new(store) as _)), 0);
        Self {
            tiers,
            subjects: vec![Box::new(near), Box::new(far)],
            server: None,
        }
    }

    /// What is new goes to the second, a folder like the first.
    pub(crate) fn of_folders_the_second_first() -> Self {
        let mut subject = Self::of_folders();
        subject.tiers = Tiers::new(subject.tiers.tiers().to_vec(), 1);
        subject
    }

    /// What is new goes to a folder; the other is a bucket.
    pub(crate) async fn with_bucket() -> Self {
        let (near, mut far) = (InFolder::new(), InBucket::new().await);
        let stores: [Arc<dyn BlobStore>; 2] =
            [Arc::new(near.store.clone()), Arc::new(far.store.clone())];
        let server = far.server.take();
        Self {
            tiers: Tiers::new(tiers(stores), 0),
            subjects: vec![Box::new(near), Box::new(far)],
            server,
        }
    }

    /// The same, with what is new in the bucket.
    pub(crate) async fn with_bucket_first() -> Self {
        let mut subject = Self::with_bucket().await;
        subject.tiers = Tiers::new(subject.tiers.tiers().to_vec(), 1);
        subject
    }

    pub(crate) fn tamper_at(
        &self,
        at: usize,
        hash: ContentHash,
        change: &mut dyn FnMut(&mut Vec<u8>),
    ) {
        self.subjects[at].tamper(hash, change);
    }

    pub(crate) fn stop_server(&mut self) {
        self.server.take();
    }
}

fn tiers(stores: [Arc<dyn BlobStore>; 2]) -> Vec<Tier> {
    let names = ["near", "far"].into_iter().zip(stores);
    names
        .map(|(name, store)| Tier {
            name: name.to_owned(),
            store,
        })
        .collect()
}

impl Subject for InTiers {
    fn store(&self) -> &dyn BlobStore {
        &self.tiers
    }

    fn tamper(&self, hash: ContentHash, change: &mut dyn FnMut(&mut Vec<u8>)) {
        for subject in &self.subjects {
            let looking = subject.store().contains(hash);
            let looking = || tokio::runtime::Handle::current().block_on(looking);
            if tokio::task::block_in_place(looking).unwrap() {
                subject.tamper(hash, change);
            }
        }
    }
}

/// Where the documented layout has a blob.
pub(crate) fn blob_path(root: &Path, hash: ContentHash) -> PathBuf {
    let name = hash.to_string();
    root.join(&name[..2]).join(name)
}

/// What a folder store has in a folder of its own, such as `incoming`.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Numbers that look random and are the same every time (splitmix64, Steele and others 2014).
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Bytes that no other seed has.
pub(crate) fn bytes_of(seed: u64, length: usize) -> Bytes {
    let mut numbers = Seeded(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&numbers.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

pub(crate) async fn read(store: &dyn BlobStore, hash: ContentHash) -> Result<Bytes, BlobError> {
    store.get(hash).await?.bytes().await
}

pub(crate) async fn list(store: &dyn BlobStore, after: Option<ContentHash>) -> Vec<BlobStat> {
    futures_util::TryStreamExt::try_collect(store.list(after))
        .await
        .unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "these tests compare with the clock of real files"
)]
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis()
        .try_into()
        .unwrap()
}

const FOLDER: &str = "BLOBS_TEST_FOLDER";

/// A process that runs one test of this program, which finds itself to be the child there. `through`
/// is a program that starts it, with its arguments.
pub(crate) fn child_of(test: &str, folder: &Path, through: &[&str]) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut words = through.iter().map(PathBuf::from).chain([this]);
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder);
    command
}

/// The folder that the parent gave, in a child.
#[expect(
    clippy::disallowed_methods,
    reason = "how a test finds itself started by itself"
)]
pub(crate) fn folder_of_child() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs a child to its end; its test must pass.
pub(crate) fn run_to_success(mut child: Command) {
    let output = child
        .output()
        .unwrap_or_else(|error| panic!("{child:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let is_success = output.status.success() && said.contains("1 passed");
    assert!(
        is_success,
        "{child:?}: {}\n{said}\n{complained}",
        output.status
    );
}

/// Tells the parent something, in one write that a kill cannot split.
pub(crate) fn report(folder: &Path, line: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join("reported"))
        .unwrap();
    // What a kill cuts off lacks its end, and nothing is taken for its rest.
    file.write_all(format!("\n{line} .\n").as_bytes()).unwrap();
}

/// What the child told.
pub(crate) fn reported(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("reported")).unwrap_or_default();
    let whole = text.lines().filter_map(|line| line.strip_suffix(" ."));
    whole.map(str::to_owned).collect()
}
