//! Writing a bag (BagIt 1.0, RFC 8493), so that it can be gone on with where it was left.
//!
//! A file is written under another name, and given its own when it is whole. What stands in the folder
//! `unfinished` says how far it is: each original with its hashes, once it is on the disk. The files that make the
//! folder a bag come last.

mod earlier;

use std::{
    collections::HashSet,
    fs::{self, File, FileTimes, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use heirloom_core::{AssetId, ContentHash};
use sha2::{Digest as _, Sha512};
use tokio_util::sync::CancellationToken;

use self::earlier::Earlier;
use super::{ExportError, name, unfinished::Unfinished};

/// The files that make a folder a bag, the first of them the one that says so.
const TAGS: [&str; 5] = [
    "bagit.txt",
    "bag-info.txt",
    "manifest-sha512.txt",
    "tagmanifest-sha512.txt",
    "index.html",
];
const BLOCK_BYTES: usize = 1024 * 1024;

/// A bag that is being written.
pub(super) struct Bag {
    root: PathBuf,
    unfinished: Unfinished,
    manifest: BufWriter<File>,
    journal: BufWriter<File>,
    earlier: Earlier,
    files: u64,
    bytes: u64,
}

/// Why a file was not copied.
#[derive(Debug)]
pub(super) enum CopyError {
    /// Its bytes are not those that were catalogued.
    Damaged,
    /// It could not be read to its end.
    Unreadable(io::Error),
    /// It could not be written.
    Export(ExportError),
}

/// A file as it has to be in the bag.
pub(super) struct Wanted<'a> {
    pub(super) path: &'a str,
    pub(super) hash: ContentHash,
    pub(super) size_bytes: u64,
}

/// Who stops a copy, and who is told how many bytes of it are done.
pub(super) struct Reporting<'a> {
    pub(super) stop: &'a CancellationToken,
    pub(super) observe: &'a dyn Fn(u64),
}

