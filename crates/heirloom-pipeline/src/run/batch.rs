//! A batch: units of one step, leased together and worked on one after the other.
//!
//! Whatever decides when a batch runs, this is how: what has ended meanwhile is left alone, leases are
//! extended while the work goes on, and results are stored a few at a time with the tokens they were
//! worked on under. A batch that is killed leaves leases that run out.

use std::{
    any::Any,
    collections::{HashMap, HashSet, VecDeque},
    fs::File,
    io::Seek as _,
    panic::AssertUnwindSafe,
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use heirloom_blobs::{BlobError, PutBlob, hash_of};
use heirloom_core::{
    AssetId, ContentHash, RunId, UnitId,
    unit::{FailureCode, backoff_ms},
};
use heirloom_db::{
    DbError,
    artifact::{Derived, NewArtifact, Payload},
    asset::AssetState,
    plan::Aim,
    unit::{Ended, Lease, Outcome},
    workpiece::Workpiece,
};
use heirloom_models::Ability;
use serde_json::Value as Json;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use super::engine::Waiting;
use crate::{
    Context,
    hearing::Listening,
    template::Step,
    tool::INLINE_BYTES,
    work::{Content, Failure, Noted, Product, Task, sentence},
    workshop::{ModelKeys, Workshop, free_bytes},
};

/// How long a lease lasts, and how often it is extended. A process that is killed holds its units up
/// for no longer than this.
pub(crate) const LEASE_MS: i64 = 15_000;
const HEARTBEAT: Duration = Duration::from_secs(4);

/// How long a result waits for others to be stored with, how many there are then at most, and of how
/// many bytes.
const PATIENCE: Duration = Duration::from_millis(250);
const TOGETHER: usize = 1024;
const TOGETHER_BYTES: usize = 32 * 1024 * 1024;

/// How often something that fails for the moment is tried.
const ATTEMPTS: i64 = 5;
/// How long something waits that found the disk full, and with how much space left that was not the
/// reason, so that it is tried no more often than anything else.
const FULL_DISK_MS: i64 = 30_000;
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
/// How many processes a unit may kill.
const CRASHES: i64 = 3;

/// What whoever works on a batch is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Work,
    /// End the unit at hand and begin no other.
    Rest,
    /// Drop everything as it is; others go on with it.
    Leave,
    /// Drop everything; nobody goes on with it.
    Cancel,
}

/// Why a batch could not be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
    #[error("a file that was just made cannot be read: {0}")]
    Scratch(#[source] std::io::Error),
}

impl BatchError {
    /// The kind of what holds a run up.
    pub(super) fn failure_code(&self) -> FailureCode {
        let is_full = |error: &std::io::Error| {
            use std::io::ErrorKind::{QuotaExceeded, StorageFull};
            matches!(error.kind(), StorageFull | QuotaExceeded)
        };
        match self {
            Self::Db(DbError::NoSpace) | Self::Blobs(BlobError::NoSpace { .. }) => {
                FailureCode::NoSpace
            }
            Self::Scratch(error) if is_full(error) => FailureCode::NoSpace,
            Self::Db(_) | Self::Blobs(_) | Self::Scratch(_) => FailureCode::Other,
        }
    }
}

/// What a batch does.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) run: RunId,
    pub(crate) step: &'static Step,
    pub(crate) aim: Aim,
    /// What the step's tool was asked for.
    pub(crate) asked: Json,
    /// The models that it uses.
    pub(crate) models: ModelKeys,
}

/// Units that are leased for one who works on them.
pub(crate) struct Batch<'a> {
    ctx: &'a Context,
    workshop: &'a Workshop,
    job: &'a Job,
    assets: HashMap<AssetId, Workpiece>,
    waiting: VecDeque<Lease>,
    /// Of those that wait or are at hand: those that somebody else has by now.
    lost: HashSet<UnitId>,
    ended: Vec<Ended>,
    /// Those of these that were heard: what was heard is shown until it is stored.
    heard: Vec<Listening>,
    /// What these refer to.
    bytes: Vec<Bytes>,
    /// Since when something waits to be stored.
    since: Option<Instant>,
    /// Why something of it waits, when the disk is full.
    waits_for: Option<Waiting>,
    count: usize,
}

