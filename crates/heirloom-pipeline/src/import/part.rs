//! The parts of what is imported: folders and archives, gone through one file after another.
//!
//! Nothing is unpacked to the disk and no path is followed: what a file is called there is only a name. What an
//! archive says is not believed: a file that is longer than it says, or that is packed more densely than any
//! photograph can be, is refused. An archive that is broken loses what is behind the damage, and is named.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Read, Seek as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use flate2::bufread::MultiGzDecoder;
use heirloom_core::path;
use zip::ZipArchive;

use super::ImportError;
use crate::{
    export::{ProblemCode, Why},
    original::{EntryKind, Root, stat_of},
    scan::folder_reason,
};

/// More than this that unpacks to more than [`DENSE_TIMES`] of itself is no collection of photographs.
const DENSE_BYTES: u64 = 256 * 1024 * 1024;
const DENSE_TIMES: u64 = 200;
/// So much may stand between two files of a tar: their names.
const HEAD_BYTES: u64 = 1024 * 1024;
/// The longest path of a file.
const PATH_BYTES: usize = 4096;

/// A folder or an archive.
#[derive(Debug)]
pub(super) struct Part {
    /// Its name, as path text.
    pub(super) name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Folder(Root),
    Zip(File),
    Tar { file: File, is_packed: bool },
}

/// A file of a part.
#[derive(Debug)]
pub(super) struct Member {
    /// Its path there, as path text.
    pub(super) path: String,
    /// How long it is said to be.
    pub(super) size_bytes: u64,
    /// When it was modified, in nanoseconds since 1970; 0 when that is not known.
    pub(super) modified_at_ns: i64,
}

/// Why a file was not taken.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something is wrong with it; the others go on.
    Member(Why),
    /// Nothing goes on.
    Import(ImportError),
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

/// What goes through parts.
pub(super) trait Visit {
    /// Whether the bytes of a file are wanted.
    fn is_wanted(&mut self, member: &Member) -> bool;
    /// Takes the bytes of one. What it leaves is not read.
    fn take(&mut self, member: &Member, bytes: &mut dyn Read) -> Result<(), Failure>;
    /// Hears that something at a path is not as it should be.
    fn trouble(&mut self, path: &str, why: Why);
    /// Hears of a folder that is not gone into.
    fn pass_over(&mut self, _folder: &str) {}
}

