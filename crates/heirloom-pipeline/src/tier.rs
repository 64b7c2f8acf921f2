//! Bringing blobs to the places where they are kept, while they are used.
//!
//! A place lists what it has; the rules say of each blob, by what the catalogue knows of it, where it is kept; what is
//! elsewhere is moved. Nothing is remembered of how far that is: whoever begins anew finds what was moved where it
//! should be, and a blob in two places, which is what a kill leaves, is moved like any other.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use heirloom_blobs::{BlobError, BlobStat, Moved, Tiers};
use heirloom_core::{ContentHash, tier::Rule};
use heirloom_db::{
    DbError, clock,
    tier::{MoveState, StoreMove},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{Context, scrub::Pace};

/// Blobs that are asked about at once.
const PAGE: usize = 256;
/// Blobs that are moved at once: most wait for an answer from far away.
const AT_ONCE: usize = 8;
/// What is larger goes one after the other: on its way to a bucket it takes as much room again on this disk.
const LARGE_BYTES: u64 = 8 << 20;
/// So many of those that stay where they are, are named.
const NAMED: usize = 100;

/// The places of a library, and what is kept in which.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// The places. What no rule is about is kept in the first of them.
    pub tiers: Tiers,
    /// The rules; the first that fits says where a blob is kept.
    pub rules: Vec<Rule>,
    /// Of each place, whether nothing is kept there any more.
    pub is_leaving: Vec<bool>,
}

/// What a place has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Blobs there.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What of it is kept elsewhere: blobs and bytes, for each place.
    pub to: Vec<(u64, u64)>,
}

/// Why blobs could not be brought to their places.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The catalogue failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A place as a whole failed.
    #[error("{place}: {error}")]
    Blobs {
        /// What it is called.
        place: String,
        /// What it said.
        #[source]
        error: BlobError,
    },
    /// It was told to stop.
    #[error("it was stopped")]
    Cancelled,
}

impl Keeping {
    fn name(&self, at: usize) -> &str {
        &self.tiers.tiers()[at].name
    }

    fn failed(&self, at: usize, error: BlobError) -> MoveError {
        let place = self.name(at).to_owned();
        MoveError::Blobs { place, error }
    }

    /// What lies at a place, page by page.
    fn pages(
        &self,
        at: usize,
    ) -> impl futures_util::Stream<Item = Result<Vec<BlobStat>, BlobError>> + Send + use<> {
        self.tiers.tiers()[at]
            .store
            .list(None)
            .try_chunks(PAGE)
            .map_err(|failed| failed.1)
    }