impl<'a> Batch<'a> {
    /// Leases those of these units that are free.
    pub(crate) async fn lease(
        ctx: &'a Context,
        workshop: &'a Workshop,
        job: &'a Job,
        units: &[UnitId],
    ) -> Result<Self, DbError> {
        let leases = ctx.db.lease_units(units, LEASE_MS).await?;
        Ok(Self {
            ctx,
            workshop,
            job,
            assets: HashMap::new(),
            waiting: leases.into(),
            lost: HashSet::new(),
            ended: Vec::new(),
            heard: Vec::new(),
            bytes: Vec::new(),
            since: None,
            waits_for: None,
            count: 0,
        })
    }

    /// How many units there are.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Works on the units until all have ended or `order` says something else. Gives how many were
    /// worked on. `stored` is called whenever results have been stored, with why some of them wait for
    /// something that nobody here can do.
    pub(crate) async fn execute(
        mut self,
        mut order: watch::Receiver<Order>,
        stored: &(dyn Fn(Option<Waiting>) + Sync),
    ) -> Result<usize, BatchError> {
        let ids: Vec<AssetId> = self.waiting.iter().map(|lease| lease.asset).collect();
        let assets = self.ctx.db.find_workpieces(&self.ctx.actor, &ids).await?;
        self.assets = assets.into_iter().map(|asset| (asset.id, asset)).collect();
        let mut beat = interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        while let Some(lease) = self.waiting.pop_front() {
            let told = *order.borrow_and_update();
            if told != Order::Work {
                self.waiting.push_front(lease);
                break;
            }
            if self.lost.remove(&lease.unit) {
                continue;
            }
            if !self.work(lease, &mut order, &mut beat).await? {
                break;
            }
            if self.is_due() {
                self.store().await?;
                stored(self.waits_for.take());
            }
        }
        let told = *order.borrow();
        while let Some(lease) = self.waiting.pop_front() {
            self.end_untouched(lease, told);
        }
        self.store().await?;
        stored(self.waits_for.take());
        Ok(self.count)
    }

