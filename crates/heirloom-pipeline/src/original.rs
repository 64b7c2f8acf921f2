//! The only door to originals: whatever is opened below an archive's root is opened here, for reading.
//!
//! Everything starts from one handle of the root and goes down name by name. A link is never followed
//! and `..` is never asked for, so nothing outside of the tree can be reached, whatever is renamed
//! meanwhile. Mounts below the root are gone into: families put disks into their folder of pictures.
//! Where the system allows it, reading does not even change the time of the last access.

use std::{
    ffi::CString,
    fs::File,
    io,
    mem::MaybeUninit,
    num::NonZeroU64,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use heirloom_core::path;
use rustix::{
    fs::{
        Advice, AtFlags, FileType, FsWord, Mode, OFlags, RawDir, Stat, fadvise, fstat, fstatfs,
        openat, statat,
    },
    io::{Errno, retry_on_intr},
};

/// The root of an archive, open.
#[derive(Debug)]
pub(crate) struct Root {
    handle: OwnedFd,
}

/// A folder at or below the root, open.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
}

/// What something is, whatever path leads to it: its device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Link,
    Pipe,
    Socket,
    Device,
    /// The listing does not say: it has to be looked at.
    Unknown,
}

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStat {
    pub(crate) kind: EntryKind,
    pub(crate) size_bytes: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified_at_ns: i64,
    /// When anything about it changed, even its name: cannot be put back.
    pub(crate) changed_at_ns: i64,
    pub(crate) identity: Identity,
}

/// The names in a folder, as path text in byte order, in little memory.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    text: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    len: u32,
    kind: EntryKind,
}

/// What every open has in common: nothing that could write, wait or follow.
const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
const FOLDER_FLAGS: OFlags = FLAGS.union(OFlags::DIRECTORY);

/// How `statfs(2)` names file systems: FAT in all its sizes, and exFAT.
const MSDOS: FsWord = 0x4d44;
const EXFAT: FsWord = 0x2011_bab0;

impl Identity {
    /// Whether both are on one device.
    pub(crate) const fn shares_device_with(self, other: Self) -> bool {
        self.device == other.device
    }
}

impl Root {
    /// Opens the folder at `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // The way to the root may lead over links: it is the operator's own.
        let flags = FOLDER_FLAGS.difference(OFlags::NOFOLLOW);
        let handle = retry_on_intr(|| openat(rustix::fs::CWD, path, flags, Mode::empty()))?;
        Ok(Self { handle })
    }

    pub(crate) fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&fstat(&self.handle)?))
    }

    /// Opens the folder at `path`: path text, relative to the root, empty for the root itself.
    pub(crate) fn open_folder(&self, path: &str) -> io::Result<Folder> {
        let mut folder = Folder {
            handle: open(self.handle.as_fd(), c".", FOLDER_FLAGS)?,
        };
        for name in path.split('/').filter(|_| !path.is_empty()) {
            let name = system_name(name)?;
            folder.handle = open(folder.handle.as_fd(), &name, FOLDER_FLAGS)?;
        }
        Ok(folder)
    }
}

impl Folder {
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&fstat(&self.handle)?))
    }

    /// Whether its file system keeps when a file changed. FAT and exFAT do not: what they show is
    /// made up anew each time the disk is mounted.
    pub(crate) fn keeps_change_times(&self) -> io::Result<bool> {
        Ok(!matches!(fstatfs(&self.handle)?.f_type, MSDOS | EXFAT))
    }

    /// Reads the names in it; an open folder can be listed once. `is_wanted` is asked now and then
    /// whether to go on.
    pub(crate) fn list(&self, is_wanted: impl Fn() -> bool) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let mut count = 0_u32;
        let is_cut_short = self.find(|name, kind| {
            listing.push(name, kind);
            count = count.wrapping_add(1);
            count.is_multiple_of(4096) && !is_wanted()
        })?;
        if is_cut_short {
            return Err(io::ErrorKind::Interrupted.into());
        }
        listing.sort();
        Ok(listing)
    }

    /// Meets the names in it, in no order, until one of them `is_it`; gives whether one was. An open
    /// folder can be gone through once.
    pub(crate) fn find(&self, mut is_it: impl FnMut(&[u8], EntryKind) -> bool) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 64 * 1024];
        let mut entries = RawDir::new(&self.handle, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Err(Errno::INTR) => continue,
                entry => entry?,
            };
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && is_it(name, kind_of(entry.file_type())) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks at what a name stands for, without opening it.
    pub(crate) fn stat(&self, name: &str) -> io::Result<FileStat> {
        let name = system_name(name)?;
        let stat = retry_on_intr(|| statat(&self.handle, &name, AtFlags::SYMLINK_NOFOLLOW))?;
        Ok(FileStat::of(&stat))
    }

    /// Opens a regular file, with what it looks like at that moment. Whatever else has come to stand
    /// there is closed again unread.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<(File, FileStat)> {
        let name = system_name(name)?;
        let file = File::from(open(self.handle.as_fd(), &name, FLAGS)?);
        let stat = stat_of(&file)?;
        Ok((file, stat))
    }
}

/// What an open file looks like now.
pub(crate) fn stat_of(file: &File) -> io::Result<FileStat> {
    Ok(FileStat::of(&fstat(file)?))
}

/// How far ahead of who reads a file the system is asked to read, and how much at once. What it does by
/// itself is a fraction of what a fast disk gives to somebody who asks for several parts.
const AHEAD_BYTES: u64 = 8 * 1024 * 1024;
const ASKED_BYTES: NonZeroU64 = NonZeroU64::new(AHEAD_BYTES / 4).unwrap();

/// So much the system reads at once without being asked.
const UNASKED_BYTES: u64 = 128 * 1024;

