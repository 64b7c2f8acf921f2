//! Reading a bag (RFC 8493): nothing in it is believed before it was compared with its manifest.

use std::{
    collections::HashSet,
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
    sync::atomic::Ordering,
};

use heirloom_core::path;
use sha2::{Digest as _, Sha512};
use tokio_util::sync::CancellationToken;

use super::{ImportError, Report};
use crate::{
    export::{Meter, ProblemCode, Why, hex},
    original::{EntryKind, Root},
};

/// The longest line that is read: a record of more claims than anybody makes.
const LINE_BYTES: u64 = 64 * 1024 * 1024;
const BLOCK_BYTES: usize = 1024 * 1024;
const MANIFEST: &str = "manifest-sha512.txt";

/// A bag whose files were compared with its manifest.
#[derive(Debug)]
pub(super) struct Bag {
    root: Root,
    /// Hashes of the paths of files that are what the manifest says.
    sound: HashSet<u64>,
}

impl Bag {
    /// Opens a bag and compares every file of it. What is not as it should be is told in the report and passed
    /// over from then on.
    ///
    /// # Errors
    /// [`ImportError::NotAnExport`] also when the manifest itself is damaged.
    pub(super) fn verify(
        folder: &Path,
        stop: &CancellationToken,
        meter: &Meter,
        report: &mut Report,
    ) -> Result<Self, ImportError> {
        let not = |why: &str| ImportError::NotAnExport {
            path: folder.to_owned(),
            why: why.to_owned(),
        };
        let root = Root::open(folder).map_err(|_| not("it cannot be opened"))?;
        let mut bag = Self {
            root,
            sound: HashSet::new(),
        };
        let tags = bag.open("tagmanifest-sha512.txt");
        let tags = BufReader::new(tags.map_err(|_| not("it is not finished"))?);
        let mut has_manifest = false;
        for line in tags.lines().map_while(Result::ok) {
            let Some((sum, name)) = line.split_once("  ") else {
                continue;
            };
            // The other files beside the payload are for people.
            if name == MANIFEST {
                has_manifest = bag.sum(name, stop, None)?.is_ok_and(|found| found == sum);
            }
        }
        if !has_manifest {
            return Err(not("its manifest is damaged"));
        }
        let manifest = bag.open(MANIFEST).map_err(|_| not("it has no manifest"))?;
        for line in BufReader::new(manifest).lines() {
            let line = line.map_err(|_| not("its manifest cannot be read"))?;
            let Some((sum, name)) = line.split_once("  ") else {
                return Err(not("its manifest cannot be read"));
            };
            match bag.sum(name, stop, Some(meter))? {
                Ok(found) if found.eq_ignore_ascii_case(sum) => {
                    bag.sound.insert(hash(name));
                }
                Ok(_) => {
                    let what = "its bytes are not those of the manifest";
                    report.problem(None, name, Why::new(ProblemCode::Damaged, what));
                }
                Err(error) => report.problem(None, name, Why::unreadable(error)),
            }
            report.files += 1;
        }
        Ok(bag)
    }

    /// Opens a file that is what the manifest says.
    pub(super) fn open_sound(&self, path: &str) -> io::Result<File> {
        if !self.sound.contains(&hash(path)) {
            return Err(io::Error::other("it is damaged, or not in the manifest"));
        }
        self.open(path)
    }

    /// The names of the files in a folder, in their order.
    pub(super) fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let listing = self.root.open_folder(folder)?.list(|| true)?;
        let files = listing.iter().filter(|(_, kind)| *kind == EntryKind::File);
        Ok(files.map(|(name, _)| name.to_owned()).collect())
    }

    fn open(&self, path: &str) -> io::Result<File> {
        let text = path::to_text(path.as_bytes());
        let (folder, name) = text.rsplit_once('/').unwrap_or(("", &text));
        let (file, stat) = self.root.open_folder(folder)?.open_file(name)?;
        match stat.kind {
            EntryKind::File => Ok(file),
            _ => Err(io::Error::other("it is no ordinary file")),
        }
    }

    fn sum(
        &self,
        path: &str,
        stop: &CancellationToken,
        meter: Option<&Meter>,
    ) -> Result<io::Result<String>, ImportError> {
        let mut file = match self.open(path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        let mut sum = Sha512::new();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            if stop.is_cancelled() {
                return Err(ImportError::Cancelled);
            }
            match file.read(&mut block) {
                Ok(0) => return Ok(Ok(hex(&sum.finalize()))),
                Ok(length) => {
                    sum.update(&block[..length]);
                    if let Some(meter) = meter {
                        meter.bytes_done.fetch_add(length as u64, Ordering::Relaxed);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

/// The lines of a file, each a value of JSON.
pub(super) struct Lines(BufReader<File>);

impl Lines {
    pub(super) fn of(file: File) -> Self {
        Self(BufReader::new(file))
    }

    /// The next line; an error ends the file.
    pub(super) fn next<T: serde::de::DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let mut line = Vec::new();
        let read = (&mut self.0)
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        serde_json::from_slice(&line)
            .map(Some)
            .map_err(io::Error::other)
    }
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