    /// Works on one unit; `false` when it was dropped.
    async fn work(
        &mut self,
        lease: Lease,
        order: &mut watch::Receiver<Order>,
        beat: &mut tokio::time::Interval,
    ) -> Result<bool, BatchError> {
        let started = Instant::now();
        // Taken out, so that the work may borrow it while the batch is looked after.
        let asset = self.assets.remove(&lease.asset);
        let asked = &self.job.asked;
        let is_heard = self.job.step.tool.ability == Some(Ability::Speech);
        let hearings = self.workshop.hearings();
        let listening = is_heard.then(|| hearings.begin(lease.asset, self.job.run));
        let task = asset
            .as_ref()
            .map(|asset| Task::new(self.ctx, self.workshop, asset, asked));
        let result = {
            let work = AssertUnwindSafe(perform(self.job.step, task.as_ref())).catch_unwind();
            let mut work = std::pin::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    result = &mut work => break result.unwrap_or_else(|panic| Err(panicked(&*panic))),
                    told = dropped(order) => {
                        self.end_untouched(lease, told);
                        return Ok(false);
                    }
                    _ = beat.tick() => {
                        self.extend(&lease).await?;
                        if self.since.is_some() {
                            self.store().await?;
                        }
                    }
                }
            }
        };
        let Noted { log, measures } = task.map(Task::into_noted).unwrap_or_default();
        let has_crashed = matches!(result, Err(Failure::Crashed(..)));
        let outcome = match (result, &asset) {
            (Ok(products), Some(asset)) => {
                let derived = self.derive(asset, products).await?;
                match self.job.aim {
                    Aim::Complete => Outcome::Done(derived),
                    Aim::Again => Outcome::Remade(derived),
                }
            }
            (Ok(_), None) => Outcome::Done(Vec::new()),
            (Err(Failure::NoSpace(reason)), _) if self.is_waiting_for_space(&lease) => {
                self.waits_for = Some(Waiting {
                    code: FailureCode::NoSpace,
                    said: reason.clone(),
                });
                Outcome::Again {
                    reason: sentence(&reason),
                    after_ms: FULL_DISK_MS,
                }
            }
            (Err(failure), _) => outcome_of(failure.as_sentence(), &lease),
        };
        self.ended.push(Ended {
            lease,
            outcome,
            has_crashed,
            duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
            log,
            measures,
        });
        self.heard.extend(listening);
        self.since.get_or_insert_with(Instant::now);
        self.count += 1;
        Ok(true)
    }

    /// Whether what found the disk full goes on waiting: not what is too large for a disk with space.
    fn is_waiting_for_space(&self, lease: &Lease) -> bool {
        let free_bytes = free_bytes(&self.ctx.data_folder);
        free_bytes.is_some_and(|free| free < ROOM_BYTES) || lease.attempts < ATTEMPTS
    }

    /// Extends the leases of what is at hand and of what waits.
    async fn extend(&mut self, at_hand: &Lease) -> Result<(), DbError> {
        let leases: Vec<Lease> = std::iter::once(at_hand)
            .chain(&self.waiting)
            .cloned()
            .collect();
        let lost = self.ctx.db.extend_leases(&leases, LEASE_MS).await?;
        self.lost.extend(lost);
        Ok(())
    }

    fn end_untouched(&mut self, lease: Lease, told: Order) {
        self.ended.push(Ended {
            lease,
            outcome: match told {
                Order::Cancel => Outcome::Cancelled,
                Order::Work | Order::Rest | Order::Leave => Outcome::Untouched,
            },
            has_crashed: false,
            duration_ms: 0,
            log: None,
            measures: None,
        });
    }

    fn is_due(&self) -> bool {
        self.ended.len() >= TOGETHER
            || self.bytes.iter().map(Bytes::len).sum::<usize>() >= TOGETHER_BYTES
            || self.since.is_some_and(|since| since.elapsed() >= PATIENCE)
    }

    /// Stores what has been made, first the bytes and then, in one transaction, what refers to them.
    async fn store(&mut self) -> Result<(), BatchError> {
        self.since = None;
        let bytes = std::mem::take(&mut self.bytes);
        if !bytes.is_empty() {
            self.ctx.blobs.put_many(bytes).await?;
        }
        let ended = std::mem::take(&mut self.ended);
        if !ended.is_empty() {
            let refused = self.ctx.db.end_units(self.job.run, &ended).await?;
            if !refused.is_empty() {
                tracing::debug!(run = %self.job.run, count = refused.len(), "units were no longer ours");
            }
        }
        self.heard.clear();
        Ok(())
    }

    /// What is to be stored of products; their bytes are kept for then, but for those in files.
    async fn derive(
        &mut self,
        asset: &Workpiece,
        products: Vec<Product>,
    ) -> Result<Vec<Derived>, BatchError> {
        let tool = self.job.step.tool;
        let mut derived = Vec::with_capacity(products.len());
        for product in products {
            let payload = match product.content {
                Content::Json(json) => match self.keep_if_long(&json) {
                    None => Payload::Json(json),
                    Some((hash, size_bytes)) => Payload::Blob(hash, size_bytes),
                },
                Content::Text { json, text } => {
                    let blob = self.keep_if_long(&json);
                    let json = Some(json).filter(|_| blob.is_none());
                    Payload::Text { json, blob, text }
                }
                Content::Faces { json, faces } => {
                    let blob = self.keep_if_long(&json);
                    let json = Some(json).filter(|_| blob.is_none());
                    Payload::Faces { json, blob, faces }
                }
                Content::Bytes(says, bytes) => {
                    let (hash, size_bytes) = self.keep(bytes);
                    Payload::Media(says, hash, size_bytes)
                }
                Content::File(says, file) => {
                    let put = put_file(self.ctx, file).await?;
                    Payload::Media(says, put.hash, put.size_bytes)
                }
            };
            derived.push(Derived {
                artifact: NewArtifact {
                    kind: product.kind,
                    part: product.part,
                    tool: tool.name,
                    tool_version: tool.version,
                    model: product
                        .model
                        .unwrap_or_else(|| self.job.models.of(asset.kind).to_owned()),
                    parameters: tool.asked_of(asset, &self.job.asked),
                    is_deterministic: tool.is_deterministic,
                    inputs: product.inputs.unwrap_or_else(|| vec![asset.content_hash]),
                    payload,
                },
                claims: product.claims,
            });
        }
        Ok(derived)
    }

    /// Keeps what is too long to lie in the database as a blob.
    fn keep_if_long(&mut self, json: &Json) -> Option<(ContentHash, u64)> {
        let text = json.to_string();
        (text.len() > INLINE_BYTES).then(|| self.keep(text.into()))
    }

    fn keep(&mut self, bytes: Bytes) -> (ContentHash, u64) {
        let kept = (hash_of(&bytes), bytes.len() as u64);
        self.bytes.push(bytes);
        kept
    }
}

