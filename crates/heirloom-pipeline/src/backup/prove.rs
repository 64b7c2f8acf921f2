//! Proving that a backup can be restored, by restoring it.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
};

use heirloom_blobs::{BlobError, FolderStore};
use heirloom_core::{ArchiveId, ContentHash, FamilyId, path};
use heirloom_db::{Db, Location};
use tokio_util::sync::CancellationToken;

use super::{
    At, BackupError, FaultCode, Progress, RepositoryFault, RestoreReport, Target, blocking, restore,
};
use crate::{
    Context,
    archive::path_of,
    fsck::{FsckEvent, FsckOptions, fsck},
    original::Root,
};

/// The folder in the data folder in which it is tried.
pub const PROOF: &str = "proof";

/// What a proof found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofReport {
    /// What was restored.
    pub restored: RestoreReport,
    /// Originals and blobs that were compared with those of the library itself, byte for byte.
    pub compared: u64,
    /// What is not as it should be.
    pub faults: Vec<RepositoryFault>,
}

/// How many are compared, of blobs and of files of folder archives each.
const SAMPLE: usize = 25;
const TOLD: usize = 1000;

/// Restores the newest snapshot into a folder of its own beside the library, checks everything in it as
/// [`fsck`](crate::fsck) does, compares some of it, chosen by chance, with what the library has, and removes it.
///
/// # Errors
/// [`BackupError`]: then nothing is proved either.
pub async fn prove(
    ctx: &Context,
    family: FamilyId,
    target: &Target,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<ProofReport, BackupError> {
    let scratch = Scratch::begin(ctx.data_folder.join(PROOF))?;
    let restored = restore(target, &At::Latest, &scratch.0, None, progress, cancel).await?;
    let mut faults: Vec<RepositoryFault> = restored
        .lacking_files
        .iter()
        .map(|file| RepositoryFault {
            object: file.path.clone(),
            code: file.lacking.into(),
            what: file.why.clone(),
        })
        .collect();
    let store = FolderStore::open(restored.folder.join("blobs"))?;
    let there = Context {
        db: Db::open_existing(&Location::File(restored.folder.join("catalogue.db"))).await?,
        blobs: Arc::new(store),
        actor: ctx.actor.clone(),
        data_folder: restored.folder.clone(),
        s3: ctx.s3.clone(),
    };
    let looked = look_into(ctx, &there, family, &restored, &mut faults, cancel).await;
    there.db.close().await;
    // There may be very much of it.
    let removing = blocking(cancel, move |_| {
        drop(scratch);
        Ok(())
    });
    removing.await?;
    Ok(ProofReport {
        compared: looked?,
        restored,
        faults,
    })
}

async fn look_into(
    here: &Context,
    there: &Context,
    family: FamilyId,
    restored: &RestoreReport,
    faults: &mut Vec<RepositoryFault>,
    cancel: &CancellationToken,
) -> Result<u64, BackupError> {
    let options = FsckOptions {
        read_blobs: true,
        // Read below: a scan of the same archive may be under way in the library itself.
        read_originals: false,
        repair: false,
        remove_unreferenced: false,
    };
    let mut found = Vec::new();
    let mut observe = |event: FsckEvent<'_>| {
        if let FsckEvent::Found(fault) = event
            && found.len() < TOLD
        {
            found.push(RepositoryFault {
                object: fault.subject.clone(),
                code: fault.part.into(),
                what: fault.what.clone(),
            });
        }
    };
    let checked = fsck(there, family, options, cancel, &mut observe).await;
    checked.map_err(|error| match error {
        crate::fsck::FsckError::Cancelled => BackupError::Cancelled,
        crate::fsck::FsckError::Db(error) => BackupError::Db(error),
        error => BackupError::Internal(error.to_string()),
    })?;
    faults.append(&mut found);

    let mut frozen = there
        .db
        .freeze_catalogue(&there.actor, false, &there.data_folder)
        .await?;
    let blobs = frozen.list_blobs().await?;
    let files = frozen.list_files().await?;
    drop(frozen);
    let mut compared = 0;
    for at in draw(blobs.len()) {
        let hash = blobs[at].0;
        // It may have gone since.
        let Ok(ours) = here.blobs.open_file(hash).await else {
            continue;
        };
        // What is lacking there is named already.
        let theirs = match there.blobs.open_file(hash).await {
            Err(BlobError::NotFound { .. }) => continue,
            theirs => theirs?,
        };
        compared += 1;
        if !blocking(cancel, move |_| Ok(are_equal(ours, theirs))).await? {
            let what = "the blob has other bytes than the library's".to_owned();
            faults.push(RepositoryFault {
                object: hash.to_string(),
                code: FaultCode::Differs,
                what,
            });
        }
    }
    if restored.has_folders {
        let ours = roots(here, family).await?;
        let theirs = roots(there, family).await?;
        let drawn: BTreeSet<usize> = draw(files.len()).into_iter().collect();
        let looked = blocking(cancel, move |cancel| {
            let (mut compared, mut faults) = (0, Vec::new());
            for (at, file) in files.iter().enumerate() {
                if cancel.is_cancelled() {
                    return Err(BackupError::Cancelled);
                }
                let hash = |roots: &HashMap<ArchiveId, PathBuf>| {
                    let root = roots.get(&file.archive)?;
                    let folder = Root::open(root).ok()?.open_folder(&file.folder).ok()?;
                    hash_of(&folder.open_file(&file.name).ok()?.0)
                };
                let is_right = hash(&theirs) == Some(file.content_hash);
                // In the library it may have been changed since, or its disk be away.
                let is_known = drawn.contains(&at) && hash(&ours) == Some(file.content_hash);
                compared += u64::from(is_known && is_right);
                if !is_right && faults.len() < TOLD {
                    faults.push(RepositoryFault {
                        object: path::join(&file.folder, &file.name),
                        code: FaultCode::Differs,
                        what: "the file has other bytes than were catalogued".to_owned(),
                    });
                }
            }
            Ok((compared, faults))
        });
        let (more, mut found) = looked.await?;
        compared += more;
        faults.append(&mut found);
    }
    Ok(compared)
}

