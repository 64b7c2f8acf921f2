//! Compares what a store holds with what it should hold.

use std::{cmp::Ordering, error::Error, vec};

use futures_util::TryStreamExt;
use heirloom_core::ContentHash;

use crate::{BlobError, BlobStat, BlobStore, Stray};

/// A blob that somebody references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedBlob {
    /// Its name.
    pub hash: ContentHash,
    /// The length that was recorded with the reference.
    pub size_bytes: u64,
}

/// How a store is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsckOptions {
    /// How closely blobs are looked at.
    pub depth: FsckDepth,
    /// Whether damaged blobs and strays are moved into quarantine. Nothing is ever deleted.
    pub is_setting_aside: bool,
}

/// How closely blobs are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FsckDepth {
    /// Names and lengths: quick, but blind to flipped bits.
    Lengths,
    /// Every byte is read and hashed.
    Bytes,
}

/// What a check says while it goes on.
#[derive(Debug)]
pub enum FsckEvent<'a> {
    /// Something is not as it should be.
    Found(&'a Finding),
    /// This much is done; said after every blob and every chunk of a large one.
    Progress {
        /// Blobs looked at so far.
        blobs: u64,
        /// Bytes read so far.
        bytes: u64,
    },
}

/// Something that is not as it should be.
#[derive(Debug)]
pub enum Finding {
    /// A referenced blob is not there.
    Missing(ExpectedBlob),
    /// The bytes of a blob are not those that it was named after: flipped, cut off or added to.
    Damaged {
        /// The blob as it is stored.
        blob: BlobStat,
        /// Whether it was moved into quarantine.
        is_set_aside: bool,
    },
    /// The length differs from the recorded one. Where the bytes were read they match the hash, so
    /// that the record is wrong.
    LengthDiffers {
        /// The blob as it is stored.
        blob: BlobStat,
        /// The recorded length.
        expected_bytes: u64,
    },
    /// A blob could not be read.
    Unreadable {
        /// The blob.
        blob: BlobStat,
        /// Why.
        error: BlobError,
    },
    /// The bytes of a blob lie in an archive, where nothing is read without being asked for first. They were not
    /// looked at, which is nothing bad.
    Archived(BlobStat),
    /// Nobody references a blob. It may have been put a moment ago; [`collect`](crate::collect)
    /// removes it when it is old enough.
    Unreferenced(BlobStat),
    /// Something that is no blob.
    Stray {
        /// What and where.
        stray: Stray,
        /// Whether it was moved into quarantine.
        is_set_aside: bool,
    },
}

/// What a check found, in numbers; each finding is told when it is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Referenced blobs that are not there.
    pub missing: u64,
    /// Blobs whose bytes are not those they were named after.
    pub damaged: u64,
    /// Blobs whose length is not the recorded one.
    pub length_differs: u64,
    /// Blobs that could not be read.
    pub unreadable: u64,
    /// Blobs whose bytes lie in an archive and were not looked at.
    pub archived: u64,
    /// Things that are no blobs.
    pub strays: u64,
    /// Blobs that nobody references, which is nothing bad.
    pub unreferenced: u64,
    /// Their lengths added up.
    pub unreferenced_bytes: u64,
}

impl FsckReport {
    /// Whether everything is as it should be. Blobs that nobody references are allowed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.missing + self.damaged + self.length_differs + self.unreadable + self.strays == 0
    }
}

/// Why a check stopped.
#[derive(Debug, thiserror::Error)]
pub enum FsckError<E: Error + 'static> {
    /// The store failed as a whole; a single blob that fails is a finding.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// Whoever knows the references failed.
    #[error("it could not be found out which blobs there should be")]
    Expected(#[source] E),
    /// The expected blobs came out of order, or one came twice.
    #[error("the expected blobs must come in ascending order of their hashes, each once")]
    Unsorted,
}

/// Finds every flipped, truncated, missing and stray object of a store, in bounded memory.
///
/// `expected` yields the referenced blobs page by page, given the last hash of the page before:
/// strictly ascending, an empty page at the end. For blobs at hand there is [`pages_of`]. While blobs
/// are put and deleted the check can go on; a blob that is deleted together with its reference in
/// the middle of it may be told as missing, so a second look settles it.
///
/// # Errors
/// What the store as a whole or `expected` reports.
pub async fn fsck<F, Page, E>(
    store: &dyn BlobStore,
    options: FsckOptions,
    expected: F,
    observe: impl FnMut(FsckEvent<'_>),
) -> Result<FsckReport, FsckError<E>>
where
    F: FnMut(Option<ContentHash>) -> Page,
    Page: Future<Output = Result<Vec<ExpectedBlob>, E>>,
    E: Error + 'static,
{
    let mut check = Check {
        store,
        options,
        report: FsckReport::default(),
        observe,
    };
    let mut expected = Expected {
        fetch: expected,
        page: Vec::new().into_iter(),
        last: None,
    };
    let mut blobs = store.list(None);
    let mut blob = blobs.try_next().await?;
    let mut wanted = expected.next().await?;
    loop {
        match order(wanted, blob) {
            None => break,
            Some(Ordering::Less) => {
                if let Some(wanted) = wanted {
                    // It may have been put after its place in the listing had passed.
                    match store.stat(wanted.hash).await {
                        Ok(blob) => check.examine(blob, Some(wanted)).await?,
                        Err(BlobError::NotFound { .. }) => check.found(Finding::Missing(wanted)),
                        Err(error) => return Err(error.into()),
                    }
                }
                wanted = expected.next().await?;
            }
            Some(side) => {
                let both = side == Ordering::Equal;
                if let Some(blob) = blob {
                    check.examine(blob, wanted.filter(|_| both)).await?;
                }
                blob = blobs.try_next().await?;
                if both {
                    wanted = expected.next().await?;
                }
            }
        }
    }
    check.strays().await?;
    Ok(check.report)
}

/// Pages of expected blobs that are at hand, sorted here.
pub fn pages_of<E>(
    blobs: impl IntoIterator<Item = ExpectedBlob>,
) -> impl FnMut(Option<ContentHash>) -> std::future::Ready<Result<Vec<ExpectedBlob>, E>> {
    let mut blobs: Vec<_> = blobs.into_iter().collect();
    blobs.sort_unstable_by_key(|blob| blob.hash);
    blobs.dedup();
    move |_| std::future::ready(Ok(std::mem::take(&mut blobs)))
}

/// Which of the two comes first; `None` when both are at their end.
fn order(wanted: Option<ExpectedBlob>, blob: Option<BlobStat>) -> Option<Ordering> {
    match (wanted, blob) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(wanted), Some(blob)) => Some(wanted.hash.cmp(&blob.hash)),
    }
}

