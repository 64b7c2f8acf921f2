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
use heirloom_db::{artifact::Derived, asset::Measures};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::work::{Event, Examined, Found, Job, Read, Role, Window};
use crate::{
    original::{Ahead, EntryKind, FileStat, Folder, Root, stat_of},
    tool,
};

/// Bytes that are read at once.
const BLOCK_BYTES: usize = 1024 * 1024;
/// Files of this size on are read on a thread of their own while another one hashes.
const LARGE_BYTES: u64 = 16 * 1024 * 1024;
/// How many blocks of a large file there are: one is read, one is hashed, and one waits.
const BLOCKS: usize = 3;

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

impl Readers {
    /// Fills a block as far as one reading goes; 0 is the end.
    fn read_block(&self, source: &mut impl io::Read, block: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.is_cancelled() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match source.read(block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let length = read?;
                    self.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
                    return Ok(length);
                }
            }
        }
    }

    /// Reads to the end. A disk and a hash can work at the same time.
    fn hash_while_reading(
        &self,
        source: &mut (impl io::Read + Send),
        hasher: &mut blake3::Hasher,
    ) -> io::Result<()> {
        let (give, read) = std::sync::mpsc::sync_channel::<(Vec<u8>, usize)>(BLOCKS);
        let (give_back, hashed) = std::sync::mpsc::sync_channel(BLOCKS);
        for _ in 0..BLOCKS {
            let _ = give_back.send(vec![0; BLOCK_BYTES]);
        }
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                while let Ok(mut block) = hashed.recv() {
                    let length = self.read_block(source, &mut block)?;
                    if length == 0 || give.send((block, length)).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            for (block, length) in read {
                hasher.update(&block[..length]);
                let _ = give_back.send(block);
            }
            reading
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the reading thread panicked")))
        })
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
        let mut hasher = blake3::Hasher::new();
        let mut source = Ahead::of(file, size_bytes).take(size_bytes);
        if size_bytes < LARGE_BYTES {
            loop {
                match self.shared.read_block(&mut source, &mut self.block)? {
                    0 => break,
                    length => hasher.update(&self.block[..length]),
                };
            }
        } else {
            self.shared.hash_while_reading(&mut source, &mut hasher)?;
        }
        Ok(ContentHash::from_bytes(hasher.finalize().into()))
    }

    fn run_tools(
        &self,
        file: &mut File,
        content_hash: ContentHash,
        name: &str,
    ) -> io::Result<Result<(Measures, Vec<Derived>), BlobError>> {
        file.rewind()?;
        let looked = tool::look_at(file, content_hash, name)?;
        let measures = looked.measures();
        // Large payloads go to the store here and now, so that they never pile up in memory.
        let stored = self.shared.runtime.block_on(async {
            let mut stored = Vec::with_capacity(looked.made.len());
            for made in looked.made {
                stored.push(made.store(&self.shared.blobs).await?);
            }
            Ok(stored)
        });
        Ok(stored.map(|derived| (measures, derived)))
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
