//! Going through the folders of an archive and comparing what is there with what is known.
//!
//! Folder by folder, files before folders below, everything in the byte order of the names, so that
//! the names on disk and those in the catalogue are read side by side. Of a folder, the names are held
//! in memory and nothing else.

use std::{collections::BTreeMap, io, sync::Arc};

use heirloom_core::{FolderId, path};
use heirloom_db::{
    Db, DbError,
    archive::Archive,
    clock,
    folder::{Folder as KnownFolder, FolderChange, KnownAs, KnownFile},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    compare::{Known, Names},
    examine::{reason, skipped},
    passed_over,
    presence::has_files,
    report::{Outcome, Reporter},
    work::{Event, FolderRef, Job, Role},
};
use crate::original::{EntryKind, FileStat, Folder, Identity, Listing, Root};

/// How many folders may lie within each other: more than any people make.
const DEPTH: usize = 1000;
/// Why a folder is left as it was known.
const AWAY: &str = "the disk that was mounted here is not there, or has no file";
/// How many names are looked at between two questions to the catalogue.
const AT_ONCE: usize = 1000;

pub(super) struct Walk<'a, 'o> {
    pub(super) db: &'a Db,
    pub(super) archive: &'a Archive,
    pub(super) root: Arc<Root>,
    /// Heirloom's own data folder, if it is there.
    pub(super) data_folder: Option<Identity>,
    pub(super) is_verifying: bool,
    /// Whether a disk without any file is believed.
    pub(super) allow_empty: bool,
    pub(super) reporter: &'a Reporter<'o>,
    pub(super) stop: &'a CancellationToken,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) sequence: u64,
}

/// A folder that is to be looked into.
struct Visit {
    path: String,
    /// What the catalogue knows of it, as far as that was asked.
    known: Option<KnownFolder>,
    /// The folder that it is in, and whether that was known before.
    parent: Option<(FolderId, bool)>,
    /// The folders above it, to notice when one of them comes round again.
    above: Option<Arc<Ancestor>>,
}

/// A folder that is being looked through.
struct Opened {
    folder: Arc<Folder>,
    listing: Arc<Listing>,
    /// Whether a change time that differs says anything.
    keeps_change_times: bool,
}

/// A folder on the way down.
struct Ancestor {
    identity: Identity,
    above: Option<Arc<Ancestor>>,
}

/// The walk cannot go on; why has been or will be said by others when it is nothing of its own.
pub(super) enum WalkError {
    Db(DbError),
    /// Nobody takes what is found any more.
    Abandoned,
}

impl From<DbError> for WalkError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl<T> From<mpsc::error::SendError<T>> for WalkError {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self::Abandoned
    }
}

impl Walk<'_, '_> {
    /// Goes everywhere; `false` when it was told to stop before that.
    pub(super) async fn run(mut self) -> Result<bool, WalkError> {
        let mut to_visit = vec![Visit {
            path: String::new(),
            known: None,
            parent: None,
            above: None,
        }];
        while let Some(visit) = to_visit.pop() {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let mut below = self.visit(visit).await?;
            // The last is visited next.
            below.reverse();
            to_visit.append(&mut below);
        }
        self.reporter.all_listed();
        Ok(!self.stop.is_cancelled())
    }

    /// Looks through one folder; gives the folders in it, in order.
    async fn visit(&mut self, visit: Visit) -> Result<Vec<Visit>, WalkError> {
        let path = visit.path;
        let (opened, identity) = match self.open(&path).await {
            Ok(opened) => opened,
            Err(_) if self.stop.is_cancelled() => return Ok(Vec::new()),
            Err(error) => {
                // What cannot be listed has not gone: nothing in it is touched.
                self.say(&path, "", Outcome::Failed, reason(&error));
                return Ok(Vec::new());
            }
        };
        if let Some(reason) = self.avoided(&path, identity, visit.above.as_deref()) {
            self.say(&path, "", Outcome::Skipped, reason.to_owned());
            if let Some(known) = visit.known {
                self.leave_all_below(known).await?;
            }
            return Ok(Vec::new());
        }
        let is_mount = visit
            .above
            .as_ref()
            .is_some_and(|above| !identity.shares_device_with(above.identity));
        if let Some(known) = &visit.known
            && (known.is_mount || is_mount)
            && self.is_away(known).await?
        {
            self.say(&path, "", Outcome::Skipped, AWAY.to_owned());
            return Ok(Vec::new());
        }
        let (folder, known) = self
            .enter(path, visit.known, visit.parent, is_mount)
            .await?;
        let jobs_before = self.sequence;
        let Some(folders) = self
            .compare_files(&folder, known.is_some(), &opened)
            .await?
        else {
            return Ok(Vec::new());
        };
        let above = Some(Arc::new(Ancestor {
            identity,
            above: visit.above,
        }));
        let below = self
            .compare_folders(&folder, known.is_some(), folders, above)
            .await?;
        self.events
            .send(Event::Listed {
                folder,
                jobs: self.sequence - jobs_before,
                is_settled: known == Some(true),
            })
            .await?;
        Ok(below)
    }

