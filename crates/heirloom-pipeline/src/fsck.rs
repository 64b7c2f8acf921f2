//! Checking that all is as it should be: the catalogue in itself, the blobs that it refers to, the
//! search index, the chain of the audit and, where that is asked, every byte of the originals.
//!
//! Nothing is changed unless it is asked for. Then damaged blobs are set aside, what is missing or
//! damaged is made again from its originals where it can be, an index that lacks something is made anew,
//! and blobs are removed that nobody refers to and that were not put lately.

use std::collections::BTreeSet;

use heirloom_blobs::{
    CollectError, ExpectedBlob, Finding, FsckDepth, FsckError as BlobCheckError,
    FsckEvent as BlobEvent, FsckOptions as BlobOptions, FsckReport as BlobReport, StrayKind,
};
use heirloom_core::{ContentHash, FamilyId, permission::Action};
use heirloom_db::{DbError, audit::BrokenAt, search::Coverage};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    backup::Retriever,
    purge::{PurgeError, collect_blobs, remove_unneeded_blobs},
    remake::{Remade, remake_blob},
    scan::{Outcome, Progress, ScanError, ScanEvent, ScanOptions, ScanReport, scan},
};

/// What is checked, and what is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsckOptions {
    /// Whether every byte of every blob is read, or only its length looked at.
    pub read_blobs: bool,
    /// Whether every byte of every original is read and compared with what was catalogued. Files
    /// that came or went meanwhile are catalogued, as by any scan.
    pub read_originals: bool,
    /// Whether damaged blobs and strays are set aside, and blobs and index are made again where they can
    /// be.
    pub repair: bool,
    /// Whether blobs are removed that nobody has referred to for a day. Where the catalogue is older than they are,
    /// these are originals.
    pub remove_unreferenced: bool,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which part is concerned.
    pub part: Part,
    /// What it is about: a blob's hash, a path, nothing for the whole.
    pub subject: String,
    /// What is wrong with it, as one sentence.
    pub what: String,
    /// Whether it was mended.
    pub is_mended: bool,
}

/// A part that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The catalogue in itself.
    Catalogue,
    /// The bytes that it refers to.
    Blobs,
    /// The full-text index.
    Search,
    /// The chain of the audit.
    Audit,
    /// The originals.
    Originals,
}

