//! The files of a snapshot, by several threads. What is damaged in the repository costs nothing else.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use heirloom_blobs::FolderStore;
use heirloom_core::Actor;
use heirloom_db::Db;
use rustic_core::{LsOptions, RusticError};

use super::{
    BackupError, Done, From, HANDS, Manifest, NOT_LISTED, NOT_THERE, ORIGINALS, RESTORING, ROOT,
    STORE, SourceFile,
    hand::{Hand, Next},
    place,
};
use crate::backup::source::blob_path;

impl From {
    pub(super) fn restore_files(
        &self,
        folder: &Path,
        manifest: &Manifest,
        db: &Db,
        is_going_on: bool,
    ) -> Result<Done, BackupError> {
        let store = FolderStore::create(folder.join("blobs"))?;
        let (known, blobs) = self.runtime.block_on(async {
            let mut frozen = db.freeze_catalogue(&Actor::Operator, false, folder).await?;
            let known = match manifest.has_folders {
                true => frozen.list_files().await?,
                false => Vec::new(),
            };
            Ok::<_, BackupError>((known, frozen.list_blobs().await?))
        })?;
        let placed = place(&manifest.archives, known);
        let by_path: HashMap<&Path, &SourceFile> = placed
            .iter()
            .map(|file| (file.path.as_path(), file))
            .collect();
        let done = Mutex::new(Done::default());
        let hand = Hand {
            from: self,
            store: &store,
            scratch: &folder.join(RESTORING),
            originals: &folder.join(ORIGINALS),
            by_path: &by_path,
            done: &done,
            is_going_on,
        };
        let (mut not_there, mut not_stored) = (NOT_THERE, NOT_THERE);
        if manifest.has_folders && !self.restore_listed(&hand, ORIGINALS)? {
            not_there = NOT_LISTED;
            let known = placed.iter().map(|file| file.path.clone());
            let missing = known.filter(|path| !hand.done().paths.contains(path));
            self.restore_known(&hand, ORIGINALS, missing.collect())?;
        }
        if !self.restore_listed(&hand, STORE)? {
            not_stored = NOT_LISTED;
            let known = blobs.iter().map(|(hash, _)| *hash);
            let missing = known.filter(|hash| !hand.done().blobs.contains(hash));
            let below = Path::new(ROOT).join(STORE);
            let missing = missing.filter_map(|hash| {
                let path = blob_path(hash);
                path.strip_prefix(&below).ok().map(Path::to_owned)
            });
            self.restore_known(&hand, STORE, missing.collect())?;
        }
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        for file in &placed {
            if !done.paths.contains(&file.path) {
                done.lacks(file.path.display().to_string(), not_there);
            }
        }
        for (hash, _) in &blobs {
            if !done.blobs.contains(hash) && !done.damaged_blobs.contains(hash) {
                done.lacks(hash.to_string(), not_stored);
            }
        }
        Ok(done)
    }

    /// What is damaged, where that is what an error says.
    fn damage(&self, error: &RusticError) -> Result<String, BackupError> {
        match self.explain(error) {
            BackupError::Damaged(what) => Ok(what),
            other => Err(other),
        }
    }

    /// Restores what the snapshot says that it has; `false` when that cannot be read to its end.
    fn restore_listed(&self, hand: &Hand<'_>, part: &str) -> Result<bool, BackupError> {
        let is_whole = AtomicBool::new(true);
        let broken = |what: String| {
            tracing::error!(part, what, "the snapshot's own list of files is damaged");
            is_whole.store(false, Ordering::Relaxed);
        };
        let root = match self.node(&[part]) {
            Ok(root) => root,
            // Where it would be told, the manifest was: there is nothing of it.
            Err(error) => return self.damage(&error).map(|_| true),
        };
        let nodes = match self.repository.ls(&root, &LsOptions::default()) {
            Ok(nodes) => Mutex::new(nodes.fuse()),
            Err(error) => {
                broken(self.damage(&error)?);
                return Ok(false);
            }
        };
        self.join_hands(hand, part, &|| {
            let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
            while is_whole.load(Ordering::Relaxed) {
                match nodes.next()? {
                    Ok((path, node)) if node.is_file() => return Some(Ok((path, node))),
                    Ok(_) => {}
                    // Behind a folder that cannot be read, the list tells other paths than there are.
                    Err(error) => match self.damage(&error) {
                        Ok(what) => broken(what),
                        Err(other) => return Some(Err(other)),
                    },
                }
            }
            None
        })?;
        Ok(is_whole.into_inner())
    }

    /// Restores what the catalogue knows, each by its own path.
    fn restore_known(
        &self,
        hand: &Hand<'_>,
        part: &str,
        paths: Vec<PathBuf>,
    ) -> Result<(), BackupError> {
        let below = Path::new(ROOT).join(part);
        let paths = Mutex::new(paths.into_iter());
        self.join_hands(hand, part, &|| {
            loop {
                let path = paths
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .next()?;
                match self.node_at(&below.join(&path)) {
                    Ok(node) => return Some(Ok((path, node))),
                    Err(error) => {
                        if let Err(other) = self.damage(&error) {
                            return Some(Err(other));
                        }
                    }
                }
            }
        })
    }

    /// Has several threads restore what comes next, until there is nothing more.
    fn join_hands(&self, hand: &Hand<'_>, part: &str, next: Next<'_>) -> Result<(), BackupError> {
        let ended: Vec<Result<(), BackupError>> = std::thread::scope(|scope| {
            let hands: Vec<_> = (0..HANDS)
                .map(|number| {
                    scope.spawn(move || match part {
                        STORE => hand.restore_blobs(number, next),
                        _ => hand.restore_originals(next),
                    })
                })
                .collect();
            let join = |hand: std::thread::ScopedJoinHandle<'_, _>| {
                hand.join().unwrap_or_else(|_| {
                    Err(BackupError::Internal(
                        "a thread died while restoring".to_owned(),
                    ))
                })
            };
            hands.into_iter().map(join).collect()
        });
        ended.into_iter().collect()
    }
}
