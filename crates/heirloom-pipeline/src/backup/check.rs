//! Whether a repository is whole.

use std::{collections::BTreeMap, sync::Arc};

use rustic_core::{CheckOptions, FileType, Id, repofile::SnapshotFile};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    BackupError, FaultCode, Progress, RepositoryFault, Target, blocking,
    objects::{self, Door},
    repository::{Access, open, undress, wrong_name},
    whole::has_lost_snapshots,
};

/// What a check of a repository found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Snapshots that were looked through.
    pub snapshots: u64,
    /// Objects that there are.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Whether every byte was read.
    pub has_read_data: bool,
    /// What is not as it should be.
    pub faults: Vec<RepositoryFault>,
}

/// Looks whether everything that the snapshots need is there with the right length; with `is_reading_data` every
/// byte of it is read too, which alone finds flipped bits.
///
/// # Errors
/// [`BackupError`]; a fault is none, unless it keeps the repository from being opened at all.
pub async fn check(
    target: &Target,
    is_reading_data: bool,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<CheckReport, BackupError> {
    let (target, progress) = (target.clone(), Arc::clone(progress));
    blocking(cancel, move |cancel| {
        let watched = Arc::clone(&progress);
        let opened = open(&target, Access::Reading, progress, cancel)?;
        let mut report = CheckReport {
            has_read_data: is_reading_data,
            ..CheckReport::default()
        };
        // These are few and small, and everything else is found through them.
        for kind in [FileType::Key, FileType::Index, FileType::Snapshot] {
            look_at(&opened.door, kind, &mut report)?;
        }
        let packs = opened.door.objects().list(FileType::Pack);
        let packs =
            packs.map_err(|error| super::repository::explain_io(&opened.location, &error))?;
        report.objects += packs.len() as u64;
        report.bytes += packs
            .iter()
            .map(|(_, length)| u64::from(*length))
            .sum::<u64>();
        if is_reading_data {
            // Each is named by the hash of its bytes, so nothing else has to be known to find which is damaged.
            watched.expect(packs.len() as u64, report.bytes);
            for (id, length) in &packs {
                if opened.door.is_cancelled() {
                    return Err(BackupError::Cancelled);
                }
                report
                    .faults
                    .extend(find_fault(&opened.door, FileType::Pack, id));
                watched.file();
                watched.bytes((*length).into());
            }
        }
        let mut trees = Vec::new();
        let snapshots = opened
            .repository
            .list::<rustic_core::repofile::SnapshotId>();
        for id in snapshots.map_err(|error| opened.explain(&error))? {
            if let Ok(snapshot) = opened.repository.get_file::<SnapshotFile>(&id) {
                trees.push(snapshot.tree);
                report.snapshots += 1;
            }
        }
        if has_lost_snapshots(&opened)? {
            report.faults.push(RepositoryFault {
                object: "snapshots".to_owned(),
                code: FaultCode::Gone,
                what: "are not there: nothing can be restored".to_owned(),
            });
        }
        let options = CheckOptions::default();
        match opened.repository.check_with_trees(options, trees) {
            Ok(found) => {
                for (level, error) in found.0 {
                    let said = error.to_string();
                    // What an interrupted backup left behind is no fault: prune marks it, not knowing what is in it,
                    // and removes it later.
                    let is_left = said.contains("marked to delete: true");
                    if format!("{level:?}") == "Error" && !is_left {
                        report.faults.push(describe(&said, &format!("{error:?}")));
                    }
                }
            }
            Err(error) => match opened.explain(&error) {
                BackupError::Damaged(what) if !report.faults.is_empty() => {
                    tracing::debug!(what, "a check ended early");
                }
                BackupError::Damaged(what) => report.faults.push(describe(&what, &what)),
                error => return Err(error),
            },
        }
        if opened.door.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
        // One sentence for each object is enough.
        let objects: Vec<String> = report.faults.iter().map(|it| it.object.clone()).collect();
        let is_told = |what: &str| {
            let mut told = objects.iter().filter(|object| !object.is_empty());
            told.any(|object| what.contains(object.as_str()))
        };
        report
            .faults
            .retain(|fault| !fault.object.is_empty() || !is_told(&fault.what));
        let by_object: BTreeMap<(String, String), RepositoryFault> = report
            .faults
            .drain(..)
            .map(|fault| {
                let what = if fault.object.is_empty() {
                    fault.what.clone()
                } else {
                    String::new()
                };
                ((fault.object.clone(), what), fault)
            })
            .collect();
        report.faults = by_object.into_values().collect();
        Ok(report)
    })
    .await
}

fn look_at(door: &Door, kind: FileType, report: &mut CheckReport) -> Result<(), BackupError> {
    let ids = door.objects().list(kind);
    let ids = ids.map_err(|error| BackupError::Unavailable(error.to_string()))?;
    for (id, length) in ids {
        report.objects += 1;
        report.bytes += u64::from(length);
        report.faults.extend(find_fault(door, kind, &id));
    }
    Ok(())
}

/// What is wrong with the bytes of an object.
fn find_fault(door: &Door, kind: FileType, id: &Id) -> Option<RepositoryFault> {
    let what = wrong_name(door, kind, id)?;
    let object = objects::path(kind, id);
    let what = what.replacen(&object, "it", 1);
    Some(RepositoryFault {
        object,
        code: FaultCode::Damaged,
        what,
    })
}

/// What the library that knows the format says, with the pack that it is about: in full only where it speaks to
/// its authors.
fn describe(said: &str, to_authors: &str) -> RepositoryFault {
    let said = undress(said);
    let is_id =
        |word: &&str| word.len() == 64 && word.bytes().all(|letter| letter.is_ascii_hexdigit());
    let mut words = to_authors.split(|letter: char| !letter.is_ascii_alphanumeric());
    let object = match words.find(is_id).filter(|_| said.contains("pack")) {
        Some(id) => format!("data/{}/{id}", &id[..2]),
        None => String::new(),
    };
    let (code, what) = if said.ends_with("but not present!") {
        (FaultCode::Gone, "it is gone, and is needed".to_owned())
    } else {
        (FaultCode::Other, said)
    };
    RepositoryFault { object, code, what }
}
