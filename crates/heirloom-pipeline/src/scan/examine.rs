//! Reading files: a few threads that take jobs, hash, and run the tools on what is open anyway.
//!
//! Files are read and never mapped into memory: one that is cut short by somebody else meanwhile would
//! end the whole program by a signal, and not in an error.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use heirloom_blobs::{BlobError, BlobStore};
use heirloom_core::ContentHash;
use heirloom_db::artifact::Derived;
use heirloom_media::{Facts, FileType};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::work::{Event, Examined, Found, Job, Read, Role, Window};
use crate::{
    original::{EntryKind, FileStat, Folder, Root, read_ahead, stat_of},
    tool::{self, Made},
};

/// Bytes that are read at once.
const BLOCK_BYTES: usize = 1024 * 1024;
/// Files of this size on are hashed by all cores together, in larger blocks.
const LARGE_BYTES: u64 = 64 * 1024 * 1024;
const LARGE_BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// What every reading thread shares.
pub(super) struct Readers {
    pub(super) root: Arc<Root>,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) jobs: Mutex<mpsc::Receiver<Job>>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) window: Arc<Window>,
    pub(super) bytes_read: Arc<AtomicU64>,
    pub(super) stop: CancellationToken,
    pub(super) runtime: Handle,
}

impl Readers {
    /// Starts the threads. They end when there are no more jobs, or when they are told to stop.
    pub(super) fn start(self, threads: usize) -> io::Result<()> {
        let readers = Arc::new(self);
        for _ in 0..threads.max(1) {
            let readers = Arc::clone(&readers);
            std::thread::Builder::new()
                .name("reading".to_owned())
                .spawn(move || Reader::new(&readers).work())?;
        }
        Ok(())
    }
}

/// One thread, with what it keeps from job to job.
struct Reader<'a> {
    shared: &'a Readers,
    /// The folder of the last job: most have the same.
    folder: Option<(String, Folder)>,
    block: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(shared: &'a Readers) -> Self {
        Self {
            shared,
            folder: None,
            block: vec![0; BLOCK_BYTES],
        }
    }

    fn work(mut self) {
        while self.shared.window.enter() {
            let job = {
                let mut jobs = self
                    .shared
                    .jobs
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                jobs.blocking_recv()
            };
            let Some(job) = job else { return };
            let found = self.examine(&job);
            let examined = Event::Examined(Examined { job, found });
            if self.shared.events.blocking_send(examined).is_err() {
                return;
            }
        }
    }

    /// Reads the file of a job; one that changes meanwhile is read a second time.
    fn examine(&mut self, job: &Job) -> Found {
        for _ in 0..2 {
            if self.shared.stop.is_cancelled() {
                return Found::Stopped;
            }
            match self.read(job) {
                Ok(Some(found)) => return found,
                Ok(None) => {}
                Err(_) if self.shared.stop.is_cancelled() => return Found::Stopped,
                Err(error) => return Found::Failed(reason(&error)),
            }
        }
        Found::Failed("it changed while it was read".to_owned())
    }

    /// `None` when the file changed while it was read.
    fn read(&mut self, job: &Job) -> io::Result<Option<Found>> {
        let (mut file, before) = self.open(job)?;
        if let Some(reason) = skipped(&before) {
            return Ok(Some(Found::Skipped(reason)));
        }
        let content_hash = self.hash(&mut file, before.size_bytes)?;
        if let Some(expected) = job.expected {
            if stat_of(&file)? != before {
                return Ok(None);
            }
            return Ok(Some(if expected == content_hash {
                Found::Confirmed
            } else {
                Found::Damaged
            }));
        }
        let original = match job.role {
            Role::Sidecar(_) => None,
            Role::Original => match self.run_tools(&mut file, content_hash, &job.name)? {
                Ok(original) => Some(original),
                Err(error) => return Ok(Some(Found::Broken(error))),
            },
        };
        if stat_of(&file)? != before {
            return Ok(None);
        }
        Ok(Some(Found::Read(Box::new(Read {
            stat: before,
            content_hash,
            original,
        }))))
    }

    fn open(&mut self, job: &Job) -> io::Result<(File, FileStat)> {
        let path = &job.folder.path;
        if self.folder.as_ref().is_none_or(|(open, _)| open != path) {
            self.folder = None;
            let folder = self.shared.root.open_folder(path)?;
            self.folder = Some((path.clone(), folder));
        }
        match &self.folder {
            Some((_, folder)) => folder.open_file(&job.name),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// BLAKE3 of a file's first `size_bytes` bytes, in constant memory.
    fn hash(&mut self, file: &mut File, size_bytes: u64) -> io::Result<ContentHash> {
        if size_bytes > BLOCK_BYTES as u64 {
            read_ahead(file);
        }
        let is_large = size_bytes >= LARGE_BYTES;
        let length = if is_large {
            LARGE_BLOCK_BYTES
        } else {
            BLOCK_BYTES
        };
        self.block.resize(length, 0);
        self.block.shrink_to(length);
        let mut hasher = blake3::Hasher::new();
        let mut left = size_bytes;
        while left > 0 {
            if self.shared.stop.is_cancelled() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.block.len());
            let read = match file.read(&mut self.block[..wanted]) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let block = &self.block[..read];
            if is_large {
                hasher.update_rayon(block);
            } else {
                hasher.update(block);
            }
            left -= read as u64;
            self.shared
                .bytes_read
                .fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(ContentHash::from_bytes(hasher.finalize().into()))
    }

    #[expect(
        clippy::type_complexity,
        reason = "two kinds of failure: the file's and the store's"
    )]
    fn run_tools(
        &self,
        file: &mut File,
        content_hash: ContentHash,
        name: &str,
    ) -> io::Result<Result<(FileType, Facts, Vec<Derived>), BlobError>> {
        file.rewind()?;
        let (file_type, made) = tool::read_metadata(file, content_hash, name)?;
        let facts = made.facts.clone();
        let all: Vec<Made> = [Some(made), tool::read_file_name(name)]
            .into_iter()
            .flatten()
            .collect();
        // Large payloads go to the store here and now, so that they never pile up in memory.
        let stored = self.shared.runtime.block_on(async {
            let mut stored = Vec::with_capacity(all.len());
            for made in all {
                stored.push(made.store(&self.shared.blobs).await?);
            }
            Ok(stored)
        });
        Ok(stored.map(|derived| (file_type, facts, derived)))
    }
}

/// Why what looks like this is passed over, if it is.
pub(super) fn skipped(stat: &FileStat) -> Option<&'static str> {
    match stat.kind {
        EntryKind::File if stat.size_bytes == 0 => Some("empty"),
        EntryKind::File | EntryKind::Unknown => None,
        EntryKind::Folder => Some("a folder"),
        EntryKind::Link => Some("a link"),
        EntryKind::Pipe => Some("a pipe"),
        EntryKind::Socket => Some("a socket"),
        EntryKind::Device => Some("a device"),
    }
}

/// What the system says, in words that are the same for the same cause.
pub(super) fn reason(error: &io::Error) -> String {
    // Opened without following links, a link says that there are too many.
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return "it became a link while it was looked at".to_owned();
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => "there is no permission to read it".to_owned(),
        io::ErrorKind::NotFound => "it was gone when it was to be read".to_owned(),
        _ => format!("the system could not read it: {error}"),
    }
}
