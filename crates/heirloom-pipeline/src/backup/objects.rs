//! Where the objects of a repository lie, and what befalls them: the door through which the library that knows
//! the format reads and writes.
//!
//! That library only warns of what it cannot read or write, and goes on. So the door remembers the first
//! failure, and from then on nothing is written any more, least of all a snapshot. It is also where an operation
//! that is cancelled ends.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use heirloom_blobs::RemoteError;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};
use tokio_util::sync::CancellationToken;

/// A place for objects.
pub(super) trait Objects: fmt::Debug + Send + Sync {
    /// What lies at the top, folders without a slash; nothing where there is no such place.
    fn list_top(&self) -> io::Result<Vec<String>>;
    /// Makes what a new repository needs.
    fn create(&self) -> io::Result<()>;
    /// The objects of a kind, with their lengths in bytes.
    fn list(&self, kind: FileType) -> io::Result<Vec<(Id, u32)>>;
    fn read(&self, kind: FileType, id: &Id) -> io::Result<Bytes>;
    fn read_part(&self, kind: FileType, id: &Id, offset: u32, length: u32) -> io::Result<Bytes>;
    /// Writes an object, whole or not at all.
    fn write(&self, kind: FileType, id: &Id, content: BytesList) -> io::Result<()>;
    fn remove(&self, kind: FileType, id: &Id) -> io::Result<()>;
    /// Takes the repository, alone or together with others who only read.
    ///
    /// # Errors
    /// `ResourceBusy` when somebody else has it.
    fn lock(&self, is_alone: bool) -> io::Result<Lock>;
}

/// Keeps others out for as long as it is there.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) _held: Box<dyn fmt::Debug + Send + Sync>,
}

/// Where an object lies, relative to its repository.
pub(super) fn path(kind: FileType, id: &Id) -> String {
    let hex = id.to_hex();
    match kind {
        FileType::Config => "config".to_owned(),
        FileType::Pack => format!("data/{}/{}", &hex.as_str()[..2], hex.as_str()),
        _ => format!("{}/{}", kind.dirname(), hex.as_str()),
    }
}

/// The door to a repository's objects.
#[derive(Debug)]
pub(super) struct Door {
    objects: Box<dyn Objects>,
    location: String,
    cancel: CancellationToken,
    failure: Mutex<Option<io::Error>>,
}

impl Door {
    pub(super) fn new(
        objects: Box<dyn Objects>,
        location: String,
        cancel: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            objects,
            location,
            cancel,
            failure: Mutex::default(),
        })
    }

    pub(super) fn objects(&self) -> &dyn Objects {
        &*self.objects
    }

    /// Remembers why nothing may be written any more.
    pub(super) fn fail(&self, error: io::Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }

    /// The first failure, once.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn is_open(&self) -> io::Result<()> {
        if self.is_cancelled() {
            return Err(io::Error::other("it was cancelled"));
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(error) => Err(again(error)),
            None => Ok(()),
        }
    }

    fn say<T>(&self, what: String, done: io::Result<T>) -> RusticResult<T> {
        done.map_err(|error| RusticError::with_source(ErrorKind::Backend, what, error))
    }
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    let remote = error.get_ref().and_then(|inner| inner.downcast_ref());
    match remote {
        Some(remote) => io::Error::from(RemoteError::clone(remote)),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl ReadBackend for Door {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let what = format!("{} cannot be listed", kind.dirname());
        self.say(what, self.is_open().and_then(|()| self.objects.list(kind)))
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        let what = format!("{} cannot be read", path(kind, id));
        self.say(
            what,
            self.is_open().and_then(|()| self.objects.read(kind, id)),
        )
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let what = format!("{} cannot be read", path(kind, id));
        let read = || self.objects.read_part(kind, id, offset, length);
        self.say(what, self.is_open().and_then(|()| read()))
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        path(kind, id)
    }
}

impl WriteBackend for Door {
    fn create(&self) -> RusticResult<()> {
        self.say(
            "the repository cannot be made".to_owned(),
            self.objects.create(),
        )
    }

    fn write_bytes(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        let written = self.is_open().and_then(|()| {
            self.objects
                .write(kind, id, content)
                .inspect_err(|error| self.fail(again(error)))
        });
        self.say(format!("{} cannot be written", path(kind, id)), written)
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        let removed = self.is_open().and_then(|()| self.objects.remove(kind, id));
        self.say(format!("{} cannot be removed", path(kind, id)), removed)
    }
}