impl Bag {
    /// Begins, or goes on with, a bag in a folder that is empty or was begun by the same. What an earlier run
    /// wrote stays until it is known whether it is wanted. `library` says whose it is, from the first moment on.
    pub(super) fn begin(root: &Path, library: &[u8]) -> Result<Self, ExportError> {
        let unfinished = Unfinished::take(root, library)?;
        let earlier = Earlier::gather(root, &unfinished);
        let earlier = earlier.map_err(|error| written(&unfinished.file("originals"), error))?;
        for tag in TAGS {
            let path = root.join(tag);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(written(&path, error));
                }
                _ => {}
            }
        }
        let open = |name: &str| {
            let path = unfinished.file(name);
            let file = File::create(&path).map_err(|error| written(&path, error))?;
            Ok::<_, ExportError>(BufWriter::with_capacity(64 * 1024, file))
        };
        Ok(Self {
            manifest: open("manifest")?,
            journal: open("originals")?,
            root: root.to_owned(),
            unfinished,
            earlier,
            files: 0,
            bytes: 0,
        })
    }

    /// Where a scratch file lies that goes with the export.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.unfinished.file(name)
    }

    /// Copies an original, unless it is there from before; gives its SHA-512 and whether it was copied.
    pub(super) fn add_original(
        &mut self,
        id: AssetId,
        wanted: &Wanted<'_>,
        original: &mut File,
        modified_at_ns: i64,
        reporting: &Reporting<'_>,
    ) -> Result<(String, bool), CopyError> {
        let known = self.earlier.find(id, wanted.hash);
        let known = known.filter(|copied| copied.path == wanted.path);
        let known = known.map(|copied| copied.sum.clone());
        let (sum, is_new) = self.copy_in(wanted, known, original, modified_at_ns, reporting)?;
        let noted = self.note_copied(id, wanted, &sum);
        noted.map_err(CopyError::Export)?;
        Ok((sum, is_new))
    }

    /// Copies any other file whose bytes are known by their hash, unless it is there.
    pub(super) fn add_file(
        &mut self,
        wanted: &Wanted<'_>,
        from: &mut File,
        modified_at_ns: i64,
        stop: &CancellationToken,
    ) -> Result<(), CopyError> {
        let reporting = Reporting {
            stop,
            observe: &|_| {},
        };
        self.copy_in(wanted, None, from, modified_at_ns, &reporting)?;
        Ok(())
    }

    /// Keeps what an earlier run copied of an original, wherever it put it; gives its SHA-512, or `None` where that is
    /// not there.
    pub(super) fn keep_original(
        &mut self,
        id: AssetId,
        wanted: &Wanted<'_>,
        stop: &CancellationToken,
    ) -> Result<Option<String>, ExportError> {
        let known = self.earlier.find(id, wanted.hash);
        let (before, known) = known.map_or((None, None), |copied| {
            let is_here = copied.path == wanted.path;
            (
                Some(copied.path.clone()),
                is_here.then(|| copied.sum.clone()),
            )
        });
        let mut there = self.find_there(wanted, known, stop)?;
        if there.is_none()
            && let Some(path) = before.filter(|path| path != wanted.path)
        {
            // It has another name by now. Another original may have come to the old one, which is told by its bytes.
            let old = Wanted {
                path: &path,
                ..*wanted
            };
            there = self.find_there(&old, None, stop)?;
            if there.is_some() {
                self.give_name(&self.root.join(&path), &self.root.join(wanted.path))?;
            }
        }
        let Some(sum) = there else {
            return Ok(None);
        };
        self.note(wanted.path, &sum, wanted.size_bytes)?;
        self.note_copied(id, wanted, &sum)?;
        Ok(Some(sum))
    }

    /// Keeps any other file whose bytes are known by their hash; `false` where it is not there.
    pub(super) fn keep_file(
        &mut self,
        wanted: &Wanted<'_>,
        stop: &CancellationToken,
    ) -> Result<bool, ExportError> {
        let Some(sum) = self.find_there(wanted, None, stop)? else {
            return Ok(false);
        };
        self.note(wanted.path, &sum, wanted.size_bytes)?;
        Ok(true)
    }

    fn note_copied(
        &mut self,
        id: AssetId,
        wanted: &Wanted<'_>,
        sum: &str,
    ) -> Result<(), ExportError> {
        let noted = writeln!(self.journal, "{id} {} {sum} {}", wanted.hash, wanted.path);
        noted.map_err(|error| written(&self.scratch("originals"), error))
    }

    /// The SHA-512 of a file that is there from before: the one that is known of it, or of its bytes if they are right.
    fn find_there(
        &self,
        wanted: &Wanted<'_>,
        known: Option<String>,
        stop: &CancellationToken,
    ) -> Result<Option<String>, ExportError> {
        let target = self.root.join(wanted.path);
        let is_there = fs::symlink_metadata(&target)
            .is_ok_and(|there| there.is_file() && there.len() == wanted.size_bytes);
        match known {
            _ if !is_there => Ok(None),
            Some(sum) => Ok(Some(sum)),
            None => self.read_again(&target, wanted.hash, stop),
        }
    }

    fn copy_in(
        &mut self,
        wanted: &Wanted<'_>,
        known: Option<String>,
        from: &mut File,
        modified_at_ns: i64,
        reporting: &Reporting<'_>,
    ) -> Result<(String, bool), CopyError> {
        let there = self.find_there(wanted, known, reporting.stop);
        let (sum, is_new) = match there.map_err(CopyError::Export)? {
            Some(sum) => {
                (reporting.observe)(wanted.size_bytes);
                (sum, false)
            }
            None => {
                let part = self.scratch("part");
                let sum = copy(from, &part, wanted.hash, reporting)?;
                set_modified(&part, modified_at_ns);
                let target = self.root.join(wanted.path);
                self.give_name(&part, &target).map_err(CopyError::Export)?;
                (sum, true)
            }
        };
        let noted = self.note(wanted.path, &sum, wanted.size_bytes);
        noted.map_err(CopyError::Export)?;
        Ok((sum, is_new))
    }

    /// Writes a file of the payload, unless it is there just so.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let target = self.root.join(path);
        self.write_at(&target, bytes)?;
        let sum = hex(&Sha512::digest(bytes));
        self.note(path, &sum, bytes.len() as u64)
    }

    /// Begins a file of the payload that is written line by line.
    pub(super) fn begin_lines(&self, path: &str) -> Result<Lines, ExportError> {
        let part = self.scratch(&format!("lines-{:016x}", name::hash(path)));
        let file = File::create(&part).map_err(|error| written(&part, error))?;
        Ok(Lines {
            part,
            path: path.to_owned(),
            file: BufWriter::new(file),
            sum: Sha512::new(),
            bytes: 0,
        })
    }

    /// Ends it.
    pub(super) fn end_lines(&mut self, mut lines: Lines) -> Result<(), ExportError> {
        let flushed = lines.file.flush();
        flushed.map_err(|error| written(&lines.part, error))?;
        let target = self.root.join(&lines.path);
        self.give_name(&lines.part, &target)?;
        let sum = hex(&lines.sum.finalize());
        self.note(&lines.path, &sum, lines.bytes)
    }

    /// Sees to it that everything so far is on the disk, and says so to whoever goes on with it.
    pub(super) fn settle(&mut self) -> Result<(), ExportError> {
        let unfinished = self.scratch("originals");
        let mut settle = || {
            let folder = File::open(&self.root)?;
            rustix::fs::syncfs(&folder)?;
            self.journal.flush()?;
            self.journal.get_ref().sync_data()
        };
        settle().map_err(|error| written(&unfinished, error))
    }

    /// Makes the folder a bag: removes what is no longer wanted, and writes what says what there is.
    pub(super) fn finish(
        mut self,
        about: &[(&str, String)],
        index: &str,
    ) -> Result<(u64, u64), ExportError> {
        let root = self.root.clone();
        self.manifest
            .flush()
            .map_err(|error| written(&root, error))?;
        let manifest = self.scratch("manifest");
        let wanted = read_paths(&manifest).map_err(|error| written(&manifest, error))?;
        remove_unwanted(&root.join("data"), "data", &wanted)
            .map_err(|error| written(&root, error))?;
        let mut info = String::new();
        for (name, value) in about {
            info += &format!("{name}: {}\n", value.replace(['\n', '\r'], " "));
        }
        info += &format!("Payload-Oxum: {}.{}\n", self.bytes, self.files);
        let declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
        let target = root.join("manifest-sha512.txt");
        fs::rename(&manifest, &target).map_err(|error| written(&target, error))?;
        let files = [
            ("bag-info.txt", info.as_bytes()),
            ("bagit.txt", declaration.as_bytes()),
            ("index.html", index.as_bytes()),
        ];
        let mut tags = String::new();
        for (name, bytes) in files {
            tags += &format!("{}  {name}\n", hex(&Sha512::digest(bytes)));
        }
        let sum = sum_of(&target).map_err(|error| written(&target, error))?;
        tags += &format!("{sum}  manifest-sha512.txt\n");
        self.write_at(&root.join("tagmanifest-sha512.txt"), tags.as_bytes())?;
        // What declares the folder a bag comes last.
        for (name, bytes) in [files[0], files[2], files[1]] {
            self.write_at(&root.join(name), bytes)?;
        }
        self.settle()?;
        self.unfinished.remove()?;
        Ok((self.files, self.bytes))
    }

    fn read_again(
        &self,
        path: &Path,
        hash: ContentHash,
        stop: &CancellationToken,
    ) -> Result<Option<String>, ExportError> {
        let mut file = File::open(path).map_err(|error| written(path, error))?;
        let mut sums = Sums::default();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            if stop.is_cancelled() {
                return Err(ExportError::Cancelled);
            }
            // What cannot be read there is written anew.
            let Ok(length) = file.read(&mut block) else {
                return Ok(None);
            };
            if length == 0 {
                break;
            }
            sums.update(&block[..length]);
        }
        let (found, sum) = sums.finish();
        Ok((found == hash).then_some(sum))
    }

    /// Writes a file beside, and gives it its name when it is whole; leaves one alone that is just so.
    fn write_at(&self, target: &Path, bytes: &[u8]) -> Result<(), ExportError> {
        let is_just_so = fs::symlink_metadata(target)
            .is_ok_and(|there| there.is_file() && there.len() == bytes.len() as u64)
            && fs::read(target).is_ok_and(|there| there == bytes);
        if is_just_so {
            return Ok(());
        }
        let part = self.scratch("part");
        fs::write(&part, bytes).map_err(|error| written(&part, error))?;
        self.give_name(&part, target)
    }

    fn give_name(&self, part: &Path, target: &Path) -> Result<(), ExportError> {
        let moved = fs::rename(part, target).or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(part, target)
        });
        moved.map_err(|error| written(target, error))
    }

    fn note(&mut self, path: &str, sum: &str, size_bytes: u64) -> Result<(), ExportError> {
        self.files += 1;
        self.bytes += size_bytes;
        let noted = writeln!(self.manifest, "{sum}  {path}");
        noted.map_err(|error| written(&self.scratch("manifest"), error))
    }
}

