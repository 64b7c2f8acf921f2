//! Opening what was published: from an archive of blocks, or a single sealed file; with the key alone, without a library.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek as _, Write},
    path::{Path, PathBuf},
};

use heirloom_core::ContentHash;
use heirloom_ipfs::{
    CarError, CarFile, Cid, Entry, Layout, PublicationKey, SealError, Unpack, add_file, open_sealed,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    IpfsError,
    index::{File as Known, INDEX, Index, MOST_BYTES, README, SEALED},
};
use crate::export::{Names, Problem, ProblemCode, Why, describe, safe};

/// What was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OpenReport {
    /// Where it is.
    pub folder: String,
    /// The root of the archive.
    pub root_cid: String,
    /// What the collection was called; `None` for what has no index.
    pub collection: Option<String>,
    /// Files that were written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is not as it should be.
    pub problems: Vec<Problem>,
}

/// The name that a file has on IPFS, and how long it is.
///
/// # Errors
/// [`IpfsError::Io`].
pub fn name_file(path: &Path, layout: Layout) -> Result<(Cid, u64), IpfsError> {
    let read = || add_file(File::open(path)?, layout, &mut |_| Ok(()));
    let made = read().map_err(|source| written(path, source))?;
    Ok((made.cid, made.file_bytes))
}

/// Reads an archive to its end, and compares each block with its name; gives the roots, how many blocks there are, and
/// their bytes.
///
/// # Errors
/// [`IpfsError::Car`] names the block that is damaged.
pub fn describe_archive(path: &Path) -> Result<(Vec<Cid>, usize, u64), IpfsError> {
    let file = File::open(path).map_err(|source| written(path, source))?;
    let archive = CarFile::open(file)?;
    Ok((archive.roots().to_vec(), archive.blocks(), archive.bytes()))
}

/// Opens a single sealed file into another, which is not there yet; gives how long it is.
///
/// # Errors
/// [`IpfsError::Seal`]; nothing is left then.
pub fn open_file(sealed: &Path, key: &PublicationKey, out: &Path) -> Result<u64, IpfsError> {
    let file = File::open(sealed).map_err(|source| written(sealed, source))?;
    let mut bytes = 0;
    write_new(out, |writer| {
        bytes = open_sealed(key, &file, writer)?;
        Ok(())
    })?;
    Ok(bytes)
}

/// Opens an archive into a folder that is empty or not there yet, or that an earlier attempt was at: what is whole there
/// stays. `keys` are tried on what is sealed. With `sidecars` what the index says of an original is beside it as XMP.
///
/// # Errors
/// [`IpfsError`]; files that were written are whole.
pub fn open_archive(
    path: &Path,
    keys: &[PublicationKey],
    folder: &Path,
    sidecars: bool,
    stop: &CancellationToken,
) -> Result<OpenReport, IpfsError> {
    let file = File::open(path).map_err(|source| written(path, source))?;
    let archive = CarFile::open(file)?;
    let [root] = archive.roots() else {
        return Err(IpfsError::Index(format!(
            "the archive has {} roots, and one is expected",
            archive.roots().len()
        )));
    };
    fs::create_dir_all(folder).map_err(|source| written(folder, source))?;
    let mut opening = Opening {
        unpack: Unpack::new(&archive),
        keys,
        folder,
        sidecars,
        stop,
        names: Names::default(),
        report: OpenReport {
            folder: folder.display().to_string(),
            root_cid: root.to_string(),
            ..OpenReport::default()
        },
    };
    opening.open(root)?;
    Ok(opening.report)
}

struct Opening<'a> {
    unpack: Unpack<'a>,
    keys: &'a [PublicationKey],
    folder: &'a Path,
    sidecars: bool,
    stop: &'a CancellationToken,
    names: Names,
    report: OpenReport,
}