/// Some of so many, by chance.
fn draw(count: usize) -> Vec<usize> {
    let mut random = [0_u8; 8 * SAMPLE];
    // Without chance it is the same ones each time, which is less and not wrong.
    let _ = rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty());
    let mut drawn: Vec<usize> = random
        .chunks_exact(8)
        .filter_map(|bytes| <[u8; 8]>::try_from(bytes).ok())
        .filter_map(|bytes| {
            usize::try_from(u64::from_le_bytes(bytes))
                .ok()?
                .checked_rem(count)
        })
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    drawn
}

fn hash_of(file: &File) -> Option<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).ok()?;
    Some(ContentHash::from_bytes(*hasher.finalize().as_bytes()))
}

/// Where the folders of a library's archives are.
async fn roots(
    ctx: &Context,
    family: FamilyId,
) -> Result<HashMap<ArchiveId, PathBuf>, BackupError> {
    let archives = ctx.db.list_archives(&ctx.actor, family).await?;
    let roots = archives
        .iter()
        .filter_map(|archive| Some((archive.id, path_of(archive.root.as_deref()?)?)));
    Ok(roots.collect())
}

fn are_equal(ours: File, theirs: File) -> bool {
    let mut ours = io::BufReader::with_capacity(1 << 20, ours).bytes();
    let mut theirs = io::BufReader::with_capacity(1 << 20, theirs).bytes();
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(Ok(a)), Some(Ok(b))) if a == b => {}
            _ => return false,
        }
    }
}

/// A folder that is emptied before and removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn begin(path: PathBuf) -> Result<Self, BackupError> {
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BackupError::Destination { path, source })
            }
            _ => Ok(Self(path)),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