impl Part {
    /// Opens what stands at a path.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::ffi::OsStrExt as _;
        let name = path.file_name().unwrap_or_default();
        let name = path::to_text(name.as_bytes());
        let kind = if path.is_dir() {
            Kind::Folder(Root::open(path)?)
        } else {
            let folder = Root::open(path.parent().unwrap_or(Path::new("/")))?;
            let (file, stat) = folder.open_folder("")?.open_file(&name)?;
            if stat.kind != EntryKind::File {
                return Err(io::Error::other("it is neither a folder nor a file"));
            }
            archive_of(file)?
        };
        Ok(Self { name, kind })
    }

    /// Its name where it is a folder: what others take from it may depend on that.
    pub(super) fn root(&self) -> Option<&str> {
        matches!(self.kind, Kind::Folder(_)).then_some(self.name.as_str())
    }

    /// What of a folder are archives that others exported, to be opened as parts of their own.
    pub(super) fn list_archives(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        use std::os::unix::ffi::OsStringExt as _;
        let Kind::Folder(root) = &self.kind else {
            return Ok(Vec::new());
        };
        let listing = root.open_folder("")?.list(|| true)?;
        let archives = listing
            .iter()
            .filter(|(name, kind)| *kind == EntryKind::File && is_exported_archive(name));
        let paths = archives.filter_map(|(name, _)| path::to_bytes(name));
        Ok(paths
            .map(|name| path.join(std::ffi::OsString::from_vec(name)))
            .collect())
    }

    /// Goes through all files, always in the same order.
    ///
    /// # Errors
    /// Only what ends everything; what is broken is told to the visit.
    pub(super) fn visit(&self, visit: &mut dyn Visit) -> Result<(), ImportError> {
        match &self.kind {
            Kind::Folder(root) => visit_folder(root, visit),
            Kind::Zip(file) => self.visit_zip(file, visit),
            Kind::Tar { file, is_packed } => self.visit_tar(file, *is_packed, visit),
        }
    }

    fn visit_zip(&self, file: &File, visit: &mut dyn Visit) -> Result<(), ImportError> {
        let opened = file.try_clone().map_err(zip::result::ZipError::from);
        let opened = opened.and_then(|file| ZipArchive::new(BufReader::new(file)));
        let mut archive = match opened {
            Ok(archive) => archive,
            Err(error) => {
                let what = format!("the archive is broken: {error}");
                visit.trouble(&self.name, Why::new(ProblemCode::BrokenArchive, what));
                return Ok(());
            }
        };
        for index in 0..archive.len() {
            let known = match archive.by_index_raw(index) {
                Ok(entry) => entry
                    .name()
                    .map(|name| {
                        let member = Member {
                            path: path::to_text(name.as_bytes()),
                            size_bytes: entry.size(),
                            modified_at_ns: entry.last_modified().map_or(0, zip_time),
                        };
                        let is_folder = entry.is_dir() || name.ends_with('/');
                        (
                            member,
                            is_folder,
                            entry.is_symlink(),
                            entry.compressed_size(),
                        )
                    })
                    .map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let (member, is_folder, is_link, packed_bytes) = match known {
                Ok(known) => known,
                Err(why) => {
                    let what = format!("file {index} in it cannot be read: {why}");
                    visit.trouble(&self.name, Why::new(ProblemCode::Unreadable, what));
                    continue;
                }
            };
            if is_folder {
                continue;
            }
            let mut bad = bad_path(&member.path);
            if is_link {
                bad = Some(a_link());
            } else if is_dense(member.size_bytes, packed_bytes) {
                let what = "it is packed more densely than any photograph: a trap";
                bad = Some(Why::new(ProblemCode::TooDense, what));
            }
            if let Some(why) = bad {
                visit.trouble(&member.path, why);
                continue;
            }
            if !visit.is_wanted(&member) {
                continue;
            }
            let taken = match archive.by_index(index) {
                Ok(mut entry) => take(visit, &member, &mut entry),
                Err(error) => Err(Failure::Member(Why::unreadable(error))),
            };
            settle(visit, &member.path, taken)?;
        }
        Ok(())
    }

    fn visit_tar(
        &self,
        file: &File,
        is_packed: bool,
        visit: &mut dyn Visit,
    ) -> Result<(), ImportError> {
        let seen = Rc::new(Cell::new(0));
        let broken = |visit: &mut dyn Visit, error: &io::Error| {
            let what = format!("the archive is broken, and what is behind that is lost: {error}");
            visit.trouble(&self.name, Why::new(ProblemCode::BrokenArchive, what));
        };
        let file = match file
            .try_clone()
            .and_then(|mut file| file.rewind().map(|()| file))
        {
            Ok(file) => file,
            Err(error) => {
                broken(visit, &error);
                return Ok(());
            }
        };
        let counted = BufReader::new(Counted(file, Rc::clone(&seen)));
        let plain: Box<dyn Read> = match is_packed {
            true => Box::new(Unpacked {
                decoder: MultiGzDecoder::new(counted),
                packed: seen,
                out: 0,
            }),
            false => Box::new(counted),
        };
        let left = Rc::new(Cell::new(Some(HEAD_BYTES)));
        let mut archive = tar::Archive::new(Headed(plain, Rc::clone(&left)));
        let mut entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => {
                broken(visit, &error);
                return Ok(());
            }
        };
        loop {
            left.set(Some(HEAD_BYTES));
            let mut entry = match entries.next() {
                None => return Ok(()),
                Some(Ok(entry)) => entry,
                Some(Err(error)) => {
                    broken(visit, &error);
                    return Ok(());
                }
            };
            left.set(None);
            let kind = entry.header().entry_type();
            let member = Member {
                path: path::to_text(&entry.path_bytes()),
                size_bytes: entry.size(),
                modified_at_ns: entry
                    .header()
                    .mtime()
                    .ok()
                    .and_then(|seconds| i64::try_from(seconds).ok())
                    .map_or(0, |seconds| seconds.saturating_mul(1_000_000_000)),
            };
            let bad = match () {
                () if kind.is_dir() || kind.is_pax_global_extensions() => continue,
                () if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) => {
                    let what = "it is a link or a device, which is not followed";
                    Some(Why::new(ProblemCode::Link, what))
                }
                () => bad_path(member.path.strip_prefix("./").unwrap_or(&member.path)),
            };
            let member = Member {
                path: member
                    .path
                    .strip_prefix("./")
                    .unwrap_or(&member.path)
                    .to_owned(),
                ..member
            };
            if let Some(why) = bad {
                visit.trouble(&member.path, why);
            } else if visit.is_wanted(&member) {
                let taken = take(visit, &member, &mut entry);
                settle(visit, &member.path, taken)?;
            }
            // The rest of it is passed here, where it is no head.
            if let Err(error) = io::copy(&mut entry, &mut io::sink()) {
                broken(visit, &error);
                return Ok(());
            }
        }
    }
}

