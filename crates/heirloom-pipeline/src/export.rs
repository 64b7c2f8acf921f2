//! Exporting: a folder that needs no Heirloom.
//!
//! Originals under readable names with a sidecar each, open JSON for everything else, pages that open from a disk,
//! and a manifest: a bag (RFC 8493). Nothing below an archive's root is ever written, and a file that is there from
//! an earlier run is not copied again.

mod bag;
mod check;
mod error;
pub mod format;
mod gather;
mod html;
mod name;
mod pages;
mod problem;
pub(crate) mod publication;
mod unfinished;
mod write;
mod xmp;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use heirloom_core::{AssetId, CollectionId, audience::AudienceKind};
use heirloom_db::{
    DbError,
    collection::{Collection, MemberCursor},
    family::Family,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub(crate) use bag::hex;
pub use check::check_export;
pub(crate) use check::check_place;
pub use error::ExportError;
pub(crate) use gather::text_of;
pub(crate) use name::{Names, safe};
pub(crate) use problem::Why;
pub use problem::{Problem, ProblemCode};
pub(crate) use xmp::describe;

use self::{
    bag::{Bag, Lines},
    format::{
        AudienceRecord, COLLECTIONS, CollectionRecord, LIBRARY, LibraryRecord, MEMBERS,
        MemberRecord, SCHEMA, SCHEMA_TEXT, STACKS, StackRecord, VERSION,
    },
    gather::{Gathered, gather},
    html::render_door,
    pages::{Cards, Shown},
    write::{Others, Work},
};
use crate::Context;

/// The pipeline's name in runs.
pub const PIPELINE: &str = "export";

/// How many assets are gathered at once.
const AT_ONCE: usize = 64;
/// How far something is, for whoever watches.
#[derive(Debug, Default)]
pub struct Meter {
    /// Files there are to deal with.
    pub files: AtomicU64,
    /// Of these: those that are dealt with.
    pub files_done: AtomicU64,
    /// Bytes there are to read.
    pub bytes: AtomicU64,
    /// Of these: those that are read.
    pub bytes_done: AtomicU64,
}

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// Where it is.
    pub folder: String,
    /// Assets that are described.
    pub assets: u64,
    /// Of these: those whose originals are there.
    pub originals: u64,
    /// Of these: those that were copied by this run.
    pub copied: u64,
    /// Collections that are described.
    pub collections: u64,
    /// Files of the payload.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How much is not as it should be.
    pub problem_count: u64,
    /// The first of it.
    pub problems: Vec<Problem>,
}

/// Exports everything that the actor may see, or what is in one collection, to a folder that
/// [`check_export`] gave.
///
/// # Errors
/// [`ExportError`]. What was written before is whole.
pub async fn export(
    ctx: &Context,
    family: &Family,
    folder: &Path,
    collection: Option<CollectionId>,
    stop: &CancellationToken,
    meter: &Arc<Meter>,
) -> Result<ExportReport, ExportError> {
    let collection = match collection {
        Some(id) => Some(ctx.db.get_collection(&ctx.actor, id).await?),
        None => None,
    };
    let scope = match &collection {
        Some(collection) => Some(list_members(ctx, collection).await?),
        None => None,
    };
    let audiences = ctx.db.list_audiences_of(&ctx.actor, family.id).await?;
    let library = LibraryRecord {
        format_version: VERSION,
        family_id: family.id,
        family: family.name.clone(),
        collection_id: collection.as_ref().map(|collection| collection.id),
        audiences: audiences
            .iter()
            .filter(|audience| audience.kind != AudienceKind::Family)
            .map(|audience| AudienceRecord {
                id: audience.id,
                name: audience.name.clone(),
                created_at_ms: audience.created_at_ms,
            })
            .collect(),
    };
    let library = pretty(&library);
    let begun = blocking({
        let (folder, library) = (folder.to_owned(), library.clone());
        move || {
            let bag = Bag::begin(&folder, library.as_bytes())?;
            let cards = Cards::begin(bag.scratch("cards"))?;
            Ok((bag, cards))
        }
    });
    let (bag, cards) = begun.await?;
    let mut exporting = Exporting {
        ctx,
        family,
        folder: folder.to_owned(),
        stop,
        meter: Arc::clone(meter),
        names: Names::default(),
        work: Some(Work {
            bag,
            cards,
            lines: None,
            on_page: 0,
            pages: 0,
            report: ExportReport {
                folder: folder.display().to_string(),
                ..ExportReport::default()
            },
        }),
    };
    exporting.measure(scope.as_deref()).await?;
    exporting.write_assets(scope.as_deref()).await?;
    exporting.write_stacks(scope.as_deref()).await?;
    let shown = exporting.write_collections(collection.as_ref()).await?;
    exporting.finish(library, shown).await
}