    /// Where each of the blobs of a page is kept that lies at the place `at`.
    async fn places_of(
        &self,
        ctx: &Context,
        at: usize,
        page: &[BlobStat],
    ) -> Result<Vec<usize>, DbError> {
        let hashes: Vec<ContentHash> = page.iter().map(|blob| blob.hash).collect();
        let facts = ctx.db.find_blob_facts(&ctx.actor, &hashes).await?;
        let mut albums: Vec<HashSet<ContentHash>> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            albums.push(match &rule.album {
                Some(name) => {
                    ctx.db
                        .find_blobs_of_album(&ctx.actor, name, &hashes)
                        .await?
                }
                None => HashSet::new(),
            });
        }
        let (now_ms, first) = (clock::now_ms(), self.tiers.first());
        let place_of = |hash: &ContentHash| {
            let Some(facts) = facts.get(hash) else {
                // Somebody is about to refer to it, or nobody does: then it is collected where it is.
                return if self.is_leaving[at] { first } else { at };
            };
            let fitting = self
                .rules
                .iter()
                .zip(&albums)
                .find(|(rule, album)| rule.fits(facts, album.contains(hash), now_ms));
            let place = fitting.and_then(|(rule, _)| {
                let mut names = self.tiers.tiers().iter();
                names.position(|tier| tier.name == rule.place)
            });
            place.unwrap_or(first)
        };
        Ok(hashes.iter().map(place_of).collect())
    }

    /// What each place has, and what of it is kept elsewhere.
    ///
    /// # Errors
    /// What the catalogue and the places say.
    pub async fn survey(&self, ctx: &Context) -> Result<Vec<Kept>, MoveError> {
        let count = self.tiers.tiers().len();
        let mut survey = Vec::with_capacity(count);
        for at in 0..count {
            let mut kept = Kept {
                to: vec![(0, 0); count],
                ..Kept::default()
            };
            let mut pages = self.pages(at);
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| self.failed(at, error))?;
                let places = self.places_of(ctx, at, &page).await?;
                for (blob, place) in page.iter().zip(places) {
                    kept.blobs += 1;
                    kept.bytes += blob.size_bytes;
                    if place != at {
                        kept.to[place].0 += 1;
                        kept.to[place].1 += blob.size_bytes;
                    }
                }
            }
            survey.push(kept);
        }
        Ok(survey)
    }

    /// Brings everything to where it is kept, at no more than `rate` bytes a second where there is one, and notes what it
    /// did in the catalogue under the name of `begun`. Gives how it ended, which is noted as well.
    ///
    /// # Errors
    /// What the catalogue says; whatever else goes wrong is part of what is given.
    pub async fn move_all(
        &self,
        ctx: &Context,
        begun: StoreMove,
        rate: Option<u64>,
        stop: &CancellationToken,
        progress: &MoveProgress,
    ) -> Result<StoreMove, DbError> {
        let mut begun = begun;
        let pace = rate.map(|rate| Arc::new(tokio::sync::Mutex::new(Pace::new(rate))));
        let walk = async {
            for at in 0..self.tiers.tiers().len() {
                let mut pages = self.pages(at);
                while let Some(page) = pages.next().await {
                    let page = page.map_err(|error| self.failed(at, error))?;
                    let places = self.places_of(ctx, at, &page).await?;
                    let moves = page.iter().zip(places).filter(|(_, place)| *place != at);
                    let moves: Vec<_> = moves
                        .map(|(blob, place)| self.move_one(blob, (at, place), &pace, progress))
                        .collect();
                    let has_moves = !moves.is_empty();
                    stream::iter(moves)
                        .buffer_unordered(AT_ONCE)
                        .try_for_each(|()| std::future::ready(Ok(())))
                        .await?;
                    if has_moves {
                        ctx.db.save_store_move(&progress.in_numbers(&begun)).await?;
                    }
                }
            }
            Ok(())
        };
        let walked = tokio::select! {
            biased;
            () = stop.cancelled() => Err(MoveError::Cancelled),
            walked = walk => walked,
        };
        begun = progress.in_numbers(&begun);
        begun.ended_at_ms = Some(clock::now_ms());
        (begun.state, begun.error) = match walked {
            Ok(()) => (MoveState::Done, None),
            Err(MoveError::Cancelled) => (MoveState::Cancelled, None),
            Err(MoveError::Db(error)) => return Err(error),
            Err(error) => {
                tracing::warn!("blobs are not brought to their places: {error}");
                (MoveState::Failed, Some(error.to_string()))
            }
        };
        ctx.db.save_store_move(&begun).await?;
        Ok(begun)
    }

    async fn move_one(
        &self,
        blob: &BlobStat,
        (from, to): (usize, usize),
        pace: &Option<Arc<tokio::sync::Mutex<Pace>>>,
        progress: &MoveProgress,
    ) -> Result<(), MoveError> {
        let hash = blob.hash;
        let _alone = match blob.size_bytes > LARGE_BYTES {
            true => Some(progress.large.lock().await),
            false => None,
        };
        let pace = pace.clone();
        let wait = move |bytes: u64| -> BoxFuture<'static, ()> {
            let pace = pace.clone();
            Box::pin(async move {
                if let Some(pace) = pace {
                    pace.lock().await.spend(bytes).await;
                }
            })
        };
        let stays = |why: &str| {
            tracing::error!(%hash, place = self.name(from), why, "a blob stays where it is");
            progress
                .name(json!({ "blob": hash.to_string(), "place": self.name(from), "why": why }));
        };
        match self.tiers.move_blob(hash, (from, to), Arc::new(wait)).await {
            Ok(Moved::Moved { size_bytes }) => {
                progress.blobs.fetch_add(1, Ordering::Relaxed);
                progress.bytes.fetch_add(size_bytes, Ordering::Relaxed);
            }
            Ok(Moved::Replaced) => {
                tracing::warn!(%hash, place = self.name(from), "a damaged copy was set aside");
                progress.blobs.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Moved::Gone) => {}
            Ok(Moved::InUse) => {
                progress.waiting.fetch_add(1, Ordering::Relaxed);
            }
            // It was wanted elsewhere, so it is asked for; the next walk finds it there, or the one after that.
            Err(BlobError::Archived { .. }) => {
                let asked = self.tiers.tiers()[from].store.bring_back(hash).await;
                asked.map_err(|error| self.failed(from, error))?;
                progress.waiting.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Moved::Damaged) => stays("damaged"),
            // A file that its disk does not give; all else is not about one blob.
            Err(error @ (BlobError::Io { .. } | BlobError::Source(_))) => stays(&error.to_string()),
            Err(error) => {
                let place = format!("{} to {}", self.name(from), self.name(to));
                return Err(MoveError::Blobs { place, error });
            }
        }
        Ok(())
    }
}

/// How far a move is.
#[derive(Debug, Default)]
pub struct MoveProgress {
    blobs: AtomicU64,
    bytes: AtomicU64,
    waiting: AtomicU64,
    large: tokio::sync::Mutex<()>,
    problems: Mutex<Vec<serde_json::Value>>,
}

impl MoveProgress {
    /// What was begun, as far as it is now.
    #[must_use]
    pub fn in_numbers(&self, begun: &StoreMove) -> StoreMove {
        let number = |of: &AtomicU64| i64::try_from(of.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        StoreMove {
            blobs: number(&self.blobs),
            bytes: number(&self.bytes),
            waiting: number(&self.waiting),
            problems: serde_json::Value::Array(problems.clone()),
            ..begun.clone()
        }
    }

    fn name(&self, problem: serde_json::Value) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.len() < NAMED {
            problems.push(problem);
        }
    }
}