/// Whether others give such archives to people who want to take their pictures with them.
pub(super) fn is_exported_archive(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_archive = [".zip", ".tgz", ".tar.gz"]
        .iter()
        .any(|end| name.ends_with(end));
    is_archive && (name.starts_with("takeout-") || name.contains("icloud"))
}

fn archive_of(mut file: File) -> io::Result<Kind> {
    let mut head = [0; 262];
    let mut length = 0;
    while let Some(rest) = head.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => length += read,
        }
    }
    file.rewind()?;
    let head = head.get(..length).unwrap_or_default();
    match head {
        [b'P', b'K', 3 | 5 | 7, ..] => Ok(Kind::Zip(file)),
        [0x1f, 0x8b, ..] => Ok(Kind::Tar {
            file,
            is_packed: true,
        }),
        _ if head.get(257..) == Some(&b"ustar"[..]) => Ok(Kind::Tar {
            file,
            is_packed: false,
        }),
        _ => Err(io::Error::other(
            "it is neither a folder nor a .zip or .tgz",
        )),
    }
}

/// Hands bytes over, no more and no fewer than were announced.
fn take(visit: &mut dyn Visit, member: &Member, bytes: &mut dyn Read) -> Result<(), Failure> {
    let mut bytes = Announced {
        bytes,
        left: member.size_bytes,
    };
    visit.take(member, &mut bytes)
}

fn settle(
    visit: &mut dyn Visit,
    path: &str,
    taken: Result<(), Failure>,
) -> Result<(), ImportError> {
    match taken {
        Ok(()) => Ok(()),
        Err(Failure::Member(why)) => {
            visit.trouble(path, why);
            Ok(())
        }
        Err(Failure::Import(error)) => Err(error),
    }
}

fn visit_folder(root: &Root, visit: &mut dyn Visit) -> Result<(), ImportError> {
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let opened = root.open_folder(&folder);
        let listing =
            opened.and_then(|opened| opened.list(|| true).map(|listing| (opened, listing)));
        let (opened, listing) = match listing {
            Ok(listing) => listing,
            Err(error) => {
                let what = format!("the folder cannot be read: {error}");
                visit.trouble(&folder, Why::new(ProblemCode::Unreadable, what));
                continue;
            }
        };
        let mut below = Vec::new();
        for (name, kind) in listing.iter() {
            let path = path::join(&folder, name);
            let kind = match kind {
                EntryKind::Unknown => opened
                    .stat(name)
                    .map_or(EntryKind::Unknown, |stat| stat.kind),
                kind => kind,
            };
            match kind {
                EntryKind::Folder if folder_reason(&path).is_none() => below.push(path),
                EntryKind::Folder => visit.pass_over(&path),
                EntryKind::File => visit_file(&opened, name, path, visit)?,
                EntryKind::Link => visit.trouble(&path, a_link()),
                _ => visit.trouble(
                    &path,
                    Why::new(ProblemCode::NoFile, "it is no ordinary file"),
                ),
            }
        }
        folders.extend(below.into_iter().rev());
    }
    Ok(())
}