/// What a check says while it goes on.
#[derive(Debug)]
pub enum FsckEvent<'a> {
    /// A part begins.
    Begins(Part),
    /// Something is not as it should be.
    Found(&'a Fault),
    /// So many blobs and bytes of them were looked at.
    Blobs {
        /// Blobs so far.
        blobs: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// How far the reading of an archive's originals is.
    Originals(&'a Progress),
}

/// How many faults were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FaultCounts {
    /// All of them.
    pub found: u64,
    /// Of these: mended.
    pub mended: u64,
}

impl FaultCounts {
    fn add(&mut self, fault: &Fault) {
        self.found += 1;
        self.mended += u64::from(fault.is_mended);
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FsckReport {
    /// The faults, in numbers; each is told when it is found.
    pub counts: FaultCounts,
    /// The blobs, in numbers, as they were found.
    pub blobs: BlobReport,
    /// Blobs that nobody referred to and that were removed.
    pub removed_blobs: u64,
    /// The full-text index.
    pub search: Coverage,
    /// Entries of the audit that hold.
    pub audit_entries: i64,
    /// The scans that read the originals, one for each archive that is a folder.
    pub originals: Vec<ScanReport>,
}

impl FsckReport {
    /// Whether everything is as it should be, or has been made so.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.counts.found == self.counts.mended
    }
}

/// Why a check could not be done.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store failed as a whole.
    #[error(transparent)]
    Blobs(#[from] BlobCheckError<DbError>),
    /// What nobody refers to could not be removed.
    #[error(transparent)]
    Unneeded(#[from] PurgeError),
    /// What nobody ever referred to could not be removed.
    #[error(transparent)]
    Collect(#[from] CollectError<DbError>),
    /// It was told to stop.
    #[error("the check was cancelled")]
    Cancelled,
}

/// How many blobs are asked for at once.
const PAGE: usize = 1000;

/// Checks everything that belongs to a family, and what all families share.
///
/// # Errors
/// [`FsckError`]; a fault is no error.
pub async fn fsck(
    ctx: &Context,
    family: FamilyId,
    options: FsckOptions,
    cancel: &CancellationToken,
    observe: &mut (dyn FnMut(FsckEvent<'_>) + Send),
) -> Result<FsckReport, FsckError> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(DbError::from)?;
    let mut check = Check {
        ctx,
        family,
        options,
        backups: Retriever::new(ctx),
        report: FsckReport::default(),
        observe,
    };
    if !check.catalogue().await? {
        return Ok(check.report);
    }
    check.audit().await?;
    check.search().await?;
    tokio::select! {
        outcome = check.blobs() => outcome?,
        () = cancel.cancelled() => return Err(FsckError::Cancelled),
    }
    if options.read_originals {
        check.originals(cancel).await?;
    }
    Ok(check.report)
}

struct Check<'a> {
    ctx: &'a Context,
    family: FamilyId,
    options: FsckOptions,
    backups: Retriever<'a>,
    report: FsckReport,
    observe: &'a mut (dyn FnMut(FsckEvent<'_>) + Send),
}

impl Check<'_> {
    /// Says whether its pages are as they were written: if not, nothing can be told from it.
    async fn catalogue(&mut self) -> Result<bool, FsckError> {
        (self.observe)(FsckEvent::Begins(Part::Catalogue));
        let damaged = self.ctx.db.check_pages(&self.ctx.actor).await?;
        if !damaged.is_empty() {
            for what in damaged {
                self.found(Part::Catalogue, String::new(), what, false);
            }
            return Ok(false);
        }
        for what in self.ctx.db.check_integrity(&self.ctx.actor).await? {
            self.found(Part::Catalogue, String::new(), what, false);
        }
        Ok(true)
    }

    async fn audit(&mut self) -> Result<(), FsckError> {
        (self.observe)(FsckEvent::Begins(Part::Audit));
        match self
            .ctx
            .db
            .check_audit(&self.ctx.actor, self.family)
            .await?
        {
            Ok(entries) => self.report.audit_entries = entries,
            Err(BrokenAt(position)) => {
                self.report.audit_entries = position - 1;
                let what = "The chain of the audit breaks here: an entry was changed or removed.";
                self.found(Part::Audit, position.to_string(), what.to_owned(), false);
            }
        }
        Ok(())
    }

    async fn search(&mut self) -> Result<(), FsckError> {
        (self.observe)(FsckEvent::Begins(Part::Search));
        let (db, actor) = (&self.ctx.db, &self.ctx.actor);
        let before = db.check_search(actor).await?;
        self.report.search = before;
        if before.is_sound() {
            return Ok(());
        }
        if self.options.repair {
            db.rebuild_search(actor).await?;
            self.report.search = db.check_search(actor).await?;
        }
        let what = match (before.is_readable, before.assets - before.documents) {
            (false, _) => "The search index contradicts itself.".to_owned(),
            (true, lacking) => format!(
                "The search index lacks {lacking} of {} assets and has {} that do not exist.",
                before.assets, before.strays
            ),
        };
        let is_mended = self.report.search.is_sound();
        self.found(Part::Search, String::new(), what, is_mended);
        Ok(())
    }

    async fn blobs(&mut self) -> Result<(), FsckError> {
        (self.observe)(FsckEvent::Begins(Part::Blobs));
        let Context {
            db, blobs, actor, ..
        } = self.ctx;
        let options = BlobOptions {
            depth: if self.options.read_blobs {
                FsckDepth::Bytes
            } else {
                FsckDepth::Lengths
            },
            is_setting_aside: self.options.repair,
        };
        let expected = |after: Option<ContentHash>| async move {
            let page = db.list_blobs(actor, after, PAGE).await?.into_iter();
            let expected = page.map(|(hash, size_bytes)| ExpectedBlob { hash, size_bytes });
            Ok::<_, DbError>(expected.collect())
        };
        let mut found_lost = Vec::new();
        let (observe, counts) = (&mut self.observe, &mut self.report.counts);
        let listen = |event: BlobEvent<'_>| match event {
            BlobEvent::Found(finding) => match (lost(finding), fault(finding)) {
                // It is told of once it is known what it is, and whether it could be mended.
                (Some(hash), Some(fault)) => found_lost.push((hash, fault)),
                (None, Some(fault)) => {
                    counts.add(&fault);
                    observe(FsckEvent::Found(&fault));
                }
                (_, None) => {}
            },
            BlobEvent::Progress { blobs, bytes } => observe(FsckEvent::Blobs { blobs, bytes }),
        };
        self.report.blobs = heirloom_blobs::fsck(blobs.as_ref(), options, expected, listen).await?;
        let was_damaged = db.list_damaged_originals().await?;
        let found: BTreeSet<ContentHash> = found_lost.iter().map(|(hash, _)| *hash).collect();
        if self.options.read_blobs {
            let all = was_damaged.iter().map(|original| original.content_hash);
            let sound: Vec<ContentHash> = all.filter(|hash| !found.contains(hash)).collect();
            db.mark_kept_originals(&sound, false).await?;
        }
        for (hash, fault) in found_lost {
            self.lost(hash, fault).await?;
        }
        if self.options.repair {
            self.report.removed_blobs += remove_unneeded_blobs(self.ctx).await?;
        }
        if self.options.remove_unreferenced {
            self.report.removed_blobs += collect_blobs(self.ctx).await?.deleted;
        }
        Ok(())
    }

    /// A blob whose bytes are not there: of an original in the vault that is noted, and where it is
    /// asked for it is made good.
    async fn lost(&mut self, hash: ContentHash, mut fault: Fault) -> Result<(), FsckError> {
        let db = &self.ctx.db;
        let original = db.list_kept_originals(&[hash]).await?.into_iter().next();
        if let Some(original) = &original {
            db.mark_kept_originals(&[hash], true).await?;
            fault.part = Part::Originals;
            fault.what = format!(
                "The original of {:?} is in the vault. {}",
                original.name, fault.what
            );
        }
        let failed = match &original {
            Some(_) => {
                " No other copy of it is known: if somebody has the file, `heirloom add` puts it back."
            }
            None => " What it was made of is not as it was.",
        };
        let (is_mended, how) = match self.options.repair {
            false => (false, String::new()),
            true => match remake_blob(self.ctx, &mut self.backups, hash).await? {
                Remade::Made if original.is_some() => {
                    (true, " It was copied from another place.".to_owned())
                }
                Remade::Restored => (true, " It was restored from the backup.".to_owned()),
                Remade::Made => (true, " It was made again.".to_owned()),
                Remade::Unneeded => (true, " Nobody refers to it, and it was removed.".to_owned()),
                Remade::ByRun(asset) => (
                    false,
                    format!(" `heirloom rebuild {asset}` makes it again."),
                ),
                Remade::Failed => (false, failed.to_owned()),
            },
        };
        let what = fault.what + &how;
        self.found(fault.part, fault.subject, what, is_mended);
        Ok(())
    }

    async fn originals(&mut self, cancel: &CancellationToken) -> Result<(), FsckError> {
        (self.observe)(FsckEvent::Begins(Part::Originals));
        let options = ScanOptions {
            verify: true,
            ..ScanOptions::default()
        };
        let (db, actor) = (&self.ctx.db, &self.ctx.actor);
        for archive in db.list_archives(actor, self.family).await? {
            if archive.root.is_none() {
                continue;
            }
            let (observe, counts) = (&mut self.observe, &mut self.report.counts);
            let listen = &mut |event: ScanEvent<'_>| match event {
                ScanEvent::File(file) if file.outcome == Outcome::Failed => {
                    let fault = Fault {
                        part: Part::Originals,
                        subject: format!("{}: {}", archive.name, file.path),
                        what: file.reason.clone().unwrap_or_default(),
                        is_mended: false,
                    };
                    counts.add(&fault);
                    observe(FsckEvent::Found(&fault));
                }
                ScanEvent::File(_) => {}
                ScanEvent::Progress(progress) => observe(FsckEvent::Originals(progress)),
            };
            match scan(self.ctx, archive.id, options, cancel, listen).await {
                Ok(report) => self.report.originals.push(report),
                Err(ScanError::Db(error)) => return Err(error.into()),
                Err(error) => {
                    self.found(Part::Originals, archive.name, error.to_string(), false);
                }
            }
            if cancel.is_cancelled() {
                return Err(FsckError::Cancelled);
            }
        }
        Ok(())
    }

    fn found(&mut self, part: Part, subject: String, what: String, is_mended: bool) {
        let fault = Fault {
            part,
            subject,
            what,
            is_mended,
        };
        self.report.counts.add(&fault);
        (self.observe)(FsckEvent::Found(&fault));
    }
}

