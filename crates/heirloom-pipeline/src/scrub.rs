//! Reading everything again, slowly and over and over, to find damage while there is a copy.
//!
//! A disk forgets without saying so. Each pass reads every blob and every original in a folder archive that
//! lies as it was catalogued, at a rate that nobody notices, and notes after each few how far it is, so that a
//! machine that is switched off every evening comes through as well. Derived bytes that are damaged are made
//! again. An original in the vault is made good from another copy or from the backup; without one it stays as it is,
//! because a picture with a wrong byte is better than none, and is named. Nothing is ever written to a folder archive.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    time::Duration,
};

use futures_util::StreamExt as _;
use heirloom_blobs::BlobError;
use heirloom_core::{AssetId, ContentHash, FamilyId, LocationId};
use heirloom_db::{
    DbError, clock,
    location::LivePlace,
    plan::{Parameters, Scope},
    scrub::{CheckablePlace, ScrubAt, ScrubPass},
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    backup::Retriever,
    open::open_place,
    original::let_go,
    purge::PurgeError,
    remake::{Remade, remake_blob},
    run::{Engine, EngineError},
    template::REBUILD,
};

/// How many blobs or places are looked at before it is noted how far the pass is, and how many bytes: a process that
/// ends reads no more than these again.
const PAGE: usize = 32;
const PAGE_BYTES: i64 = 64 << 20;
/// How much of an original is read at once.
const BLOCK_BYTES: usize = 256 * 1024;
/// How long it rests after a pass: a small library is read once a day and not all day long.
const REST_MS: i64 = 24 * 60 * 60 * 1000;
/// How long it rests when something failed that is not about one file.
const PAUSE: Duration = Duration::from_secs(60);

