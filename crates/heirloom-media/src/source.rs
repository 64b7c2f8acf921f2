//! Bounded reading of a file: by offset, never more than asked for and allowed, errors kept aside.

use std::io::{self, Read, Seek, SeekFrom};

/// What the readers read from.
pub(crate) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// The most bytes that one call hands out: the largest block of metadata that is looked at.
pub(crate) const BLOCK_LIMIT: usize = 16 * 1024 * 1024;

/// The most bytes handed out of one file altogether.
const TOTAL_LIMIT: u64 = 96 * 1024 * 1024;

/// The most separate reads from one file: a hostile chain of tiny boxes ends here.
const READ_LIMIT: u32 = 50_000;

/// How much is read ahead, so that walking neighbouring headers costs one system call.
const AHEAD: usize = 4 * 1024;

/// A file under reading.
///
/// Asking past the end gives fewer bytes, and so does asking past the limits, so that no reader has
/// to tell a short file from a broken one. An error of the disk is remembered and answered once, by
/// [`Source::finish`].
pub(crate) struct Source<'a> {
    reader: &'a mut dyn ReadSeek,
    len: u64,
    position: u64,
    window: Vec<u8>,
    window_at: u64,
    bytes_left: u64,
    reads_left: u32,
    error: Option<io::Error>,
}

impl<'a> Source<'a> {
    /// Takes hold of a file and finds out how long it is.
    pub(crate) fn new(reader: &'a mut dyn ReadSeek) -> io::Result<Self> {
        let len = reader.seek(SeekFrom::End(0))?;
        Ok(Self {
            reader,
            len,
            position: len,
            window: Vec::new(),
            window_at: 0,
            bytes_left: TOTAL_LIMIT,
            reads_left: READ_LIMIT,
            error: None,
        })
    }

    /// How long the file is, in bytes.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Up to `len` bytes from `offset`: fewer at the end of the file and at the limits.
    pub(crate) fn read(&mut self, offset: u64, len: usize) -> &[u8] {
        let len = len
            .min(BLOCK_LIMIT)
            .min(crate::bytes::index(self.len.saturating_sub(offset)));
        // What is handed out counts even when it is at hand, for somebody is going to look at it.
        let len = len.min(crate::bytes::index(self.bytes_left));
        self.bytes_left = self.bytes_left.saturating_sub(len as u64);
        let start = offset
            .checked_sub(self.window_at)
            .map_or(usize::MAX, crate::bytes::index);
        if start
            .checked_add(len)
            .is_some_and(|end| end <= self.window.len())
        {
            return crate::bytes::slice(&self.window, start, len).unwrap_or_default();
        }
        self.fill(offset, len.max(AHEAD));
        self.window
            .get(..len.min(self.window.len()))
            .unwrap_or_default()
    }

    /// A copy of what [`Source::read`] gives.
    pub(crate) fn copy(&mut self, offset: u64, len: usize) -> Vec<u8> {
        self.read(offset, len).to_vec()
    }

    /// Reads ahead more than usual, when much of the beginning is sure to be looked at.
    pub(crate) fn prefetch(&mut self, offset: u64, len: usize) {
        self.read(offset, len);
    }

    /// Whether more was asked for than one file may cost.
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.bytes_left == 0 || self.reads_left == 0
    }

    /// The disk's error, if there was one.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.error.map_or(Ok(()), Err)
    }

    fn fill(&mut self, offset: u64, len: usize) {
        self.window.clear();
        self.window_at = offset;
        let allowed = (len as u64).min(self.len.saturating_sub(offset));
        if allowed == 0 || self.error.is_some() {
            return;
        }
        let Some(reads_left) = self.reads_left.checked_sub(1) else {
            return;
        };
        self.reads_left = reads_left;
        if let Err(error) = self.try_fill(offset, allowed) {
            self.window.clear();
            self.error = Some(error);
        }
    }

    fn try_fill(&mut self, offset: u64, len: u64) -> io::Result<()> {
        if self.position != offset {
            self.position = self.reader.seek(SeekFrom::Start(offset))?;
        }
        // `len` is within the file and the block limit, so this is no untrusted length.
        self.window.resize(crate::bytes::index(len), 0);
        let mut filled = 0;
        while let Some(free) = self
            .window
            .get_mut(filled..)
            .filter(|free| !free.is_empty())
        {
            match self.reader.read(free) {
                Ok(0) => break,
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.window.truncate(filled);
        self.position = offset.saturating_add(filled as u64);
        Ok(())
    }
}
