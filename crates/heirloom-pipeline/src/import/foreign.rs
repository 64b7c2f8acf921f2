//! Importing what other programs hand out.
//!
//! The parts are gone through three times, each time from their beginning: for the names, for what describes
//! originals, and for the originals. So nothing is unpacked, archives are read as streams, and in memory is what is
//! known of each file and never its bytes. An original goes through the same tools as one that is added, and what
//! describes it is kept beside it and read by the tool that reads sidecars.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use heirloom_core::{AssetId, ContentHash};
use heirloom_db::{archive::Archive, family::Family, import::Outcome};
use heirloom_media::{FileType, property};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    AT_ONCE, ImportError, ImportNote, NoteCode, Report, Source, blocking,
    layout::{guess, is_trash},
    originals::{Got, Originals},
    plan::{Describing, Plan},
    sidecars::{Sidecar, read_sidecars},
    survey::{Survey, Trouble},
};
use crate::{Context, add::Underway, export::Meter};

/// What a stack is found by.
pub(super) type Properties = BTreeMap<String, String>;

/// What became of an original.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) asset: AssetId,
    /// Whether this place of it was new here.
    pub(super) is_new: bool,
    pub(super) file_type: FileType,
    pub(super) properties: Properties,
}

/// An import under way.
pub(super) struct Foreign<'a> {
    pub(super) ctx: &'a Context,
    pub(super) family: &'a Family,
    pub(super) vault: Archive,
    pub(super) plan: Arc<Plan>,
    pub(super) sidecars: Arc<HashMap<Describing, Sidecar>>,
    pub(super) report: Report,
    /// By their places among the entries.
    pub(super) settled: BTreeMap<usize, Settled>,
    seen: HashSet<ContentHash>,
    stop: &'a CancellationToken,
    meter: &'a Meter,
}

/// Imports what another program handed out, or (`is_dry`) says what that would do.
///
/// # Errors
/// [`ImportError`]. What was imported before stays, and is not imported again.
pub(super) async fn import(
    ctx: &Context,
    family: &Family,
    (paths, source): (&[PathBuf], Option<Source>),
    is_dry: bool,
    stop: &CancellationToken,
    meter: &Arc<Meter>,
) -> Result<Report, ImportError> {
    let planned = {
        let (paths, stop) = (paths.to_vec(), stop.clone());
        blocking(move || {
            let survey = Survey::of(&paths, &stop)?;
            let source = source.unwrap_or_else(|| {
                guess(survey.entries.iter().map(|entry| {
                    let root = survey.parts.get(entry.part).and_then(|part| part.root());
                    (root, entry.path.as_str())
                }))
            });
            Plan::of(source, survey, &stop)
        })
    };
    let plan = Arc::new(planned.await?);
    let mut report = begin(&plan, paths, source.is_none(), is_dry);
    let sizes = plan
        .originals
        .iter()
        .filter_map(|place| plan.survey.entries.get(*place));
    let bytes = sizes
        .map(|entry| entry.size_bytes)
        .fold(0, u64::saturating_add);
    meter.bytes.store(bytes, Ordering::Relaxed);
    meter
        .files
        .store(plan.originals.len() as u64, Ordering::Relaxed);

    // Until they are recorded, nobody refers to what is put.
    let underway = Underway::begin();
    let known: HashSet<Trouble> = plan.survey.troubles.iter().cloned().collect();
    let read = {
        let (ctx, plan, stop, runtime) = (
            ctx.clone(),
            Arc::clone(&plan),
            stop.clone(),
            Handle::current(),
        );
        blocking(move || read_sidecars(&ctx, &plan, is_dry, &stop, &runtime))
    };
    let (sidecars, troubles) = read.await?;
    for (path, why) in troubles
        .into_iter()
        .filter(|trouble| !known.contains(trouble))
    {
        report.problem(None, &path, why);
    }
    report.sidecars = sidecars.len() as u64;
    let mut importing = Foreign {
        ctx,
        family,
        vault: ctx.db.get_or_create_vault(&ctx.actor, family).await?,
        plan: Arc::clone(&plan),
        sidecars: Arc::new(sidecars),
        report,
        settled: BTreeMap::new(),
        seen: HashSet::new(),
        stop,
        meter,
    };
    importing.take_originals(&known).await?;
    drop(underway);
    if !is_dry {
        importing.stack().await?;
        importing.collect().await?;
    }
    Ok(importing.report)
}

/// What is known before anything is read.
fn begin(plan: &Plan, paths: &[PathBuf], is_guessed: bool, is_dry: bool) -> Report {
    let folders: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let mut report = Report {
        folder: folders.join(", "),
        source: plan.source.as_str().to_owned(),
        is_guessed,
        is_dry,
        files: plan.survey.entries.len() as u64,
        sidecars_alone: plan.alone,
        originals_alone: plan.undescribed,
        left_out: plan.left_out,
        ..Report::default()
    };
    for (path, why) in &plan.survey.troubles {
        report.problem(None, path, why.clone());
    }
    for note in &plan.told {
        report.note(note.clone());
    }
    report
}