/// Reads on, pass after pass, until it is told to stop; `rate` is in bytes a second. What a run makes again has
/// one begun.
pub async fn scrub(ctx: &Context, engine: &Engine, rate: u64, stop: &CancellationToken) {
    let going_on = async {
        let mut pace = Pace::new(rate);
        loop {
            let pause = match scrub_page(ctx, &mut pace).await {
                Ok(Page::Read { to_make }) => match make_again(ctx, engine, &to_make).await {
                    Ok(()) => continue,
                    Err(error) => {
                        tracing::warn!(
                            "what was found damaged waits for `heirloom rebuild`: {error}"
                        );
                        continue;
                    }
                },
                Ok(Page::Rest(pause)) => pause,
                Err(error) => {
                    tracing::warn!("the reading that looks for damage is held up: {error}");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = going_on => {}
    }
}

async fn make_again(ctx: &Context, engine: &Engine, assets: &[AssetId]) -> Result<(), EngineError> {
    let mut families: BTreeMap<FamilyId, Vec<AssetId>> = BTreeMap::new();
    for asset in ctx.db.find_workpieces(&ctx.actor, assets).await? {
        families.entry(asset.family_id).or_default().push(asset.id);
    }
    for (family, assets) in families {
        let parameters = Parameters {
            scope: Scope::Assets(assets),
            ..Parameters::default()
        };
        engine
            .start(&ctx.actor, family, REBUILD.name, &parameters)
            .await?;
    }
    Ok(())
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// A few things were read, or there is another part to go on with.
    Read {
        /// Of these something was damaged that a run makes again.
        to_make: Vec<AssetId>,
    },
    /// There is nothing to be read before this is over.
    Rest(Duration),
}

/// Reads the next few things, and notes how far the pass is.
///
/// # Errors
/// What the catalogue and the store say as a whole; damage is no error.
pub async fn scrub_page(ctx: &Context, pace: &mut Pace) -> Result<Page, PurgeError> {
    let last = ctx
        .db
        .list_scrub_passes(&ctx.actor)
        .await?
        .into_iter()
        .next();
    let mut pass = match last {
        None => ScrubPass::begin(),
        Some(pass) => match pass.ended_at_ms {
            None => pass,
            // A clock that was put back makes nobody wait for longer than the rest is.
            Some(ended_at_ms) => {
                match REST_MS - (clock::now_ms() - ended_at_ms).clamp(0, REST_MS) {
                    0 => ScrubPass {
                        // Passes are told apart by when they began.
                        began_at_ms: clock::now_ms().max(pass.began_at_ms + 1),
                        ..ScrubPass::begin()
                    },
                    left_ms => {
                        return Ok(Page::Rest(Duration::from_millis(left_ms.unsigned_abs())));
                    }
                }
            }
        },
    };
    let mut to_make = BTreeSet::new();
    match pass.at {
        ScrubAt::Blobs(after) => read_blobs(ctx, pace, (&mut pass, after), &mut to_make).await?,
        ScrubAt::Originals(after) => read_originals(ctx, pace, (&mut pass, after)).await?,
    }
    ctx.db.save_scrub_pass(&pass).await?;
    let to_make = to_make.into_iter().collect();
    Ok(Page::Read { to_make })
}

async fn read_blobs(
    ctx: &Context,
    pace: &mut Pace,
    (pass, after): (&mut ScrubPass, Option<ContentHash>),
    to_make: &mut BTreeSet<AssetId>,
) -> Result<(), PurgeError> {
    let page = ctx.db.list_blobs(&ctx.actor, after, PAGE).await?;
    if page.is_empty() {
        pass.at = ScrubAt::Originals(None);
    }
    let was_damaged = ctx.db.list_damaged_originals().await?;
    let mut backups = Retriever::new(ctx);
    let enough = pass.bytes.saturating_add(PAGE_BYTES);
    for (hash, _) in page {
        if pass.bytes >= enough {
            break;
        }
        let (is_sound, bytes) = read_blob(ctx, pace, hash).await;
        pass.blobs += 1;
        pass.bytes = pass.bytes.saturating_add_unsigned(bytes);
        pass.at = ScrubAt::Blobs(Some(hash));
        match is_sound {
            Some(false) => {
                pass.damaged += 1;
                match mend(ctx, &mut backups, hash).await? {
                    Remade::Made | Remade::Restored | Remade::Unneeded => pass.mended += 1,
                    Remade::ByRun(asset) => {
                        to_make.insert(asset);
                    }
                    Remade::Failed => {}
                }
            }
            Some(true) if was_damaged.iter().any(|known| known.content_hash == hash) => {
                ctx.db.mark_kept_originals(&[hash], false).await?;
            }
            Some(true) | None => {}
        }
    }
    Ok(())
}

/// Whether a blob is sound, unless it could not be read for another reason; and how many bytes were read.
async fn read_blob(ctx: &Context, pace: &mut Pace, hash: ContentHash) -> (Option<bool>, u64) {
    let mut bytes = 0;
    let read = async {
        let mut reader = ctx.blobs.get(hash).await?;
        while let Some(chunk) = reader.next().await {
            let length = chunk?.len() as u64;
            bytes += length;
            pace.spend(length).await;
        }
        Ok(())
    };
    let is_sound = match read.await {
        Ok(()) => Some(true),
        Err(BlobError::NotFound { .. } | BlobError::Corrupt { .. }) => Some(false),
        // It is asked for by whoever wants it, and not for this.
        Err(BlobError::Archived { .. }) => None,
        Err(error) => {
            tracing::warn!(%hash, "a blob cannot be read: {error}");
            None
        }
    };
    (is_sound, bytes)
}

/// Makes a blob good, or notes of an original that it is damaged.
async fn mend(
    ctx: &Context,
    backups: &mut Retriever<'_>,
    hash: ContentHash,
) -> Result<Remade, PurgeError> {
    let original = ctx
        .db
        .list_kept_originals(&[hash])
        .await?
        .into_iter()
        .next();
    if original.is_none() {
        ctx.blobs.set_aside(hash).await?;
    }
    let remade = remake_blob(ctx, backups, hash).await?;
    let is_mended = !matches!(remade, Remade::ByRun(_) | Remade::Failed);
    match &original {
        Some(original) if !is_mended => {
            ctx.db.mark_kept_originals(&[hash], true).await?;
            tracing::error!(asset = %original.asset, name = original.name, "an original in the vault is damaged");
        }
        _ => tracing::warn!(%hash, is_mended, "a blob was damaged"),
    }
    Ok(remade)
}

async fn read_originals(
    ctx: &Context,
    pace: &mut Pace,
    (pass, after): (&mut ScrubPass, Option<LocationId>),
) -> Result<(), DbError> {
    let page = ctx
        .db
        .list_checkable_places(&ctx.actor, after, PAGE)
        .await?;
    if page.is_empty() {
        pass.ended_at_ms = Some(clock::now_ms());
    }
    let enough = pass.bytes.saturating_add(PAGE_BYTES);
    for known in page {
        if pass.bytes >= enough {
            break;
        }
        pass.at = ScrubAt::Originals(Some(known.id));
        match read_original(pace, &known).await {
            Ok(Some((hash, bytes))) => {
                pass.originals += 1;
                pass.bytes = pass.bytes.saturating_add_unsigned(bytes);
                let is_damaged = hash != known.content_hash;
                if is_damaged != known.place.damaged_at_ms.is_some() {
                    ctx.db.mark_place(known.id, is_damaged).await?;
                }
                if is_damaged {
                    pass.damaged += 1;
                    let LivePlace {
                        root,
                        folder_path,
                        name,
                        ..
                    } = &known.place;
                    tracing::error!(root, folder_path, name, "an original is damaged");
                }
            }
            // What came, went or was edited is for a scan to see.
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "an original cannot be read"),
        }
    }
    Ok(())
}

/// The hash of what lies at a place and how long it is; `None` unless it lies there as it was catalogued,
/// before it is read and after.
async fn read_original(
    pace: &mut Pace,
    known: &CheckablePlace,
) -> io::Result<Option<(ContentHash, u64)>> {
    let Some(original) = open_place(known.place.clone()).await? else {
        return Ok(None);
    };
    let read = hash_slowly(pace, original.file).await?;
    let is_as_before = open_place(known.place.clone()).await?.is_some();
    Ok(is_as_before.then_some(read))
}

async fn hash_slowly(pace: &mut Pace, file: File) -> io::Result<(ContentHash, u64)> {
    let mut reading = (file, blake3::Hasher::new(), vec![0; BLOCK_BYTES]);
    let mut bytes = 0;
    loop {
        let block = tokio::task::spawn_blocking(move || {
            let (file, hasher, block) = &mut reading;
            let length = file.read(block)?;
            hasher.update(&block[..length]);
            if length == 0 {
                let_go(file);
            }
            io::Result::Ok((length as u64, reading))
        });
        let length;
        (length, reading) = block.await.map_err(io::Error::other).flatten()?;
        if length == 0 {
            let hash = ContentHash::from_bytes(reading.1.finalize().into());
            return Ok((hash, bytes));
        }
        bytes += length;
        pace.spend(length).await;
    }
}

/// Keeps to a rate.
#[derive(Debug)]
pub struct Pace {
    rate: u64,
    /// When what was read until now would have been read at that rate.
    due: Instant,
}

/// How far behind its rate a reading may be and still catch up.
const CATCH_UP: Duration = Duration::from_secs(1);

impl Pace {
    /// A pace of `rate` bytes a second, at least one.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        Self {
            rate: rate.max(1),
            due: Instant::now(),
        }
    }

    /// Waits for as long as reading these bytes should have taken.
    pub(crate) async fn spend(&mut self, bytes: u64) {
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate);
        let took = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let now = Instant::now();
        self.due = self.due.max(now.checked_sub(CATCH_UP).unwrap_or(now)) + took;
        sleep_until(self.due).await;
    }
}