/// Runs a step's work on an asset.
async fn perform(step: &Step, task: Option<&Task<'_>>) -> Result<Vec<Product>, Failure> {
    let unwanted = |why: &str| Err(Failure::Unwanted(why.to_owned()));
    let Some(task) = task else {
        return unwanted("It was removed.");
    };
    if task.asset.is_deleted {
        return unwanted("It was deleted.");
    }
    if task.asset.state == AssetState::Replaced {
        return unwanted("Newer bytes have taken its place.");
    }
    let products = (step.work)(task).await?;
    debug_assert!(
        products
            .iter()
            .all(|product| step.tool.outputs.contains(&product.kind)),
        "a tool makes what it declares"
    );
    for problem in products
        .iter()
        .flat_map(|product| product.content.problems())
    {
        task.say(problem);
    }
    Ok(products)
}

/// Waits until everything is to be dropped.
async fn dropped(order: &mut watch::Receiver<Order>) -> Order {
    let is_over = |order: &Order| matches!(order, Order::Leave | Order::Cancel);
    match order.wait_for(is_over).await {
        Ok(order) => *order,
        // Whoever gave orders is gone.
        Err(_) => Order::Leave,
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = words, "a tool panicked");
    let reason = "The tool that works on this kind of file failed on it.";
    Failure::Permanent(FailureCode::Crashed, reason.to_owned())
}

fn outcome_of(failure: Failure, lease: &Lease) -> Outcome {
    let again = |reason| Outcome::Again {
        reason,
        after_ms: wait_ms(lease),
    };
    let failed = |code, reason, is_permanent| Outcome::Failed {
        code,
        reason,
        is_permanent,
    };
    let skipped = |reason, is_permanent| Outcome::Skipped {
        reason,
        is_permanent,
    };
    match failure {
        Failure::NothingToDo(reason) => skipped(reason, true),
        Failure::Unwanted(reason) => skipped(reason, false),
        Failure::Permanent(code, reason) => failed(code, reason, true),
        Failure::Unavailable(code, reason) => failed(code, reason, false),
        Failure::NoSpace(reason) => failed(FailureCode::NoSpace, reason, false),
        Failure::Temporary(reason) if lease.attempts >= ATTEMPTS => {
            failed(FailureCode::Other, reason, false)
        }
        Failure::Crashed(code, reason) if lease.crashes + 1 >= CRASHES => {
            let reason =
                format!("It ended the process that worked on it {CRASHES} times: {reason}.");
            failed(code, reason, true)
        }
        Failure::Crashed(_, reason) => again(sentence(&reason)),
        Failure::Temporary(reason) => again(reason),
    }
}

fn wait_ms(lease: &Lease) -> i64 {
    // The id has random bytes; the same attempt always waits for as long.
    let bytes = lease.unit.as_bytes();
    let mut dice = [0; 8];
    dice.copy_from_slice(&bytes[8..]);
    let attempts = u32::try_from(lease.attempts).unwrap_or(u32::MAX);
    let wait_ms = backoff_ms(attempts, u64::from_le_bytes(dice));
    i64::try_from(wait_ms).unwrap_or(i64::MAX)
}

async fn put_file(ctx: &Context, mut file: File) -> Result<PutBlob, BatchError> {
    file.rewind().map_err(BatchError::Scratch)?;
    let mut file = tokio::fs::File::from_std(file);
    Ok(ctx.blobs.put(&mut file, None).await?)
}