impl Foreign<'_> {
    /// Takes all originals in, in the order in which they lie in their parts.
    async fn take_originals(&mut self, known: &HashSet<Trouble>) -> Result<(), ImportError> {
        let (sender, mut receiver) = mpsc::channel(AT_ONCE);
        let originals = Originals {
            ctx: self.ctx.clone(),
            family: self.family.id,
            plan: Arc::clone(&self.plan),
            is_dry: self.report.is_dry,
            stop: self.stop.clone(),
            runtime: Handle::current(),
            sender,
        };
        let reading = tokio::task::spawn_blocking(move || originals.read());
        let mut batch = Vec::new();
        let mut taken = Ok(());
        while let Some(got) = receiver.recv().await {
            batch.push(got);
            if batch.len() == AT_ONCE || receiver.is_empty() {
                taken = self.bring(std::mem::take(&mut batch)).await;
                if taken.is_err() {
                    break;
                }
            }
        }
        // Whoever reads hears that nobody listens any more.
        drop(receiver);
        let read = reading.await.map_err(|_| ImportError::Cancelled)?;
        taken?;
        for (path, why) in read? {
            if !known.contains(&(path.clone(), why.clone())) {
                self.report.problem(None, &path, why);
            }
        }
        Ok(())
    }

    async fn bring(&mut self, batch: Vec<Got>) -> Result<(), ImportError> {
        if self.stop.is_cancelled() {
            return Err(ImportError::Cancelled);
        }
        let bytes = batch
            .iter()
            .map(|got| got.size_bytes)
            .fold(0, u64::saturating_add);
        let files = batch.len() as u64;
        self.report.originals += files;
        if self.report.is_dry {
            let hashes: Vec<ContentHash> = batch.iter().map(|got| got.content_hash).collect();
            let Self { ctx, family, .. } = self;
            let held = ctx.db.find_held(&ctx.actor, family.id, &hashes).await?;
            for got in &batch {
                if !self.seen.insert(got.content_hash) {
                    self.report.duplicates += 1;
                } else if held
                    .iter()
                    .any(|held| held.content_hash == got.content_hash)
                {
                    self.report.known += 1;
                } else {
                    self.report.added += 1;
                }
            }
        } else {
            self.record(batch).await?;
        }
        self.meter.files_done.fetch_add(files, Ordering::Relaxed);
        self.meter.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    async fn record(&mut self, batch: Vec<Got>) -> Result<(), ImportError> {
        let mut brought = Vec::with_capacity(batch.len());
        let mut whose = Vec::with_capacity(batch.len());
        for got in batch {
            let Some(looked) = &got.looked else { continue };
            let (file_type, properties) = (looked.file_type, stacking(looked));
            let (place, hash) = (got.place, got.content_hash);
            brought.push(self.whole(got).await?);
            whose.push((place, hash, file_type, properties));
        }
        let Context { db, actor, .. } = self.ctx;
        let imported = db.import_assets(actor, &self.vault, &brought).await?;
        for ((place, hash, file_type, properties), imported) in whose.into_iter().zip(imported) {
            let is_again = !self.seen.insert(hash);
            self.report.claims += imported.claims as u64;
            match imported.outcome {
                Outcome::Purged => {
                    self.report.passed_over += 1;
                    let path = self
                        .plan
                        .standing
                        .get(place)
                        .map(|standing| standing.path.clone());
                    let path = path.unwrap_or_default();
                    self.report.note(ImportNote::new(NoteCode::Purged, path));
                }
                _ if is_again => self.report.duplicates += 1,
                Outcome::Added => self.report.added += 1,
                Outcome::Completed => self.report.completed += 1,
                Outcome::Known => self.report.known += 1,
            }
            if imported.outcome == Outcome::Added && self.is_thrown_away(place) {
                self.report.hidden += 1;
            }
            if let Some(asset) = imported.asset {
                let is_new = imported.outcome != Outcome::Known;
                self.settled.insert(
                    place,
                    Settled {
                        asset,
                        is_new,
                        file_type,
                        properties,
                    },
                );
            }
        }
        Ok(())
    }

    /// What describes an original.
    pub(super) fn sidecars_of(&self, place: usize) -> impl Iterator<Item = (Describing, &Sidecar)> {
        let described = self
            .plan
            .described
            .get(&place)
            .map_or(&[][..], Vec::as_slice);
        described
            .iter()
            .filter_map(|describing| Some((*describing, self.sidecars.get(describing)?)))
    }

    /// Whether somebody had put it into the trash.
    pub(super) fn is_thrown_away(&self, place: usize) -> bool {
        let path = self
            .plan
            .standing
            .get(place)
            .map_or("", |standing| standing.path.as_str());
        is_trash(self.plan.source, path)
            || self
                .sidecars_of(place)
                .any(|(_, sidecar)| sidecar.is_deleted)
    }
}

/// What of an original stacks are found by.
fn stacking(looked: &crate::tool::Looked) -> Properties {
    let wanted = [
        property::LIVE_PHOTO_ID,
        property::BURST_ID,
        property::BURST_COVER,
    ];
    let payload = looked.made.first().map(|made| &made.payload);
    let kept = wanted.into_iter().filter_map(|name| {
        let value = payload?.get("properties")?.get(name)?.as_str()?;
        Some((name.to_owned(), value.to_owned()))
    });
    kept.collect()
}
