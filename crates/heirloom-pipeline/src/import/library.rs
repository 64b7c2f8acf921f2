//! Importing what an export wrote, into an empty library or one that has something.
//!
//! The bag is compared with its manifest first, and what is damaged is named and passed over: it can be imported
//! once it is mended. Originals go into the vault and keep what is known of where they were. What is here stays as
//! it is, and everything is found again by its id, so that an import that was killed is simply done once more.

use std::{
    collections::HashMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use heirloom_blobs::BlobError;
use heirloom_core::{
    ArtifactId, AssetId, AudienceId, ContentHash, audience::AudienceKind, face::Face,
};
use heirloom_db::{
    archive::Archive,
    collection::Collection,
    export::Audience,
    family::Family,
    import::{Brought, NewStack, Outcome, WholeCollection},
    stack::StackKind,
    text::Text,
};
use tokio_util::sync::CancellationToken;

use super::{
    AT_ONCE, ImportError, Report, Source,
    bag::{Bag, Lines},
    blocking, record,
};
use crate::{
    Context,
    add::Underway,
    export::{
        Meter, ProblemCode, Why,
        format::{
            ASSETS, AssetRecord, COLLECTIONS, CollectionRecord, LIBRARY, LibraryRecord,
            MemberRecord, PublicationRecord, STACKS, StackRecord, VERSION,
        },
        publication, text_of,
    },
    original::Root,
    tool::faces::faces_of,
};

/// Whether a folder is an export, or what is left of one: then it is not taken for anybody's plain folder.
pub(super) fn is_bag(folder: &Path) -> bool {
    let marks = ["bagit.txt", "manifest-sha512.txt", LIBRARY];
    marks.into_iter().any(|mark| {
        let (below, name) = mark.rsplit_once('/').unwrap_or(("", mark));
        let root = Root::open(folder).and_then(|root| root.open_folder(below));
        root.and_then(|folder| folder.stat(name)).is_ok()
    })
}

/// Whether a folder is an export that can be imported; gives its true path. Its files are not compared yet.
///
/// # Errors
/// [`ImportError`].
pub(super) fn check(folder: &Path) -> Result<PathBuf, ImportError> {
    let not = |why: &str| ImportError::NotAnExport {
        path: folder.to_owned(),
        why: why.to_owned(),
    };
    let path = folder
        .canonicalize()
        .map_err(|_| ImportError::Missing(folder.to_owned()))?;
    let declared = read(&path, "", "bagit.txt").map_err(|_| not("it has no bagit.txt"))?;
    if !declared.starts_with(b"BagIt-Version: ") {
        return Err(not("its bagit.txt declares nothing"));
    }
    let (below, name) = LIBRARY.rsplit_once('/').unwrap_or(("", LIBRARY));
    let library = read(&path, below, name).map_err(|_| not("it has no library.json"))?;
    let library: LibraryRecord =
        serde_json::from_slice(&library).map_err(|_| not("its library.json cannot be read"))?;
    match library.format_version {
        0..=VERSION => Ok(path),
        found => Err(ImportError::Newer { found }),
    }
}

/// The most bytes of a file that says what something is.
const HEAD_BYTES: u64 = 64 * 1024 * 1024;

fn read(root: &Path, below: &str, name: &str) -> io::Result<Vec<u8>> {
    let (file, _) = Root::open(root)?.open_folder(below)?.open_file(name)?;
    let mut bytes = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Imports an export from a folder that [`check_import`] gave, or (`is_dry`) says what that would do.
///
/// # Errors
/// [`ImportError`]. What was imported before stays, and is not imported again.
pub(super) async fn import(
    ctx: &Context,
    family: &Family,
    folder: &Path,
    is_dry: bool,
    stop: &CancellationToken,
    meter: &Arc<Meter>,
) -> Result<Report, ImportError> {
    let mut report = Report {
        folder: folder.display().to_string(),
        source: Source::Export.as_str().to_owned(),
        is_dry,
        ..Report::default()
    };
    let verified = blocking({
        let (folder, stop, meter) = (folder.to_owned(), stop.clone(), Arc::clone(meter));
        move || {
            let (files, bytes) = announced(&folder);
            meter.bytes.store(bytes, Ordering::Relaxed);
            meter.files.store(files, Ordering::Relaxed);
            let bag = Bag::verify(&folder, &stop, &meter, &mut report)?;
            Ok((bag, report))
        }
    });
    let (bag, report) = verified.await?;
    let library: Option<LibraryRecord> = bag
        .open_sound(LIBRARY)
        .ok()
        .and_then(|file| serde_json::from_reader(file).ok());
    let Some(library) = library else {
        return Err(ImportError::NotAnExport {
            path: folder.to_owned(),
            why: "its library.json is damaged".to_owned(),
        });
    };
    let vault = ctx.db.get_or_create_vault(&ctx.actor, family).await?;
    let mut importing = Importing {
        ctx,
        family,
        vault,
        bag,
        report,
        stop,
        meter,
        audiences: HashMap::new(),
        others: HashMap::new(),
        replaced: Vec::new(),
    };
    importing.read_audiences(&library, is_dry).await?;
    importing.read_assets().await?;
    if !is_dry {
        importing.store_replacements().await?;
    }
    importing.read_stacks().await?;
    importing.read_collections().await?;
    Ok(importing.report)
}

/// How many files and bytes a bag says that it has.
fn announced(folder: &Path) -> (u64, u64) {
    let info = read(folder, "", "bag-info.txt").unwrap_or_default();
    let info = String::from_utf8_lossy(&info);
    let mut lines = info.lines();
    let oxum = lines.find_map(|line| line.strip_prefix("Payload-Oxum: "));
    let parts = oxum.and_then(|oxum| oxum.trim().split_once('.'));
    let parts = parts.map(|(bytes, files)| (files.parse().ok(), bytes.parse().ok()));
    let (files, bytes) = parts.unwrap_or_default();
    (files.unwrap_or(0), bytes.unwrap_or(0))
}

struct Importing<'a> {
    ctx: &'a Context,
    family: &'a Family,
    vault: Archive,
    bag: Bag,
    report: Report,
    stop: &'a CancellationToken,
    meter: &'a Meter,
    /// Which audience here is which there.
    audiences: HashMap<AudienceId, AudienceId>,
    /// Assets that have another id here.
    others: HashMap<AssetId, AssetId>,
    /// Which asset took the place of which, by their ids there.
    replaced: Vec<(AssetId, AssetId)>,
}

impl Importing<'_> {
    async fn read_audiences(
        &mut self,
        library: &LibraryRecord,
        is_dry: bool,
    ) -> Result<(), ImportError> {
        for record in library.audiences.iter().filter(|_| !is_dry) {
            let audience = Audience {
                id: record.id,
                kind: AudienceKind::Members,
                name: record.name.clone(),
                created_at_ms: record.created_at_ms,
            };
            let Context { db, actor, .. } = self.ctx;
            let own = db.import_audience(actor, self.family.id, &audience).await?;
            self.audiences.insert(record.id, own);
        }
        Ok(())
    }

    /// Who may see something here; `None` when the export does not say who that is.
    fn audience(&self, there: Option<AudienceId>) -> Option<AudienceId> {
        match there {
            None => Some(self.family.audience_id),
            Some(id) => self.audiences.get(&id).copied(),
        }
    }

    async fn read_assets(&mut self) -> Result<(), ImportError> {
        let names = match self.bag.list(ASSETS) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.report.problem(None, ASSETS, Why::unreadable(error));
                Vec::new()
            }
        };
        for name in names {
            let path = format!("{ASSETS}/{name}");
            let file = match self.bag.open_sound(&path) {
                Ok(file) => file,
                // It was named when it was compared.
                Err(_) => continue,
            };
            let mut lines = Lines::of(file);
            let mut batch = Vec::new();
            loop {
                let next = match lines.next::<AssetRecord>() {
                    Ok(next) => next,
                    Err(error) => {
                        self.report.problem(None, &path, bad_line(&error));
                        None
                    }
                };
                let is_last = next.is_none();
                batch.extend(next);
                if batch.len() == AT_ONCE || (is_last && !batch.is_empty()) {
                    self.bring(std::mem::take(&mut batch)).await?;
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn bring(&mut self, records: Vec<AssetRecord>) -> Result<(), ImportError> {
        if self.stop.is_cancelled() {
            return Err(ImportError::Cancelled);
        }
        let Context { db, actor, .. } = self.ctx;
        let hashes: Vec<ContentHash> = records.iter().map(|record| record.blake3).collect();
        let held = db.find_held(actor, self.family.id, &hashes).await?;
        let is_held = |hash: ContentHash| held.iter().any(|held| held.content_hash == hash);
        let count = records.len() as u64;
        if self.report.is_dry {
            for record in &records {
                match is_held(record.blake3) {
                    true => self.report.known += 1,
                    false => self.report.added += 1,
                }
            }
            self.meter.files_done.fetch_add(count, Ordering::Relaxed);
            return Ok(());
        }
        // Until they are recorded, nobody refers to what is put.
        let underway = Underway::begin();
        let mut brought = Vec::with_capacity(records.len());
        let mut ids = Vec::with_capacity(records.len());
        for record in records {
            let (id, replaced) = (record.id, record.replaces_asset_id);
            let hash = record.blake3;
            if let Some(one) = self.prepare(record, is_held(hash)).await? {
                brought.push(one);
                ids.push((id, replaced));
            }
        }
        let imported = db.import_assets(actor, &self.vault, &brought).await?;
        drop(underway);
        for ((there, replaced), imported) in ids.into_iter().zip(imported) {
            self.report.claims += imported.claims as u64;
            match imported.outcome {
                Outcome::Added => self.report.added += 1,
                Outcome::Completed => self.report.completed += 1,
                Outcome::Known => self.report.known += 1,
                Outcome::Purged => self.report.passed_over += 1,
            }
            if let Some(here) = imported.asset.filter(|here| *here != there) {
                self.others.insert(there, here);
            }
            self.replaced
                .extend(replaced.map(|replaced| (there, replaced)));
        }
        self.meter.files_done.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Puts what goes with an asset into the store; `None` for a record that cannot be understood.
    async fn prepare(
        &mut self,
        mut record: AssetRecord,
        is_held: bool,
    ) -> Result<Option<Brought>, ImportError> {
        let Some(audience) = self.audience(record.audience_id) else {
            self.refuse(&record, no_audience());
            return Ok(None);
        };
        let mut has_bytes = false;
        if let Some(path) = record.path.clone().filter(|_| !is_held) {
            match self.put(&path, record.blake3).await? {
                Ok(size_bytes) => {
                    record.size_bytes = i64::try_from(size_bytes).unwrap_or(i64::MAX);
                    has_bytes = true;
                }
                Err(why) => self.refuse(&record, why.of_file(&path)),
            }
        }
        let mut sidecars = Vec::new();
        for sidecar in std::mem::take(&mut record.sidecars) {
            let Some(path) = &sidecar.path else { continue };
            match self.put(path, sidecar.blake3).await? {
                Ok(_) => sidecars.push(sidecar),
                Err(why) => self.refuse(&record, why.of_file(path)),
            }
        }
        record.sidecars = sidecars;
        let mut texts: HashMap<ArtifactId, Text> = HashMap::new();
        let mut faces: HashMap<ArtifactId, Vec<Face>> = HashMap::new();
        let mut blobs: HashMap<ArtifactId, (ContentHash, u64)> = HashMap::new();
        let mut artifacts = Vec::new();
        for artifact in std::mem::take(&mut record.artifacts) {
            let mut payload = artifact.payload.clone();
            if let (Some(path), Some(hash)) = (&artifact.payload_path, artifact.payload_blake3) {
                match self.put(path, hash).await? {
                    Ok(size_bytes) => {
                        blobs.insert(artifact.id, (hash, size_bytes));
                        let read = self.bag.open_sound(path).ok();
                        payload = payload.or_else(|| serde_json::from_reader(read?).ok());
                    }
                    Err(why) => {
                        self.refuse(&record, why.of_file(path));
                        continue;
                    }
                }
            }
            if let Some(text) = payload.as_ref().and_then(|it| text_of(&artifact.kind, it)) {
                texts.insert(artifact.id, text);
            }
            if let Some(found) = payload.and_then(|json| faces_of(&artifact.kind, json)) {
                faces.insert(artifact.id, found);
            }
            artifacts.push(artifact);
        }
        record.artifacts = artifacts;
        let (id, name) = (record.id, record.name.clone());
        match record::whole_of(record, self.family.id, audience, &blobs) {
            Ok(whole) => Ok(Some(Brought {
                whole,
                has_bytes,
                texts,
                faces,
            })),
            Err(why) => {
                let why = Why::new(ProblemCode::BadRecord, why);
                self.report.problem(Some(id), &name, why);
                Ok(None)
            }
        }
    }

    fn refuse(&mut self, record: &AssetRecord, why: Why) {
        self.report.problem(Some(record.id), &record.name, why);
    }

    /// Puts a file of the bag into the store; gives its length, or why it cannot be believed.
    async fn put(&self, path: &str, hash: ContentHash) -> Result<Result<u64, Why>, ImportError> {
        let file = match self.bag.open_sound(path) {
            Ok(file) => file,
            // What is in the manifest was read before.
            Err(error) => return Ok(Err(damaged(error))),
        };
        let length = file.metadata().map(|metadata| metadata.len());
        // Many are small: they need no task that reads ahead.
        let put = if length.is_ok_and(|length| length <= 64 * 1024) {
            let mut file = file;
            let mut bytes = Vec::new();
            if let Err(error) = io::Read::read_to_end(&mut file, &mut bytes) {
                return Ok(Err(Why::unreadable(error)));
            }
            if blake3::hash(&bytes).as_bytes() != hash.as_bytes() {
                return Ok(Err(damaged("its bytes are not those of the record")));
            }
            self.ctx.blobs.put_bytes(Bytes::from(bytes)).await
        } else {
            let mut file = tokio::fs::File::from_std(file);
            self.ctx.blobs.put(&mut file, Some(hash)).await
        };
        match put {
            Ok(put) => Ok(Ok(put.size_bytes)),
            Err(error @ BlobError::Mismatch { .. }) => Ok(Err(damaged(error))),
            Err(BlobError::Source(error)) => Ok(Err(Why::unreadable(error))),
            Err(error) => Err(error.into()),
        }
    }

    /// What an asset is called here.
    fn here(&self, there: AssetId) -> AssetId {
        self.others.get(&there).copied().unwrap_or(there)
    }

    async fn store_replacements(&self) -> Result<(), ImportError> {
        let Context { db, actor, .. } = self.ctx;
        let pairs = self.replaced.iter();
        let pairs: Vec<_> = pairs
            .map(|(new, old)| (self.here(*new), self.here(*old)))
            .collect();
        for pairs in pairs.chunks(500) {
            db.import_replacements(actor, pairs).await?;
        }
        Ok(())
    }

    async fn read_stacks(&mut self) -> Result<(), ImportError> {
        let Ok(file) = self.bag.open_sound(STACKS) else {
            return Ok(());
        };
        let mut lines = Lines::of(file);
        while let Some(record) = self.next_line::<StackRecord>(&mut lines, STACKS) {
            let Some(kind) = StackKind::from_word(&record.kind) else {
                continue;
            };
            let ids: Vec<AssetId> = record.asset_ids.iter().map(|id| self.here(*id)).collect();
            let Context { db, actor, .. } = self.ctx;
            let there = db.find_assets(actor, &ids).await?;
            let is_there = |id: &AssetId| there.iter().any(|asset| asset.id == *id);
            let stack = NewStack {
                id: record.id,
                kind,
                name: record.name,
                members: ids.into_iter().filter(is_there).collect(),
            };
            if stack.members.len() > 1 && !self.report.is_dry {
                self.report.stacks += db.import_stacks(actor, &self.vault, &[stack]).await?;
            }
        }
        Ok(())
    }

    async fn read_collections(&mut self) -> Result<(), ImportError> {
        let Ok(file) = self.bag.open_sound(COLLECTIONS) else {
            return Ok(());
        };
        let mut lines = Lines::of(file);
        while let Some(mut record) = self.next_line::<CollectionRecord>(&mut lines, COLLECTIONS) {
            if self.stop.is_cancelled() {
                return Err(ImportError::Cancelled);
            }
            if self.report.is_dry {
                continue;
            }
            let Some(audience) = self.audience(record.audience_id) else {
                self.report.problem(None, &record.name, no_audience());
                continue;
            };
            let mut members = Vec::new();
            if let Some(path) = &record.members_path {
                let Ok(file) = self.bag.open_sound(path) else {
                    let what = "what is in it is damaged, so it is not imported";
                    self.report.problem(None, &record.name, damaged(what));
                    continue;
                };
                let mut lines = Lines::of(file);
                while let Some(member) = self.next_line::<MemberRecord>(&mut lines, path) {
                    members.push((self.here(member.asset_id), member.added_at_ms));
                }
            }
            let published = record.publication.take();
            let whole = WholeCollection {
                collection: record::collection_of(record, self.family.id, audience),
                members,
            };
            let Context { db, actor, .. } = self.ctx;
            if db.import_collection(actor, self.family.id, &whole).await? {
                self.report.collections += 1;
            }
            if let Some(published) = published {
                self.bring_publication(&whole.collection, published).await?;
            }
        }
        Ok(())
    }

    /// What was published of a collection, unless something was from here.
    async fn bring_publication(
        &mut self,
        collection: &Collection,
        record: PublicationRecord,
    ) -> Result<(), ImportError> {
        let Context { db, actor, .. } = self.ctx;
        // One of another family has this id, and what came has one that nobody published.
        let here = db.get_collection(actor, collection.id).await;
        if !here.is_ok_and(|here| here.family_id == self.family.id) {
            return Ok(());
        }
        let Some((publication, pins, mut sent)) = publication::read(record, collection.id) else {
            let what = "what was published of it cannot be understood";
            let why = Why::new(ProblemCode::BadRecord, what);
            self.report.problem(None, &collection.name, why);
            return Ok(());
        };
        for file in &mut sent {
            file.asset_id = self.here(file.asset_id);
        }
        db.import_publication(actor, collection, &publication, &pins, &sent)
            .await?;
        Ok(())
    }

    fn next_line<T: serde::de::DeserializeOwned>(
        &mut self,
        lines: &mut Lines,
        path: &str,
    ) -> Option<T> {
        match lines.next() {
            Ok(next) => next,
            Err(error) => {
                self.report.problem(None, path, bad_line(&error));
                None
            }
        }
    }
}

fn bad_line(error: &io::Error) -> Why {
    let what = format!("a line cannot be read: {error}");
    Why::new(ProblemCode::BadRecord, what)
}

fn no_audience() -> Why {
    Why::new(ProblemCode::NoAudience, "who may see it is not said")
}

fn damaged(what: impl std::fmt::Display) -> Why {
    Why::new(ProblemCode::Damaged, what.to_string())
}
