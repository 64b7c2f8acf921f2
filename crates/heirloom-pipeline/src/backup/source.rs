//! What goes into a snapshot, in the order in which the format wants it, and how it is read.

use std::{
    cmp::Ordering,
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use heirloom_blobs::BlobStore;
use heirloom_core::{ContentHash, path};
use heirloom_db::backup::{FrozenFile, Hold, KnownFile};
use rustic_core::jiff::Timestamp;
use rustic_core::{
    ErrorKind, ReadSource, ReadSourceEntry, ReadSourceOpen, RusticError, RusticResult,
    repofile::{Metadata, Node, NodeType},
};
use tokio::runtime::Handle;

use super::{
    Progress,
    manifest::{CATALOGUE, MANIFEST, ORIGINALS, ROOT, STORE},
    objects::Door,
};
use crate::original::{EntryKind, FileStat, Root};

/// A file that a snapshot could not be given as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LackingFile {
    /// Where it is: below an archive's name, or the hash of a blob.
    pub path: String,
    /// What is wrong with it.
    pub lacking: Lacking,
    /// The same in one sentence.
    pub why: String,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lacking {
    /// Its bytes are not those that were catalogued, and nothing else about it says so.
    Damaged,
    /// It was changed since it was last read, and a scan has to read it first.
    Changed,
    /// It is not there, or the disk that it is on is away.
    Gone,
    /// It lies in an archive, where it has to be asked for hours before it is read.
    Archived,
}

/// How many are told one by one.
const TOLD: usize = 1000;

/// What could not be stored, counted and the first of it told.
#[derive(Debug, Default)]
pub(super) struct Lackings {
    found: Mutex<(u64, Vec<LackingFile>)>,
}

impl Lackings {
    fn add(&self, path: &str, lacking: Lacking, why: String) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0 += 1;
        if found.1.len() < TOLD {
            let path = path.to_owned();
            found.1.push(LackingFile { path, lacking, why });
        }
    }

    pub(super) fn take(&self) -> (u64, Vec<LackingFile>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.1.sort_by(|a, b| a.path.cmp(&b.path));
        std::mem::take(&mut *found)
    }
}

/// Everything that a snapshot has.
pub(super) struct Source {
    pub(super) catalogue: Vec<FrozenFile>,
    pub(super) manifest: Vec<u8>,
    /// Sorted by path.
    pub(super) files: Vec<SourceFile>,
    /// The roots that `files` refer to.
    pub(super) roots: Vec<SourceRoot>,
    /// Sorted by hash.
    pub(super) blobs: Vec<(ContentHash, u64)>,
    pub(super) reading: Arc<Reading>,
    /// Taken when the catalogue's files have been handed out.
    pub(super) hold: Mutex<Option<Arc<Hold>>>,
}

/// What everybody who reads needs.
pub(super) struct Reading {
    pub(super) store: Arc<dyn BlobStore>,
    pub(super) runtime: Handle,
    pub(super) door: Arc<Door>,
    pub(super) progress: Arc<Progress>,
    pub(super) lackings: Lackings,
}

/// The root of an archive, open for as long as the backup takes.
pub(super) struct SourceRoot {
    /// What it is called in the snapshot.
    pub(super) folder: String,
    /// `None` where it cannot be opened.
    pub(super) root: Option<Arc<Root>>,
}

/// A file of a folder archive.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Below `originals`, in bytes: what it is sorted by.
    pub(super) path: PathBuf,
    pub(super) root: u32,
    pub(super) known: KnownFile,
}

impl Source {
    /// Files and bytes in it.
    pub(super) fn sizes(&self) -> (u64, u64) {
        let catalogue = self
            .catalogue
            .iter()
            .map(|file| file.size_bytes)
            .sum::<u64>();
        let files = self
            .files
            .iter()
            .map(|file| file.known.size_bytes.max(0).unsigned_abs());
        let blobs = self
            .blobs
            .iter()
            .map(|(_, size_bytes)| size_bytes)
            .sum::<u64>();
        let count = self.catalogue.len() + self.files.len() + self.blobs.len() + 1;
        (
            count as u64,
            catalogue + files.sum::<u64>() + blobs + self.manifest.len() as u64,
        )
    }
}