/// What is in a collection now, in the order of ids.
pub(crate) async fn list_members(
    ctx: &Context,
    collection: &Collection,
) -> Result<Vec<AssetId>, DbError> {
    let mut ids = Vec::new();
    let mut after: Option<MemberCursor> = None;
    loop {
        let page = ctx
            .db
            .list_members(&ctx.actor, collection, after, 500)
            .await?;
        ids.extend(page.items.iter().map(|asset| asset.id));
        after = page.next;
        if after.is_none() {
            ids.sort_unstable();
            ids.dedup();
            return Ok(ids);
        }
    }
}

struct Exporting<'a> {
    ctx: &'a Context,
    family: &'a Family,
    folder: PathBuf,
    stop: &'a CancellationToken,
    meter: Arc<Meter>,
    names: Names,
    /// What writes, while nobody else has it.
    work: Option<Work>,
}

impl Exporting<'_> {
    /// Says how much there is to do, and refuses what cannot fit.
    async fn measure(&self, scope: Option<&[AssetId]>) -> Result<(), ExportError> {
        let Context { db, actor, .. } = self.ctx;
        let (files, bytes) = match scope {
            None => db.sum_originals(actor, self.family.id).await?,
            Some(ids) => {
                let mut bytes = 0;
                for ids in ids.chunks(500) {
                    let assets = db.find_assets(actor, ids).await?;
                    bytes += assets
                        .iter()
                        .map(|it| it.size_bytes.unsigned_abs())
                        .sum::<u64>();
                }
                (ids.len() as u64, bytes)
            }
        };
        self.meter.files.store(files, Ordering::Relaxed);
        self.meter.bytes.store(bytes, Ordering::Relaxed);
        let folder = self.folder.clone();
        blocking(move || {
            let there = bytes_below(&folder.join(format::ORIGINALS));
            let needed = bytes.saturating_sub(there);
            let free = free_bytes(&folder);
            match free.filter(|free| *free < needed) {
                Some(free) => Err(ExportError::NoSpace {
                    missing_bytes: Some(needed - free),
                }),
                None => Ok(()),
            }
        })
        .await
    }

    async fn write_assets(&mut self, scope: Option<&[AssetId]>) -> Result<(), ExportError> {
        let Context { db, actor, .. } = self.ctx;
        let audience = self.family.audience_id;
        let mut after = None;
        let mut chunks = scope.map(|ids| ids.chunks(AT_ONCE));
        loop {
            let assets = match &mut chunks {
                Some(chunks) => match chunks.next() {
                    Some(ids) => {
                        let mut assets = db.find_assets(actor, ids).await?;
                        assets.sort_by_key(|asset| asset.id);
                        assets
                    }
                    None => return Ok(()),
                },
                None => {
                    let (assets, next) = db
                        .list_every_asset(actor, self.family.id, after, AT_ONCE)
                        .await?;
                    if assets.is_empty() && next.is_none() {
                        return Ok(());
                    }
                    after = next;
                    assets
                }
            };
            let is_last = chunks.is_none() && after.is_none();
            let mut gathered = Vec::with_capacity(assets.len());
            for whole in db.load_whole(assets).await? {
                gathered.push(gather(self.ctx, &mut self.names, whole, audience).await?);
            }
            self.write_batch(gathered).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    async fn write_batch(&mut self, gathered: Vec<Gathered>) -> Result<(), ExportError> {
        let (stop, meter) = (self.stop.clone(), Arc::clone(&self.meter));
        let others = Others {
            ctx: self.ctx.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        self.at_work(move |work| {
            let copied = work.report.copied;
            for asset in gathered {
                if stop.is_cancelled() {
                    return Err(ExportError::Cancelled);
                }
                work.write(asset, &others, &stop, &meter)?;
                meter.files_done.fetch_add(1, Ordering::Relaxed);
            }
            // What was there before needs no waiting.
            if work.report.copied > copied {
                work.bag.settle()?;
            }
            Ok(())
        })
        .await
    }

    async fn write_stacks(&mut self, scope: Option<&[AssetId]>) -> Result<(), ExportError> {
        let Context { db, actor, .. } = self.ctx;
        let mut lines = self.begin_lines(STACKS).await?;
        let mut after = None;
        loop {
            let stacks = db.list_every_stack(self.family.id, after, 500).await?;
            let Some(last) = stacks.last() else { break };
            after = Some(last.id);
            for stack in stacks {
                let seen = db.find_assets(actor, &stack.members).await?;
                let is_seen = |id: &AssetId| {
                    let is_in = scope.is_none_or(|ids| ids.binary_search(id).is_ok());
                    is_in && seen.iter().any(|asset| asset.id == *id)
                };
                let asset_ids: Vec<AssetId> = stack.members.into_iter().filter(is_seen).collect();
                if asset_ids.len() > 1 {
                    lines.add(&StackRecord {
                        id: stack.id,
                        kind: stack.kind.as_str().to_owned(),
                        name: stack.name,
                        asset_ids,
                    })?;
                }
            }
        }
        self.at_work(move |work| work.bag.end_lines(lines)).await
    }

    /// Writes collections; gives those that are shown, with what is in them.
    async fn write_collections(
        &mut self,
        only: Option<&Collection>,
    ) -> Result<Vec<Shown>, ExportError> {
        let Context { db, actor, .. } = self.ctx;
        let mut lines = self.begin_lines(COLLECTIONS).await?;
        let mut shown = Vec::new();
        let mut after = None;
        loop {
            let (collections, next) = match only {
                Some(collection) => (vec![collection.clone()], None),
                None => {
                    db.list_every_collection(actor, self.family.id, after, 200)
                        .await?
                }
            };
            for collection in collections {
                let members_path = match collection.is_dynamic() {
                    true => None,
                    false => Some(self.write_members(&collection).await?),
                };
                lines.add(&CollectionRecord {
                    id: collection.id,
                    name: collection.name.clone(),
                    description: collection.description.clone(),
                    audience_id: Some(collection.audience_id)
                        .filter(|id| *id != self.family.audience_id),
                    query: collection.query.clone(),
                    frozen_at_ms: collection.frozen_at_ms,
                    created_at_ms: collection.created_at_ms,
                    updated_at_ms: collection.updated_at_ms,
                    deleted_at_ms: collection.deleted_at_ms,
                    members_path,
                    publication: publication::load(db, collection.id).await?,
                })?;
                if let Some(work) = &mut self.work {
                    work.report.collections += 1;
                }
                if collection.deleted_at_ms.is_none() {
                    shown.push(self.show(collection).await?);
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        self.at_work(move |work| work.bag.end_lines(lines)).await?;
        Ok(shown)
    }

    /// What a page of a collection has on it. A saved search that cannot be asked any more has nothing.
    async fn show(&self, collection: Collection) -> Result<Shown, ExportError> {
        let Context { db, actor, .. } = self.ctx;
        let mut assets = Vec::new();
        let mut after = None;
        loop {
            let page = match db.list_members(actor, &collection, after, 500).await {
                Ok(page) => page,
                Err(DbError::NotFound { .. } | DbError::Refused(_)) => break,
                Err(error) => return Err(error.into()),
            };
            assets.extend(page.items.iter().map(|asset| asset.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(Shown {
            name: collection.name,
            description: collection.description,
            assets,
        })
    }

    async fn write_members(&mut self, collection: &Collection) -> Result<String, ExportError> {
        let Context { db, actor, .. } = self.ctx;
        let path = format!("{MEMBERS}/{}.jsonl", collection.id);
        let mut lines = self.begin_lines(&path).await?;
        let mut after = None;
        loop {
            let members = db.list_every_member(collection.id, after, 500).await?;
            let Some((asset, _, position)) = members.last() else {
                break;
            };
            after = Some((*position, *asset));
            let ids: Vec<AssetId> = members.iter().map(|(asset, ..)| *asset).collect();
            let mut seen: Vec<AssetId> = db
                .find_assets(actor, &ids)
                .await?
                .iter()
                .map(|it| it.id)
                .collect();
            seen.sort_unstable();
            for (asset_id, added_at_ms, _) in members {
                if seen.binary_search(&asset_id).is_ok() {
                    lines.add(&MemberRecord {
                        asset_id,
                        added_at_ms,
                    })?;
                }
            }
        }
        self.at_work(move |work| work.bag.end_lines(lines)).await?;
        Ok(path)
    }

    async fn finish(
        mut self,
        library: String,
        shown: Vec<Shown>,
    ) -> Result<ExportReport, ExportError> {
        let family = self.family.name.clone();
        let (stop, work) = (self.stop.clone(), self.work.take());
        let Some(work) = work else {
            return Err(ExportError::Cancelled);
        };
        blocking(move || {
            let Work {
                mut bag,
                cards,
                lines,
                mut report,
                ..
            } = work;
            if let Some(lines) = lines {
                bag.end_lines(lines)?;
            }
            cards.write_pages(&mut bag, &family, &shown)?;
            bag.write(SCHEMA, SCHEMA_TEXT.as_bytes())?;
            bag.write(LIBRARY, library.as_bytes())?;
            if stop.is_cancelled() {
                return Err(ExportError::Cancelled);
            }
            let about = [
                ("Source-Organization", family.clone()),
                (
                    "External-Description",
                    "Originals of a family with what is known of them; data/index.html shows \
                    them, data/metadata/schema.json describes the rest."
                        .to_owned(),
                ),
            ];
            (report.files, report.bytes) = bag.finish(&about, &render_door(&family))?;
            Ok(report)
        })
        .await
    }

    async fn begin_lines(&mut self, path: &str) -> Result<Lines, ExportError> {
        let path = path.to_owned();
        self.at_work(move |work| work.bag.begin_lines(&path)).await
    }

    /// Does something that waits for the disk.
    async fn at_work<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Work) -> Result<T, ExportError> + Send + 'static,
    ) -> Result<T, ExportError> {
        let Some(mut work) = self.work.take() else {
            return Err(ExportError::Cancelled);
        };
        let (work, outcome) = blocking(move || {
            let outcome = act(&mut work);
            Ok((work, outcome))
        })
        .await?;
        self.work = Some(work);
        outcome.map_err(|error| self.explain(error))
    }

    /// A full disk is told with how much of it is missing.
    fn explain(&self, error: ExportError) -> ExportError {
        match error {
            ExportError::NoSpace { .. } => {
                let left = self.meter.bytes.load(Ordering::Relaxed);
                let left = left.saturating_sub(self.meter.bytes_done.load(Ordering::Relaxed));
                let free = free_bytes(&self.folder).unwrap_or(0);
                ExportError::NoSpace {
                    missing_bytes: Some(left.saturating_sub(free).max(1)),
                }
            }
            other => other,
        }
    }
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.sum()
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, ExportError> + Send + 'static,
) -> Result<T, ExportError> {
    tokio::task::spawn_blocking(act)
        .await
        .map_err(|error| ExportError::Io {
            path: PathBuf::new(),
            source: io::Error::other(error),
        })?
}