    /// Makes a folder known that was not, or not any more; gives whether it was known before, be it
    /// as gone, and then whether it is settled.
    async fn enter(
        &mut self,
        path: String,
        known: Option<KnownFolder>,
        parent: Option<(FolderId, bool)>,
        is_mount: bool,
    ) -> Result<(Arc<FolderRef>, Option<bool>), WalkError> {
        let found = match (known, parent) {
            (Some(known), _) => Some((known, true)),
            // Below a folder that is new itself, nothing can be known.
            (None, Some((_, false))) => None,
            (None, _) => self.db.find_folder(self.archive.id, &path).await?,
        };
        let Some((known, is_there)) = found else {
            let id = clock::new_id();
            let came = FolderChange::Came {
                id,
                parent: parent.map(|(id, _)| id),
                path: path.clone(),
                is_mount,
            };
            self.events.send(Event::Folder(came)).await?;
            return Ok((Arc::new(FolderRef { id, path }), None));
        };
        let id = known.id;
        if !is_there {
            let back = FolderChange::CameBack(id);
            self.events.send(Event::Folder(back)).await?;
        }
        if known.is_mount != is_mount {
            let mounted = FolderChange::Mounted(id, is_mount);
            self.events.send(Event::Folder(mounted)).await?;
        }
        let is_settled = is_there && known.is_settled;
        Ok((Arc::new(FolderRef { id, path }), Some(is_settled)))
    }

    async fn open(&self, path: &str) -> io::Result<(Opened, Identity)> {
        let (root, path) = (Arc::clone(&self.root), path.to_owned());
        let stop = self.stop.clone();
        blocking(move || {
            let folder = root.open_folder(&path)?;
            let identity = folder.identity()?;
            let opened = Opened {
                keeps_change_times: folder.keeps_change_times()?,
                listing: Arc::new(folder.list(|| !stop.is_cancelled())?),
                folder: Arc::new(folder),
            };
            Ok((opened, identity))
        })
        .await
    }