/// Puts files into the order in which the format wants them: by the parts of their paths.
pub(super) fn sort(files: &mut [SourceFile]) {
    files.sort_by(|a, b| compare(&a.path, &b.path));
}

fn compare(a: &Path, b: &Path) -> Ordering {
    a.components().cmp(b.components())
}

/// One thing to be opened and read.
pub(super) struct Opening {
    what: What,
    size_bytes: u64,
    reading: Arc<Reading>,
}

enum What {
    Catalogue(FrozenFile, Arc<Hold>),
    Bytes(Vec<u8>),
    Blob(ContentHash),
    File {
        root: Option<Arc<Root>>,
        folder: String,
        known: KnownFile,
    },
}

impl ReadSource for SharedSource {
    type Open = Opening;
    type Iter = Box<dyn Iterator<Item = RusticResult<ReadSourceEntry<Opening>>> + Send>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(Some(self.0.sizes().1))
    }

    fn entries(&self) -> Self::Iter {
        let source = Arc::clone(&self.0);
        let hold = {
            let mut hold = source.hold.lock().unwrap_or_else(PoisonError::into_inner);
            hold.take()
        };
        let all = catalogue_entries(&source, hold)
            .chain([manifest_entry(&source)])
            .chain(file_entries(Arc::clone(&source)))
            .chain(blob_entries(source));
        Box::new(all.map(Ok))
    }
}

/// A source that is gone through while others look at it.
pub(super) struct SharedSource(pub(super) Arc<Source>);

type Entry = ReadSourceEntry<Opening>;

fn catalogue_entries(
    source: &Arc<Source>,
    hold: Option<Arc<Hold>>,
) -> impl Iterator<Item = Entry> + Send + use<> {
    let reading = Arc::clone(&source.reading);
    source
        .catalogue
        .clone()
        .into_iter()
        .filter_map(move |file| {
            // Whoever reads the catalogue's files keeps them from changing; afterwards they may.
            let hold = Arc::clone(hold.as_ref()?);
            let path = Path::new(ROOT).join(CATALOGUE).join(&file.name);
            let (size_bytes, times_ns) = (file.size_bytes, file.times_ns);
            Some(entry(
                path,
                size_bytes,
                times_ns,
                What::Catalogue(file, hold),
                &reading,
            ))
        })
}

fn manifest_entry(source: &Arc<Source>) -> Entry {
    let path = Path::new(ROOT).join(MANIFEST);
    let manifest = source.manifest.clone();
    let size_bytes = manifest.len() as u64;
    entry(
        path,
        size_bytes,
        None,
        What::Bytes(manifest),
        &source.reading,
    )
}

fn file_entries(source: Arc<Source>) -> impl Iterator<Item = Entry> + Send {
    (0..source.files.len()).map(move |at| {
        let SourceFile { path, root, known } = &source.files[at];
        let root = &source.roots[*root as usize];
        let what = What::File {
            root: root.root.clone(),
            folder: root.folder.clone(),
            known: known.clone(),
        };
        let times_ns = Some((known.modified_at_ns, known.changed_at_ns));
        let path = Path::new(ROOT).join(ORIGINALS).join(path);
        let size_bytes = known.size_bytes.max(0).unsigned_abs();
        entry(path, size_bytes, times_ns, what, &source.reading)
    })
}

fn blob_entries(source: Arc<Source>) -> impl Iterator<Item = Entry> + Send {
    (0..source.blobs.len()).map(move |at| {
        let (hash, size_bytes) = source.blobs[at];
        // Named by its bytes: a time would say nothing.
        entry(
            blob_path(hash),
            size_bytes,
            Some((0, 0)),
            What::Blob(hash),
            &source.reading,
        )
    })
}