/// A file of lines on its way into the bag.
pub(super) struct Lines {
    part: PathBuf,
    path: String,
    file: BufWriter<File>,
    sum: Sha512,
    bytes: u64,
}

impl Lines {
    /// Adds a value as a line of JSON.
    pub(super) fn add(&mut self, value: &impl serde::Serialize) -> Result<(), ExportError> {
        let mut line = serde_json::to_vec(value)
            .map_err(|error| written(&self.part, io::Error::other(error)))?;
        line.push(b'\n');
        self.sum.update(&line);
        self.bytes += line.len() as u64;
        let added = self.file.write_all(&line);
        added.map_err(|error| written(&self.part, error))
    }
}

/// Both hashes of the same bytes.
#[derive(Default)]
struct Sums {
    blake3: blake3::Hasher,
    sha512: Sha512,
}

impl Sums {
    fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha512.update(bytes);
    }

    fn finish(self) -> (ContentHash, String) {
        let hash = ContentHash::from_bytes(*self.blake3.finalize().as_bytes());
        (hash, hex(&self.sha512.finalize()))
    }
}

/// Copies bytes, and gives their SHA-512 if they are those of the hash.
fn copy(
    from: &mut File,
    to: &Path,
    hash: ContentHash,
    Reporting { stop, observe }: &Reporting<'_>,
) -> Result<String, CopyError> {
    let failed = |error| CopyError::Export(written(to, error));
    let mut out = File::create(to).map_err(failed)?;
    let mut sums = Sums::default();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        if stop.is_cancelled() {
            return Err(CopyError::Export(ExportError::Cancelled));
        }
        let length = match from.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Unreadable(error)),
        };
        sums.update(&block[..length]);
        out.write_all(&block[..length]).map_err(failed)?;
        observe(length as u64);
    }
    let (found, sum) = sums.finish();
    if found == hash {
        Ok(sum)
    } else {
        Err(CopyError::Damaged)
    }
}