impl Opening<'_> {
    fn open(&mut self, root: &Cid) -> Result<(), IpfsError> {
        let entries = self.unpack.list(root)?;
        let find = |path: &str| entries.iter().find(|entry| entry.path == path);
        let sealed_index = format!("{INDEX}{SEALED}");
        if let Some(entry) = find(&sealed_index) {
            let (index, key) = self.open_index(&entry.cid)?;
            return self.open_known(index, Some(&key), &entries);
        }
        if let Some(entry) = find(INDEX) {
            let mut bytes = Limited::default();
            self.unpack.write_file(&entry.cid, &mut bytes)?;
            if let Ok(index) = serde_json::from_slice::<Index>(&bytes.0) {
                return self.open_known(index, None, &entries);
            }
        }
        // Of somebody else: as it is.
        for entry in &entries {
            let path = match entry.path.as_str() {
                "" => root.to_string(),
                path => {
                    let names: Vec<String> = path.split('/').map(safe).collect();
                    names.join("/")
                }
            };
            let path = self.names.take(&path);
            self.write_one(&path, entry, None, None)?;
        }
        Ok(())
    }

    /// The index, and the key that opened it.
    fn open_index(&mut self, cid: &Cid) -> Result<(Index, PublicationKey), IpfsError> {
        let mut sealed = Limited::default();
        self.unpack.write_file(cid, &mut sealed)?;
        let mut last = IpfsError::NoKey;
        for key in self.keys {
            let mut plain = Limited::default();
            match open_sealed(key, &*sealed.0, &mut plain) {
                Ok(_) => {
                    let index = serde_json::from_slice(&plain.0)
                        .map_err(|error| IpfsError::Index(error.to_string()))?;
                    return Ok((index, key.clone()));
                }
                Err(SealError::WrongKey) => last = SealError::WrongKey.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(last)
    }

    fn open_known(
        &mut self,
        index: Index,
        key: Option<&PublicationKey>,
        entries: &[Entry],
    ) -> Result<(), IpfsError> {
        if index.format != super::index::FORMAT {
            return Err(IpfsError::Index(format!(
                "it has format {}, which this version does not know",
                index.format
            )));
        }
        self.report.collection = Some(index.collection);
        let by_path: std::collections::HashMap<&str, &Entry> = entries
            .iter()
            .map(|entry| (entry.path.as_str(), entry))
            .collect();
        for known in &index.files {
            // Taken in any case, so that the others are called the same the next time.
            let path = self.names.take(&safe(&known.name));
            match by_path.get(known.path.as_str()) {
                Some(entry) => {
                    self.write_one(&path, entry, key, Some(known))?;
                    self.describe(&path, known)?;
                }
                None => {
                    let what = "it is not in the archive";
                    self.problem(&known.name, Why::new(ProblemCode::Gone, what));
                }
            }
        }
        let unknown = entries.len() - index.files.len().min(entries.len());
        // The index and the words.
        if unknown > 2 {
            let what = format!("{} more files, which the index does not know", unknown - 2);
            self.problem(README, Why::new(ProblemCode::Other, what));
        }
        Ok(())
    }

    /// Writes what the index says of a file beside it, where that is wanted and the file is there.
    fn describe(&self, path: &str, known: &Known) -> Result<(), IpfsError> {
        if !self.sidecars || !self.folder.join(path).exists() {
            return Ok(());
        }
        let date = known.date.as_deref().and_then(|date| date.parse().ok());
        if date.is_none() && known.title.is_none() {
            return Ok(());
        }
        // That name is taken with the file's own.
        let sidecar = self.folder.join(format!("{path}.xmp"));
        let xmp = describe(date, known.title.clone());
        fs::write(&sidecar, xmp).map_err(|source| written(&sidecar, source))
    }

    /// Writes a file, unless it is there. One that is damaged is named, and the others go on.
    fn write_one(
        &mut self,
        path: &str,
        entry: &Entry,
        key: Option<&PublicationKey>,
        known: Option<&Known>,
    ) -> Result<(), IpfsError> {
        if self.stop.is_cancelled() {
            return Err(IpfsError::Cancelled);
        }
        let target = self.folder.join(path);
        if let Some(known) = known
            && hash_of_file(&target).is_some_and(|hash| hash == known.blake3)
        {
            self.report.files += 1;
            self.report.bytes += known.size_bytes;
            return Ok(());
        }
        let unpack = &mut self.unpack;
        let mut bytes = 0;
        let outcome = write_new(&target, |writer| {
            let mut hashing = Hashing {
                writer,
                hasher: blake3::Hasher::new(),
            };
            bytes = match key {
                None => unpack.write_file(&entry.cid, &mut hashing)?,
                Some(key) => {
                    let mut sealed = tempfile::tempfile().map_err(SealError::Io)?;
                    unpack.write_file(&entry.cid, &mut sealed)?;
                    sealed.rewind().map_err(SealError::Io)?;
                    open_sealed(key, sealed, &mut hashing)?
                }
            };
            let found = ContentHash::from_bytes(hashing.hasher.finalize().into());
            match known {
                Some(known) if known.blake3 != found => Err(IpfsError::Index(
                    "its bytes are not those that the index says".to_owned(),
                )),
                _ => Ok(()),
            }
        });
        match outcome {
            Ok(()) => {
                self.report.files += 1;
                self.report.bytes += bytes;
            }
            Err(
                error @ (IpfsError::Index(_)
                | IpfsError::Seal(
                    SealError::Damaged { .. } | SealError::NotSealed | SealError::WrongKey,
                )
                | IpfsError::Car(CarError::Missing { .. } | CarError::NotAFile { .. })),
            ) => {
                let name = known.map_or(path, |known| known.name.as_str());
                self.problem(name, Why::new(ProblemCode::Damaged, error.to_string()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn problem(&mut self, name: &str, why: Why) {
        self.report.problems.push(Problem {
            asset_id: None,
            name: name.to_owned(),
            why,
        });
    }
}

/// Writes a file that gets its name when it is whole.
fn write_new(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), IpfsError>,
) -> Result<(), IpfsError> {
    let failed = |source| written(path, source);
    if path.symlink_metadata().is_ok() {
        return Err(IpfsError::Exists(path.to_owned()));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let partial = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 20, partial.as_file());
    write(&mut writer)?;
    writer.flush().map_err(failed)?;
    drop(writer);
    partial.as_file().sync_all().map_err(failed)?;
    let kept = partial.persist_noclobber(path);
    kept.map_err(|error| failed(error.error))?;
    Ok(())
}

fn hash_of_file(path: &Path) -> Option<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path).ok()?).ok()?;
    Some(ContentHash::from_bytes(hasher.finalize().into()))
}

/// Bytes in memory, up to what an index may have.
#[derive(Default)]
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.0.len() + bytes.len()) as u64 > MOST_BYTES {
            return Err(io::Error::other("the index is far too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes on, and hashes.
struct Hashing<'a> {
    writer: &'a mut dyn Write,
    hasher: blake3::Hasher,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.writer.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn written(path: &Path, source: io::Error) -> IpfsError {
    IpfsError::Io {
        path: PathBuf::from(path),
        source,
    }
}