/// Where a blob is in a snapshot. Two levels of folders, so that few of them are written anew when some blobs
/// are.
pub(super) fn blob_path(hash: ContentHash) -> PathBuf {
    let name = hash.to_string();
    let mut path = Path::new(ROOT).join(STORE);
    path.extend([&name[..2], &name[2..4], &name]);
    path
}

fn entry(
    path: PathBuf,
    size_bytes: u64,
    times_ns: Option<(i64, i64)>,
    what: What,
    reading: &Arc<Reading>,
) -> Entry {
    // What has the same size and times as in the snapshot before is not read again. What has no times always is.
    let time = |ns: i64| Timestamp::from_nanosecond(ns.into()).ok();
    let times = times_ns.map(|(modified, changed)| (time(modified), time(changed)));
    let meta = Metadata {
        mode: Some(0o600),
        mtime: times.map_or_else(|| Some(Timestamp::now()), |times| times.0),
        ctime: times.and_then(|times| times.1),
        size: size_bytes,
        ..Metadata::default()
    };
    let name = path.file_name().unwrap_or(OsStr::new(ROOT)).to_owned();
    let open = Opening {
        what,
        size_bytes,
        reading: Arc::clone(reading),
    };
    reading.progress.file();
    ReadSourceEntry {
        node: Node::new_node(&name, NodeType::File, meta),
        open: Some(open),
        path,
    }
}

/// The bytes of something, compared with what they are to be while they are read. The last of them are not
/// given when they are others.
pub(super) struct Checked {
    bytes: Bytes,
    expected: Option<ContentHash>,
    hasher: blake3::Hasher,
    position: u64,
    size_bytes: u64,
    name: String,
    is_original: bool,
    reading: Arc<Reading>,
}

enum Bytes {
    Catalogue(
        FrozenFile,
        #[expect(dead_code, reason = "it keeps the file as it is")] Arc<Hold>,
    ),
    Memory(io::Cursor<Vec<u8>>),
    File(File),
}

impl ReadSourceOpen for Opening {
    type Reader = Checked;

    fn open(self) -> RusticResult<Checked> {
        let Self {
            what,
            size_bytes,
            reading,
        } = self;
        if reading.door.is_cancelled() {
            return Err(stopped("it was cancelled"));
        }
        let (bytes, expected, name, is_original) = match what {
            What::Catalogue(file, hold) => {
                let name = file.name.clone();
                (Bytes::Catalogue(file, hold), None, name, false)
            }
            What::Bytes(bytes) => {
                let bytes = Bytes::Memory(io::Cursor::new(bytes));
                (bytes, None, MANIFEST.to_owned(), false)
            }
            What::Blob(hash) => match reading.runtime.block_on(reading.store.open_file(hash)) {
                Ok(file) => (Bytes::File(file), Some(hash), hash.to_string(), false),
                Err(error) => {
                    let lacking = match &error {
                        heirloom_blobs::BlobError::NotFound { .. } => Lacking::Gone,
                        heirloom_blobs::BlobError::Archived { .. } => Lacking::Archived,
                        _ => Lacking::Damaged,
                    };
                    reading
                        .lackings
                        .add(&hash.to_string(), lacking, error.to_string());
                    return Err(stopped("a blob is lacking"));
                }
            },
            What::File {
                root,
                folder,
                known,
            } => {
                let name = format!("{folder}/{}", path::join(&known.folder, &known.name));
                match open_file(root.as_deref(), &known) {
                    Ok(file) => (Bytes::File(file), Some(known.content_hash), name, true),
                    Err((lacking, why)) => {
                        reading.lackings.add(&name, lacking, why);
                        return Err(stopped("a file is lacking"));
                    }
                }
            }
        };
        Ok(Checked {
            bytes,
            expected,
            hasher: blake3::Hasher::new(),
            position: 0,
            size_bytes,
            name,
            is_original,
            reading,
        })
    }
}