/// A file that is read from its beginning on, with the system reading ahead.
pub(crate) struct Ahead<'a> {
    file: &'a File,
    position: u64,
    asked: u64,
    end: u64,
}

impl<'a> Ahead<'a> {
    pub(crate) const fn of(file: &'a File, size_bytes: u64) -> Self {
        Self {
            file,
            position: 0,
            asked: if size_bytes > UNASKED_BYTES {
                0
            } else {
                size_bytes
            },
            end: size_bytes,
        }
    }
}

impl io::Read for Ahead<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        while self.asked < self.end.min(self.position + AHEAD_BYTES) {
            // Advice: where it is not taken, reading works all the same.
            let _ = fadvise(self.file, self.asked, Some(ASKED_BYTES), Advice::WillNeed);
            self.asked += ASKED_BYTES.get();
        }
        let length = self.file.read(block)?;
        self.position += length as u64;
        Ok(length)
    }
}

/// Lets the system forget what was read of a file: what others read stays in memory, not what nobody asked for.
pub(crate) fn let_go(file: &File) {
    let _ = fadvise(file, 0, None, Advice::DontNeed);
}

impl FileStat {
    fn of(stat: &Stat) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
            size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
            modified_at_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec.cast_signed()),
            changed_at_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec.cast_signed()),
            identity: identity(stat),
        }
    }

    /// What is known of something that a listing names and nobody has looked at.
    pub(crate) const fn unseen(kind: EntryKind) -> Self {
        Self {
            kind,
            size_bytes: 0,
            modified_at_ns: 0,
            changed_at_ns: 0,
            identity: Identity {
                device: 0,
                inode: 0,
            },
        }
    }

    /// Whether this is still the file that was catalogued with that size and those times. Who edits
    /// a file and puts its time of modification back still changes `changed_at_ns`; so does a rename,
    /// where the file system keeps that time. Inode numbers would add nothing and are not to be relied
    /// on: some file systems number their files anew each time they are mounted.
    pub(crate) fn is_as_catalogued(
        &self,
        (size_bytes, modified_at_ns, changed_at_ns): (i64, i64, i64),
        keeps_change_times: bool,
    ) -> bool {
        self.stored_size() == size_bytes
            && self.modified_at_ns == modified_at_ns
            && (self.changed_at_ns == changed_at_ns || !keeps_change_times)
    }

    /// The size as the catalogue stores it.
    pub(crate) fn stored_size(&self) -> i64 {
        i64::try_from(self.size_bytes).unwrap_or(i64::MAX)
    }
}

impl Listing {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry at `index`: its name as path text and what the listing says of its kind.
    pub(crate) fn get(&self, index: usize) -> Option<(&str, EntryKind)> {
        self.entries.get(index).map(|entry| self.read(entry))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, EntryKind)> {
        self.entries.iter().map(|entry| self.read(entry))
    }

    fn read(&self, entry: &Entry) -> (&str, EntryKind) {
        let end = entry.start + entry.len as usize;
        (&self.text[entry.start..end], entry.kind)
    }

    fn push(&mut self, name: &[u8], kind: EntryKind) {
        let name = path::to_text(name);
        self.entries.push(Entry {
            start: self.text.len(),
            len: u32::try_from(name.len()).unwrap_or(u32::MAX),
            kind,
        });
        self.text.push_str(&name);
    }

    fn sort(&mut self) {
        let text = &self.text;
        let name = |entry: &Entry| &text[entry.start..entry.start + entry.len as usize];
        self.entries.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    }
}

fn open(below: BorrowedFd<'_>, name: &std::ffi::CStr, flags: OFlags) -> io::Result<OwnedFd> {
    let open = |flags| retry_on_intr(|| openat(below, name, flags, Mode::empty()));
    // Only a file's owner may read it without a trace.
    match open(flags.union(OFlags::NOATIME)) {
        Err(Errno::PERM) => Ok(open(flags)?),
        outcome => Ok(outcome?),
    }
}

/// The bytes of one name; refuses what is none, so that no name leads anywhere else.
fn system_name(text: &str) -> io::Result<CString> {
    path::to_bytes(text)
        .filter(|name| !matches!(name.as_slice(), b"" | b"." | b"..") && !name.contains(&b'/'))
        .and_then(|name| CString::new(name).ok())
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn identity(stat: &Stat) -> Identity {
    Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
    }
}

fn kind_of(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        FileType::Fifo => EntryKind::Pipe,
        FileType::Socket => EntryKind::Socket,
        FileType::BlockDevice | FileType::CharacterDevice => EntryKind::Device,
        FileType::Unknown => EntryKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_it_was_when_size_and_times_are() {
        let stat = FileStat {
            kind: EntryKind::File,
            size_bytes: 5,
            modified_at_ns: 7,
            changed_at_ns: 9,
            identity: Identity {
                device: 1,
                inode: 2,
            },
        };
        // What was catalogued, and whether it is the same where change times are kept and where not.
        let cases = [
            ((5, 7, 9), true, true),
            ((5, 7, 8), false, true),
            ((5, 6, 9), false, false),
            ((4, 7, 9), false, false),
        ];
        for (catalogued, kept, not_kept) in cases {
            assert_eq!(
                stat.is_as_catalogued(catalogued, true),
                kept,
                "{catalogued:?}"
            );
            assert_eq!(
                stat.is_as_catalogued(catalogued, false),
                not_kept,
                "{catalogued:?}"
            );
        }
    }

    #[test]
    fn an_ordinary_file_system_keeps_change_times() {
        let place = tempfile::tempdir().unwrap();
        let folder = Root::open(place.path()).unwrap().open_folder("").unwrap();
        assert!(folder.keeps_change_times().unwrap());
    }
}