fn visit_file(
    folder: &crate::original::Folder,
    name: &str,
    path: String,
    visit: &mut dyn Visit,
) -> Result<(), ImportError> {
    let stat = match folder.stat(name) {
        Ok(stat) => stat,
        Err(error) => {
            visit.trouble(&path, Why::unreadable(error));
            return Ok(());
        }
    };
    let member = Member {
        path,
        size_bytes: stat.size_bytes,
        modified_at_ns: stat.modified_at_ns,
    };
    if !visit.is_wanted(&member) {
        return Ok(());
    }
    let opened = folder.open_file(name).and_then(|(file, _)| {
        let size_bytes = stat_of(&file)?.size_bytes;
        Ok((
            file,
            Member {
                path: member.path.clone(),
                size_bytes,
                ..member
            },
        ))
    });
    let (path, taken) = match opened {
        Ok((mut file, member)) => {
            let taken = take(visit, &member, &mut file);
            (member.path, taken)
        }
        Err(error) => (member.path, Err(Failure::Member(Why::unreadable(error)))),
    };
    settle(visit, &path, taken)
}

/// Why a path of an archive is not taken for one.
fn bad_path(path: &str) -> Option<Why> {
    let is_away = path.starts_with('/')
        || path.split(['/', '\\']).any(|name| name == "..")
        || path.as_bytes().get(1) == Some(&b':');
    if is_away {
        let what = "its path leads out of the archive";
        return Some(Why::new(ProblemCode::BadPath, what));
    }
    let is_odd = path.len() > PATH_BYTES
        || path.contains('\0')
        || path.split('/').any(|name| name.is_empty() || name == ".");
    is_odd.then(|| Why::new(ProblemCode::BadPath, "its path is none"))
}

fn a_link() -> Why {
    Why::new(ProblemCode::Link, "it is a link, which is not followed")
}

const fn is_dense(size_bytes: u64, packed_bytes: u64) -> bool {
    size_bytes > DENSE_BYTES && size_bytes / DENSE_TIMES > packed_bytes
}

/// A time of a zip as if it were in UTC: it keeps no zone.
fn zip_time(time: zip::DateTime) -> i64 {
    let (year, month) = (i64::from(time.year()), i64::from(time.month()));
    // Howard Hinnant, "chrono-compatible low-level date algorithms".
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(time.day()) - 1;
    let days = year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
        - 719_468;
    let clock =
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    (days * 86_400 + clock).saturating_mul(1_000_000_000)
}

/// Bytes of which it was said how many they are.
struct Announced<'a> {
    bytes: &'a mut dyn Read,
    left: u64,
}

impl Read for Announced<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            // Reading on to the end is what compares the checksum of a zip.
            return match self.bytes.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other("it is longer than it is said to be")),
            };
        }
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(block.len());
        let length = self.bytes.read(block.get_mut(..most).unwrap_or_default())?;
        if length == 0 && most > 0 {
            return Err(io::Error::other("it is shorter than it is said to be"));
        }
        self.left = self.left.saturating_sub(length as u64);
        Ok(length)
    }
}

/// A file of which it is known how much was read.
struct Counted(File, Rc<Cell<u64>>);

impl Read for Counted {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(block)?;
        self.1.set(self.1.get().saturating_add(length as u64));
        Ok(length)
    }
}

/// What comes out of a packed stream, unless it is far too much.
struct Unpacked {
    decoder: MultiGzDecoder<BufReader<Counted>>,
    packed: Rc<Cell<u64>>,
    out: u64,
}

impl Read for Unpacked {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let length = self.decoder.read(block)?;
        self.out = self.out.saturating_add(length as u64);
        if is_dense(self.out, self.packed.get()) {
            return Err(io::Error::other(
                "it is packed more densely than photographs can be: a trap",
            ));
        }
        Ok(length)
    }
}

/// A tar whose heads are no longer than they may be; `None` while a file is read.
struct Headed(Box<dyn Read>, Rc<Cell<Option<u64>>>);

impl Read for Headed {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(block)?;
        if let Some(left) = self.1.get() {
            let left = left.checked_sub(length as u64);
            self.1.set(Some(left.ok_or_else(|| {
                io::Error::other("more stands between two files than their names")
            })?));
        }
        Ok(length)
    }
}