fn stopped(why: &'static str) -> Box<RusticError> {
    RusticError::new(ErrorKind::InputOutput, why)
}

/// Opens a file of an archive if it is what was catalogued.
fn open_file(root: Option<&Root>, known: &KnownFile) -> Result<File, (Lacking, String)> {
    if known.is_damaged {
        return Err((Lacking::Damaged, "it was found damaged before".to_owned()));
    }
    let gone = |error: io::Error| (Lacking::Gone, error.to_string());
    let Some(root) = root else {
        return Err((
            Lacking::Gone,
            "its archive's folder cannot be opened".to_owned(),
        ));
    };
    let folder = root.open_folder(&known.folder).map_err(gone)?;
    let (file, stat) = folder.open_file(&known.name).map_err(gone)?;
    let catalogued = (known.size_bytes, known.modified_at_ns, known.changed_at_ns);
    let keeps = folder.keeps_change_times().map_err(gone)?;
    if stat.kind == EntryKind::File && FileStat::is_as_catalogued(&stat, catalogued, keeps) {
        Ok(file)
    } else {
        let why = "it was changed since it was last read: `heirloom scan` reads it";
        Err((Lacking::Changed, why.to_owned()))
    }
}

impl Checked {
    fn next(&mut self, block: &mut [u8]) -> io::Result<usize> {
        match &mut self.bytes {
            Bytes::Catalogue(file, _) => file.read_at(block, self.position),
            Bytes::Memory(bytes) => bytes.read(block),
            Bytes::File(file) => file.read(block),
        }
    }

    fn refuse(&self, lacking: Lacking, why: &str) -> io::Error {
        if self.expected.is_some() {
            self.reading
                .lackings
                .add(&self.name, lacking, why.to_owned());
        } else {
            // Without its catalogue a snapshot is none.
            let why = format!("{} of the catalogue: {why}", self.name);
            self.reading.door.fail(io::Error::other(why));
        }
        io::Error::other("it is not what it is to be")
    }
}

impl Read for Checked {
    /// Fills the block unless it comes to the end: whoever cuts bytes into chunks takes a short answer for a
    /// slow source, and asks for less from then on.
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if self.reading.door.is_cancelled() {
            return Err(io::Error::other("it was cancelled"));
        }
        let mut length = 0;
        while length < block.len() {
            match self.next(&mut block[length..]) {
                Ok(0) => break,
                Ok(more) => {
                    length += more;
                    if matches!(self.bytes, Bytes::Catalogue(..)) {
                        self.position += more as u64;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.refuse(Lacking::Damaged, &error.to_string())),
            }
        }
        if !matches!(self.bytes, Bytes::Catalogue(..)) {
            self.position += length as u64;
        }
        let is_at_end = length < block.len() || self.position == self.size_bytes;
        if self.position > self.size_bytes || (is_at_end && self.position < self.size_bytes) {
            let why = format!("it has other than {} bytes", self.size_bytes);
            let lacking = if self.is_original {
                Lacking::Changed
            } else {
                Lacking::Damaged
            };
            return Err(self.refuse(lacking, &why));
        }
        if let Some(expected) = self.expected {
            self.hasher.update(&block[..length]);
            if is_at_end && ContentHash::from_bytes(*self.hasher.finalize().as_bytes()) != expected
            {
                let why = "its bytes are not those that were catalogued";
                return Err(self.refuse(Lacking::Damaged, why));
            }
        }
        Ok(length)
    }
}

/// Path text below a folder as a path.
pub(super) fn below(folder: &str, inner: &[&str]) -> Option<PathBuf> {
    let mut found = PathBuf::from(OsStr::from_bytes(folder.as_bytes()));
    for text in inner {
        for part in text.split('/').filter(|part| !part.is_empty()) {
            let bytes = path::to_bytes(part)?;
            if matches!(bytes.as_slice(), b"" | b"." | b"..") || bytes.contains(&b'/') {
                return None;
            }
            found.push(OsStr::from_bytes(&bytes));
        }
    }
    Some(found)
}
