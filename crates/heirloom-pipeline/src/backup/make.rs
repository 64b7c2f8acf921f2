//! Making a snapshot.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use heirloom_core::{FamilyId, permission::Action};
use heirloom_db::{
    DbError,
    backup::{FolderRoot, KnownFile},
    clock,
};
use rustic_core::{
    BackupOptions as Options, ParentOptions, SnapshotGroupCriterion, SnapshotOptions,
    repofile::SnapshotFile,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    BackupError, LackingFile, Progress, Snapshot, Target, blocking, hold_blobs,
    manifest::{CAPTURE, FORMAT, LABEL, Manifest, ManifestArchive, ROOT, folder_name},
    repository::{Access, Opened, describe, library_snapshots, open},
    source::{Lackings, Reading, SharedSource, Source, SourceFile, SourceRoot, below, sort},
    whole::require_whole,
};
use crate::{Context, archive::path_of, original::Root, purge::remove_unneeded_blobs};

/// What is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupOptions {
    /// Whether the files of folder archives are in it too.
    pub has_folders: bool,
    /// Whether it is one between two backups: the catalogue's log is left as it is, so that little is read.
    pub is_capture: bool,
}

/// What a backup stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Files of which new bytes were read.
    pub files_read: u64,
    /// Whether the files of folder archives are in it.
    pub has_folders: bool,
    /// Files that are not in it as the catalogue knows them.
    pub lacking: u64,
    /// The first thousand of them.
    pub lacking_files: Vec<LackingFile>,
}

/// Stores a snapshot of the library in a repository, which is made where there is none. A file that cannot be
/// had as it was catalogued is told of in the report and is no error.
///
/// # Errors
/// [`BackupError`]; there is no new snapshot then.
pub async fn back_up(
    ctx: &Context,
    family: FamilyId,
    target: &Target,
    options: BackupOptions,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<BackupReport, BackupError> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(DbError::from)?;
    let report = {
        let _everything_stays = tokio::select! {
            held = hold_blobs() => held,
            () = cancel.cancelled() => return Err(BackupError::Cancelled),
        };
        let (ctx, target, progress) = (ctx.clone(), target.clone(), Arc::clone(progress));
        let runtime = Handle::current();
        blocking(cancel, move |cancel| {
            let opened = open(&target, Access::Creating, Arc::clone(&progress), cancel)?;
            refuse_foreign(&opened, family)?;
            require_whole(&opened)?;
            let source = gather(&ctx, options, progress, &opened, runtime)?;
            store(opened, source, &format!("{LABEL}{family}"), options)
        })
        .await?
    };
    // What was let go of meanwhile had to stay.
    if let Err(error) = remove_unneeded_blobs(ctx).await {
        tracing::warn!(%error, "blobs that nobody needs were not removed after a backup");
    }
    Ok(report)
}

/// Two libraries in one repository would be taken for one when old snapshots are let go of.
fn refuse_foreign(opened: &Opened, family: FamilyId) -> Result<(), BackupError> {
    let label = format!("{LABEL}{family}");
    let is_foreign = |snapshot: &SnapshotFile| snapshot.label != label;
    if library_snapshots(opened)?.iter().any(is_foreign) {
        return Err(BackupError::Refused(format!(
            "the repository {} has the backups of another library: each needs its own",
            opened.location
        )));
    }
    Ok(())
}