/// The blob whose bytes are not there, by this finding.
fn lost(finding: &Finding) -> Option<ContentHash> {
    match finding {
        Finding::Missing(blob) => Some(blob.hash),
        Finding::Damaged { blob, .. } => Some(blob.hash),
        _ => None,
    }
}

/// What a finding of the store means; nothing, where it is nothing bad.
fn fault(finding: &Finding) -> Option<Fault> {
    let (subject, what, is_mended) = match finding {
        Finding::Unreferenced(_) | Finding::Archived(_) => return None,
        Finding::Missing(blob) => (
            blob.hash.to_string(),
            "The blob is missing.".to_owned(),
            false,
        ),
        Finding::Damaged { blob, is_set_aside } => {
            let aside = if *is_set_aside {
                " It was set aside."
            } else {
                ""
            };
            let what =
                format!("The blob is damaged: its bytes are not those it was named after.{aside}");
            (blob.hash.to_string(), what, false)
        }
        Finding::LengthDiffers {
            blob,
            expected_bytes,
        } => {
            let length = blob.size_bytes;
            let what = format!("The blob has {length} bytes where {expected_bytes} were recorded.");
            (blob.hash.to_string(), what, false)
        }
        Finding::Unreadable { blob, error } => (
            blob.hash.to_string(),
            format!("The blob cannot be read: {error}."),
            false,
        ),
        Finding::Stray {
            stray,
            is_set_aside,
        } => {
            let what = match stray.kind {
                StrayKind::Misnamed => "A file among the blobs has a name that is no blob's.",
                StrayKind::Misplaced => "A blob lies where it is not looked for.",
                StrayKind::NotAFile => "Something among the blobs is no file.",
            };
            (
                stray.path.display().to_string(),
                what.to_owned(),
                *is_set_aside,
            )
        }
    };
    Some(Fault {
        part: Part::Blobs,
        subject,
        what,
        is_mended,
    })
}