    /// Why a folder is not gone into, wherever it is.
    fn avoided(
        &self,
        path: &str,
        identity: Identity,
        above: Option<&Ancestor>,
    ) -> Option<&'static str> {
        if path.bytes().filter(|byte| *byte == b'/').count() >= DEPTH {
            return Some("a folder within too many others");
        }
        if self.data_folder == Some(identity) {
            return Some("the data folder of this program");
        }
        let mut above = above;
        while let Some(ancestor) = above {
            if ancestor.identity == identity {
                return Some("a folder that contains itself");
            }
            above = ancestor.above.as_deref();
        }
        None
    }

    /// Compares the files of a folder with what is known; gives the names of the folders in it, or
    /// nothing when it was told to stop.
    async fn compare_files(
        &mut self,
        folder: &Arc<FolderRef>,
        is_known: bool,
        opened: &Opened,
    ) -> Result<Option<Vec<String>>, WalkError> {
        let listing = &opened.listing;
        let names = Names::of(listing);
        let mut known = Known::of(self.db, folder.id, is_known, self.is_verifying);
        let mut folders = Vec::new();
        self.reporter.listed(names.count_files());
        for start in (0..listing.len()).step_by(AT_ONCE) {
            if self.stop.is_cancelled() {
                return Ok(None);
            }
            let end = (start + AT_ONCE).min(listing.len());
            let stats = look_at(&opened.folder, listing, start..end).await;
            let mut done = 0;
            for (index, stat) in (start..end).zip(stats) {
                let Some((name, kind)) = listing.get(index) else {
                    break;
                };
                while let Some(gone) = known.next_before(name).await? {
                    self.gone(folder, gone, None).await?;
                }
                let here = known.take(name).await?;
                let is_folder = stat.as_ref().map_or(kind == EntryKind::Folder, |stat| {
                    stat.as_ref()
                        .is_ok_and(|stat| stat.kind == EntryKind::Folder)
                });
                if is_folder {
                    if kind != EntryKind::Folder {
                        self.reporter.is_no_file();
                    }
                    folders.push(name.to_owned());
                    if let Some(here) = here {
                        self.gone(folder, here, None).await?;
                    }
                    continue;
                }
                if !self
                    .compare_file(
                        folder,
                        (name, kind),
                        stat,
                        (names.role(index), opened.keeps_change_times),
                        here,
                        &mut known,
                    )
                    .await?
                {
                    done += 1;
                }
            }
            self.reporter.done(done);
        }
        while let Some(gone) = known.next().await? {
            self.gone(folder, gone, None).await?;
        }
        Ok(Some(folders))
    }

    /// Compares one file with what is known at its path; gives whether it has to be read.
    async fn compare_file(
        &mut self,
        folder: &Arc<FolderRef>,
        (name, kind): (&str, EntryKind),
        stat: Option<io::Result<FileStat>>,
        (role, keeps_change_times): (Role, bool),
        here: Option<KnownFile>,
        known: &mut Known<'_>,
    ) -> Result<bool, WalkError> {
        let passed_over = passed_over::file_reason(name);
        let stat = match stat {
            Some(Ok(stat)) => stat,
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                // It went between the listing and now.
                if let Some(here) = here {
                    self.gone(folder, here, None).await?;
                }
                return Ok(false);
            }
            Some(Err(error)) => {
                self.say(&folder.path, name, Outcome::Failed, reason(&error));
                return Ok(false);
            }
            None => FileStat::unseen(kind),
        };
        if let Some(reason) = passed_over.or_else(|| skipped(&stat)) {
            match here {
                Some(here) => self.gone(folder, here, Some(reason)).await?,
                None => self.say(&folder.path, name, Outcome::Skipped, reason.to_owned()),
            }
            return Ok(false);
        }
        let is_unchanged = here
            .as_ref()
            .is_some_and(|here| is_same(here, &stat, role, keeps_change_times));
        let expected = match &here {
            Some(here) if is_unchanged => {
                if !self.is_verifying {
                    let asset = match here.what {
                        KnownAs::Location(_, asset) => Some(asset),
                        KnownAs::Sidecar(_) => None,
                    };
                    let path = path::join(&folder.path, name);
                    self.reporter.file(path, Outcome::Unchanged, asset, None);
                    return Ok(false);
                }
                known.content_hash(name).await?
            }
            _ => None,
        };
        self.reporter.to_read(stat.size_bytes);
        let job = Job {
            sequence: self.sequence,
            folder: Arc::clone(folder),
            name: name.to_owned(),
            role,
            known: here.map(|here| here.what),
            expected,
        };
        self.sequence += 1;
        self.jobs.send(job).await?;
        Ok(true)
    }

    /// Compares the folders in a folder with what is known; gives those to be looked into, in order.
    async fn compare_folders(
        &mut self,
        folder: &FolderRef,
        is_known: bool,
        names: Vec<String>,
        above: Option<Arc<Ancestor>>,
    ) -> Result<Vec<Visit>, WalkError> {
        let mut known: BTreeMap<String, KnownFolder> = BTreeMap::new();
        if is_known {
            let children = self.db.list_child_folders(folder.id).await?.into_iter();
            known.extend(children.map(|child| (child.path.clone(), child)));
        }
        // What is passed over may tell by the folders that it is in, and the root may be one of them.
        let root = self.archive.root.as_deref().unwrap_or_default();
        let root_name = root.rsplit('/').next().unwrap_or_default();
        let mut visits = Vec::with_capacity(names.len());
        for name in names {
            let path = path::join(&folder.path, &name);
            if let Some(reason) = passed_over::folder_reason(&path::join(root_name, &path)) {
                self.say(&path, "", Outcome::Skipped, reason.to_owned());
                continue;
            }
            visits.push(Visit {
                known: known.remove(&path),
                path,
                parent: Some((folder.id, is_known)),
                above: above.clone(),
            });
        }
        for gone in known.into_values() {
            if gone.is_mount && self.is_away(&gone).await? {
                self.say(&gone.path, "", Outcome::Skipped, AWAY.to_owned());
            } else {
                self.leave_all_below(gone).await?;
            }
        }
        Ok(visits)
    }

    /// Says that a folder has gone, with everything that was known in it. Where a disk was mounted
    /// below, that and the way to it stay known: it is asked for again the next time.
    async fn leave_all_below(&mut self, folder: KnownFolder) -> Result<(), WalkError> {
        let mut folders = vec![folder];
        let mut kept: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(folder) = folders.get(at) {
            for child in self.db.list_child_folders(folder.id).await? {
                if child.is_mount && self.is_away(&child).await? {
                    self.say(&child.path, "", Outcome::Skipped, AWAY.to_owned());
                    kept.push(child.path);
                } else {
                    folders.push(child);
                }
            }
            at += 1;
        }
        // What is below comes later in the list, and goes first.
        for folder in folders.into_iter().rev() {
            if self.stop.is_cancelled() {
                return Ok(());
            }
            let is_on_the_way = kept.iter().any(|kept| {
                kept.strip_prefix(&folder.path)
                    .is_some_and(|rest| rest.starts_with('/'))
            });
            let mut known = Known::of(self.db, folder.id, true, false);
            let folder = Arc::new(FolderRef {
                id: folder.id,
                path: folder.path,
            });
            while let Some(gone) = known.next().await? {
                self.gone(&folder, gone, None).await?;
            }
            if !is_on_the_way {
                self.events.send(Event::FolderGone(folder)).await?;
            }
        }
        Ok(())
    }

    /// Whether a folder had files and has none, itself and everything below it, and that is not to
    /// be believed. To be asked only where a disk is or was mounted.
    async fn is_away(&self, folder: &KnownFolder) -> Result<bool, WalkError> {
        if self.allow_empty {
            return Ok(false);
        }
        let (root, path) = (Arc::clone(&self.root), folder.path.clone());
        let data_folder = self.data_folder;
        let found = blocking(move || has_files(&root, &path, data_folder)).await;
        // A folder that cannot be opened is not there either.
        if found.unwrap_or(false) {
            return Ok(false);
        }
        let mut folders = vec![folder.id];
        while let Some(folder) = folders.pop() {
            if !self.db.list_known_files(folder, "", 1).await?.is_empty() {
                return Ok(true);
            }
            let children = self.db.list_child_folders(folder).await?;
            folders.extend(children.into_iter().map(|child| child.id));
        }
        Ok(false)
    }

    async fn gone(
        &mut self,
        folder: &Arc<FolderRef>,
        file: KnownFile,
        reason: Option<&'static str>,
    ) -> Result<(), WalkError> {
        let gone = Event::Gone {
            folder: Arc::clone(folder),
            name: file.name,
            known: file.what,
            reason,
        };
        Ok(self.events.send(gone).await?)
    }

    fn say(&self, folder: &str, name: &str, outcome: Outcome, reason: String) {
        let path = match name {
            "" => folder.to_owned(),
            name => path::join(folder, name),
        };
        self.reporter.file(path, outcome, None, Some(reason));
    }
}