/// Finds out what goes into the snapshot: all of it as it was at one moment.
fn gather(
    ctx: &Context,
    options: BackupOptions,
    progress: Arc<Progress>,
    opened: &Opened,
    runtime: Handle,
) -> Result<Source, BackupError> {
    let freezing = ctx
        .db
        .freeze_catalogue(&ctx.actor, !options.is_capture, &ctx.data_folder);
    let mut frozen = runtime.block_on(freezing)?;
    let blobs = runtime.block_on(frozen.list_blobs())?;
    let found_roots = runtime.block_on(frozen.list_roots())?;
    let known = match options.has_folders {
        true => runtime.block_on(frozen.list_files())?,
        false => Vec::new(),
    };
    let archives = name_archives(found_roots);
    let roots = archives.iter().map(|archive| SourceRoot {
        folder: archive.folder.clone(),
        root: path_of(&archive.root)
            .and_then(|path| Root::open(&path).ok())
            .map(Arc::new),
    });
    let roots: Vec<SourceRoot> = if options.has_folders {
        roots.collect()
    } else {
        Vec::new()
    };
    let files = place(&archives, known);
    let manifest = Manifest {
        format: FORMAT,
        made_at_ms: clock::now_ms(),
        engine: ctx.db.engine().as_str().to_owned(),
        catalogue: frozen.files.iter().map(|file| file.name.clone()).collect(),
        has_folders: options.has_folders,
        archives,
        assets: runtime.block_on(frozen.count_assets())?,
        blobs: blobs.len() as u64,
        files: files.len() as u64,
    };
    let manifest = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| BackupError::Internal(error.to_string()))?;
    let (catalogue, hold) = frozen.into_files();
    let source = Source {
        catalogue,
        manifest,
        files,
        roots,
        blobs,
        reading: Arc::new(Reading {
            store: Arc::clone(&ctx.blobs),
            runtime,
            door: Arc::clone(&opened.door),
            progress,
            lackings: Lackings::default(),
        }),
        hold: Mutex::new(Some(Arc::new(hold))),
    };
    let (files, bytes) = source.sizes();
    source.reading.progress.expect(files, bytes);
    Ok(source)
}

pub(super) fn name_archives(roots: Vec<FolderRoot>) -> Vec<ManifestArchive> {
    let mut archives: Vec<ManifestArchive> = Vec::with_capacity(roots.len());
    for FolderRoot {
        archive,
        name,
        root,
    } in roots
    {
        archives.push(ManifestArchive {
            id: archive,
            folder: folder_name(&name, &archives),
            name,
            root,
        });
    }
    archives
}

/// Each file with where it lies below `originals`, in order.
pub(super) fn place(archives: &[ManifestArchive], known: Vec<KnownFile>) -> Vec<SourceFile> {
    let numbers: HashMap<_, _> = archives
        .iter()
        .zip(0_u32..)
        .map(|(archive, at)| (archive.id, at))
        .collect();
    let placed = known.into_iter().filter_map(|known| {
        let root = *numbers.get(&known.archive)?;
        let folder = &archives[root as usize].folder;
        let path = below(folder, &[&known.folder, &known.name])?;
        Some(SourceFile { path, root, known })
    });
    let mut files: Vec<SourceFile> = placed.collect();
    sort(&mut files);
    files
}

fn store(
    opened: Opened,
    source: Source,
    label: &str,
    options: BackupOptions,
) -> Result<BackupReport, BackupError> {
    let Opened {
        repository,
        door,
        location,
        lock,
    } = opened;
    let explain =
        |error: Box<rustic_core::RusticError>| super::repository::explain(&location, &door, &error);
    let repository = repository.to_indexed_ids().map_err(explain)?;
    let mut snapshot_options = SnapshotOptions::default().label(label.to_owned());
    if options.is_capture {
        snapshot_options = snapshot_options.add_tags(CAPTURE).map_err(explain)?;
    }
    let mut snapshot = snapshot_options.to_snapshot().map_err(explain)?;
    snapshot.program_version = concat!("heirloom ", env!("CARGO_PKG_VERSION")).to_owned();
    // Whatever machine made the last one: what is the same need not be read again.
    let parents =
        ParentOptions::default().group_by(SnapshotGroupCriterion::new().label(true).paths(true));
    let backup_options = Options::default().parent_opts(parents);
    let source = SharedSource(Arc::new(source));
    let archived = repository.archive(&backup_options, &source, snapshot, &[ROOT.into()]);
    let reading = &source.0.reading;
    if let Some(failure) = door.take_failure() {
        return Err(super::repository::explain_io(&location, &failure));
    }
    let snapshot: SnapshotFile = archived.map_err(explain)?;
    if door.is_cancelled() {
        return Err(BackupError::Cancelled);
    }
    let (lacking, lacking_files) = reading.lackings.take();
    let summary = snapshot.summary.as_ref();
    let files_read = summary.map_or(0, |summary| summary.files_new + summary.files_changed);
    drop(lock);
    Ok(BackupReport {
        snapshot: describe(&snapshot),
        files_read,
        has_folders: options.has_folders,
        lacking,
        lacking_files,
    })
}