struct Expected<F> {
    fetch: F,
    page: vec::IntoIter<ExpectedBlob>,
    last: Option<ContentHash>,
}

impl<F> Expected<F> {
    async fn next<Page, E>(&mut self) -> Result<Option<ExpectedBlob>, FsckError<E>>
    where
        F: FnMut(Option<ContentHash>) -> Page,
        Page: Future<Output = Result<Vec<ExpectedBlob>, E>>,
        E: Error + 'static,
    {
        if self.page.len() == 0 {
            let page = (self.fetch)(self.last).await.map_err(FsckError::Expected)?;
            self.page = page.into_iter();
        }
        let Some(blob) = self.page.next() else {
            return Ok(None);
        };
        if self
            .last
            .replace(blob.hash)
            .is_some_and(|last| last >= blob.hash)
        {
            return Err(FsckError::Unsorted);
        }
        Ok(Some(blob))
    }
}

struct Check<'a, O> {
    store: &'a dyn BlobStore,
    options: FsckOptions,
    report: FsckReport,
    observe: O,
}

impl<O: FnMut(FsckEvent<'_>)> Check<'_, O> {
    async fn examine(
        &mut self,
        blob: BlobStat,
        wanted: Option<ExpectedBlob>,
    ) -> Result<(), BlobError> {
        let read = match self.options.depth {
            FsckDepth::Bytes => self.read(blob.hash).await,
            FsckDepth::Lengths => Ok(()),
        };
        self.report.blobs += 1;
        match (read, wanted) {
            (Err(BlobError::NotFound { .. }), Some(wanted)) => self.found(Finding::Missing(wanted)),
            (Err(BlobError::NotFound { .. }), None) => self.report.blobs -= 1,
            (Err(BlobError::Corrupt { hash }), _) => {
                let is_set_aside =
                    self.options.is_setting_aside && self.store.set_aside(hash).await?;
                self.found(Finding::Damaged { blob, is_set_aside });
            }
            (Err(BlobError::Archived { .. }), _) => self.found(Finding::Archived(blob)),
            (Err(BlobError::ShuttingDown), _) => return Err(BlobError::ShuttingDown),
            (Err(error), _) => self.found(Finding::Unreadable { blob, error }),
            (Ok(()), None) => self.found(Finding::Unreferenced(blob)),
            (Ok(()), Some(wanted)) if wanted.size_bytes != blob.size_bytes => {
                self.found(Finding::LengthDiffers {
                    blob,
                    expected_bytes: wanted.size_bytes,
                });
            }
            (Ok(()), Some(_)) => {}
        }
        self.progress();
        Ok(())
    }

    async fn read(&mut self, hash: ContentHash) -> Result<(), BlobError> {
        let mut reader = self.store.get(hash).await?;
        while let Some(chunk) = reader.next_chunk().await? {
            self.report.bytes += chunk.len() as u64;
            self.progress();
        }
        Ok(())
    }

    async fn strays(&mut self) -> Result<(), BlobError> {
        let mut strays = self.store.list_strays();
        while let Some(stray) = strays.try_next().await? {
            let is_set_aside =
                self.options.is_setting_aside && self.store.set_stray_aside(stray.clone()).await?;
            self.found(Finding::Stray {
                stray,
                is_set_aside,
            });
        }
        Ok(())
    }

    fn found(&mut self, finding: Finding) {
        let report = &mut self.report;
        match &finding {
            Finding::Missing(_) => report.missing += 1,
            Finding::Damaged { .. } => report.damaged += 1,
            Finding::LengthDiffers { .. } => report.length_differs += 1,
            Finding::Unreadable { .. } => report.unreadable += 1,
            Finding::Archived(_) => report.archived += 1,
            Finding::Stray { .. } => report.strays += 1,
            Finding::Unreferenced(blob) => {
                report.unreferenced += 1;
                report.unreferenced_bytes += blob.size_bytes;
            }
        }
        (self.observe)(FsckEvent::Found(&finding));
    }

    fn progress(&mut self) {
        let FsckReport { blobs, bytes, .. } = self.report;
        (self.observe)(FsckEvent::Progress { blobs, bytes });
    }
}