/// Gives a copy the time of its original, where the file system takes that: it is a nicety.
fn set_modified(path: &Path, modified_at_ns: i64) {
    let Ok(since) = u64::try_from(modified_at_ns) else {
        return;
    };
    let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_nanos(since));
    let set = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_times(times));
    if let Err(error) = set {
        tracing::debug!(%error, "a copy has the time of its copying");
    }
}

fn read_paths(manifest: &Path) -> io::Result<HashSet<u64>> {
    let mut paths = HashSet::new();
    for line in BufReader::new(File::open(manifest)?).lines() {
        if let Some((_, path)) = line?.split_once("  ") {
            paths.insert(name::hash(path));
        }
    }
    Ok(paths)
}

/// Removes files that the manifest does not name, and folders that are empty then.
fn remove_unwanted(folder: &Path, path: &str, wanted: &HashSet<u64>) -> io::Result<bool> {
    let mut is_empty = true;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let path = name.to_str().map(|name| format!("{path}/{name}"));
        if entry.file_type()?.is_dir() {
            let path = path.unwrap_or_default();
            match remove_unwanted(&entry.path(), &path, wanted)? {
                true => fs::remove_dir(entry.path())?,
                false => is_empty = false,
            }
        } else if path.is_some_and(|path| wanted.contains(&name::hash(&path))) {
            is_empty = false;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(is_empty)
}

fn sum_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut sum = Sha512::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&sum.finalize())),
            length => sum.update(&block[..length]),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn written(path: &Path, error: io::Error) -> ExportError {
    if matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) {
        return ExportError::NoSpace {
            missing_bytes: None,
        };
    }
    ExportError::Io {
        path: path.to_owned(),
        source: error,
    }
}