/// Looks at those entries of a listing that may be files, or of which the listing says nothing.
async fn look_at(
    folder: &Arc<Folder>,
    listing: &Arc<Listing>,
    range: std::ops::Range<usize>,
) -> Vec<Option<io::Result<FileStat>>> {
    let (folder, listing) = (Arc::clone(folder), Arc::clone(listing));
    let count = range.len();
    let looked = blocking(move || {
        let entries = range.filter_map(|index| listing.get(index));
        Ok(entries
            .map(|(name, kind)| {
                let is_open = matches!(kind, EntryKind::File | EntryKind::Unknown);
                is_open.then(|| folder.stat(name))
            })
            .collect())
    })
    .await;
    // Only a runtime that shuts down does not answer; then nothing counts as gone.
    looked.unwrap_or_else(|_: io::Error| {
        (0..count)
            .map(|_| Some(Err(io::ErrorKind::Interrupted.into())))
            .collect()
    })
}

fn is_same(known: &KnownFile, stat: &FileStat, role: Role, keeps_change_times: bool) -> bool {
    let is_role_same = matches!(
        (known.what, role),
        (KnownAs::Location(..), Role::Original) | (KnownAs::Sidecar(_), Role::Sidecar(_))
    );
    let catalogued = (known.size_bytes, known.modified_at_ns, known.changed_at_ns);
    is_role_same && stat.is_as_catalogued(catalogued, keeps_change_times)
}

/// Runs what may wait for the disk away from the tasks.
pub(super) async fn blocking<T, F>(step: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(step)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}
