//! What this process does to bring blobs to where they are kept: one walk through all places at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heirloom_core::{Actor, permission::Action};
use heirloom_db::{
    clock,
    tier::{MoveState, StoreMove},
};
use heirloom_pipeline::{
    Context, Tasks,
    tier::{Keeping, MoveProgress},
};
use tokio_util::sync::CancellationToken;

use crate::problem::{Code, Problem};

/// How long it rests after everything was looked at.
const REST_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long it rests when a place could not be used, or something was in use.
const RETRY_MS: i64 = 10 * 60 * 1_000;

/// What is moved. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Moves {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ctx: Context,
    keeping: Option<Keeping>,
    rate: u64,
    running: Mutex<Running>,
    tasks: Tasks,
    stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct Running {
    now: Option<Underway>,
    /// Whether this process has looked through everything once.
    has_begun: bool,
}

#[derive(Debug, Clone)]
struct Underway {
    begun: StoreMove,
    progress: Arc<MoveProgress>,
    cancel: CancellationToken,
}

impl Moves {
    /// Nothing is moved yet, in the context of the operator; `rate` is in bytes a second, 0 where nothing is moved
    /// unless somebody asks.
    pub(crate) fn new(ctx: Context, keeping: Option<Keeping>, rate: u64) -> Self {
        let shared = Shared {
            ctx,
            keeping,
            rate,
            running: Mutex::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Begins, and goes on in the background; without a rate as fast as it can.
    ///
    /// # Errors
    /// `busy` where it is under way; what the catalogue says.
    pub(crate) async fn start(
        &self,
        actor: &Actor,
        rate: Option<u64>,
    ) -> Result<StoreMove, Problem> {
        actor.require_operator(Action::OperateMachine)?;
        let ctx = Context {
            actor: actor.clone(),
            ..self.shared.ctx.clone()
        };
        let last = ctx.db.list_store_moves(actor).await?;
        let begun = StoreMove::begin(last.first());
        let Some(keeping) = self.shared.keeping.clone() else {
            // Everything is in the only place there is.
            return Ok(StoreMove {
                state: MoveState::Done,
                ended_at_ms: Some(begun.began_at_ms),
                ..begun
            });
        };
        let underway = Underway {
            begun: begun.clone(),
            progress: Arc::default(),
            cancel: self.shared.stopping.child_token(),
        };
        {
            let mut running = self.running();
            if running.now.is_some() {
                return Err(Problem::new(Code::Busy, "blobs are being moved already")
                    .hint("`heirloom store status` says how far it is."));
            }
            running.now = Some(underway.clone());
            running.has_begun = true;
        }
        if let Err(error) = ctx.db.save_store_move(&begun).await {
            self.running().now = None;
            return Err(error.into());
        }
        let moves = self.clone();
        self.shared.tasks.spawn(async move {
            let Underway {
                begun,
                progress,
                cancel,
            } = underway;
            let is_stopping = || moves.shared.stopping.is_cancelled();
            match keeping
                .move_all(&ctx, begun, rate, &cancel, &progress)
                .await
            {
                // The next process goes on with it.
                Ok(ended) if ended.state == MoveState::Cancelled && is_stopping() => {
                    let left = StoreMove {
                        state: MoveState::Running,
                        ended_at_ms: None,
                        ..ended
                    };
                    if let Err(error) = ctx.db.save_store_move(&left).await {
                        tracing::warn!("how far blobs were moved is not noted: {error}");
                    }
                }
                Ok(ended) => tracing::info!(
                    state = ended.state.as_str(),
                    blobs = ended.blobs,
                    bytes = ended.bytes,
                    "blobs were brought to where they are kept"
                ),
                Err(error) => tracing::error!("blobs are not moved: {error}"),
            }
            moves.running().now = None;
        });
        Ok(begun)
    }

    /// Stops what is under way.
    ///
    /// # Errors
    /// `refused` when nothing is.
    pub(crate) fn cancel(&self) -> Result<(), Problem> {
        match &self.running().now {
            Some(underway) => underway.cancel.cancel(),
            None => return Err(Problem::new(Code::Refused, "no blobs are being moved")),
        }
        Ok(())
    }

    /// What was done of late, the last first; of what is under way how far it is now.
    pub(crate) async fn list(&self, actor: &Actor) -> Result<Vec<StoreMove>, Problem> {
        // Before the catalogue is read: what ends in between is then told as it ended.
        let underway = self.running().now.clone();
        let mut moves = self.shared.ctx.db.list_store_moves(actor).await?;
        for one in moves
            .iter_mut()
            .filter(|one| one.state == MoveState::Running)
        {
            match &underway {
                Some(underway) if underway.begun.began_at_ms == one.began_at_ms => {
                    *one = underway.progress.in_numbers(&underway.begun);
                }
                // A process that died left it; everything is looked through anew.
                _ => {
                    one.state = MoveState::Failed;
                    one.error = Some("the process that did it ended before it did".to_owned());
                }
            }
        }
        Ok(moves)
    }

    /// Begins what is due, if anything is: what a server does each minute.
    pub(crate) async fn keep_schedule(&self) {
        if self.shared.rate == 0 || self.shared.keeping.is_none() {
            return;
        }
        match self.is_due().await {
            Ok(false) => {}
            Ok(true) => {
                let actor = self.shared.ctx.actor.clone();
                if let Err(problem) = self.start(&actor, Some(self.shared.rate)).await {
                    tracing::warn!("blobs are not moved: {problem}");
                }
            }
            Err(problem) => tracing::warn!("blobs are not moved: {problem}"),
        }
    }

    async fn is_due(&self) -> Result<bool, Problem> {
        let has_begun = {
            let running = self.running();
            if running.now.is_some() {
                return Ok(false);
            }
            running.has_begun
        };
        let moves = self
            .shared
            .ctx
            .db
            .list_store_moves(&self.shared.ctx.actor)
            .await?;
        let Some(last) = moves.first() else {
            return Ok(true);
        };
        let rest_ms = match last.state {
            MoveState::Running => return Ok(true),
            MoveState::Cancelled => REST_MS,
            // What is configured may be something else since.
            _ if !has_begun => return Ok(true),
            MoveState::Done if last.waiting == 0 => REST_MS,
            MoveState::Done | MoveState::Failed => RETRY_MS,
        };
        // A clock that was put back makes nobody wait for longer than the rest is.
        let rested_ms = clock::now_ms() - last.ended_at_ms.unwrap_or(0);
        Ok(!(0..rest_ms).contains(&rested_ms))
    }

    /// Stops what is under way, for the next process to go on with.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("what moves blobs").await;
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
