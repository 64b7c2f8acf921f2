//! Driving one run: planning it a little ahead, feeding its steps to whoever has a hand free, and
//! seeing to what it is told.

use std::{sync::Arc, time::Duration};

use heirloom_core::{
    RunId,
    run::{RunEvent, RunState},
};
use heirloom_db::{DbError, Engine as Database, run::Run};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};

use super::{
    batch::{Batch, BatchError, Job, Order},
    engine::{Engine, Shared, Waiting},
};
use crate::{
    template::Template,
    tool::{faces::SEEN_FACES, rendition::TRAITS},
};

/// How many units are planned at once, about, and how many wait then at most before more are.
const PLANNED: usize = 2048;
const WAITING: i64 = 8192;
/// How often a run is looked at that nothing is heard of: another process may have told it something.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether all has been let go of what is cancelled.
const DRAIN_EVERY: Duration = Duration::from_millis(50);
/// How long a step without units waits before it looks again: some wait for their next attempt.
const IDLE: Duration = Duration::from_millis(500);
/// How long a batch is to take, about, and how many units it has at first and at most.
const BATCH: Duration = Duration::from_millis(400);
const FIRST_UNITS: usize = 4;
const MOST_UNITS: usize = 1024;

/// Drives a run until it has ended or the engine stops.
pub(super) async fn drive(
    shared: &Arc<Shared>,
    id: RunId,
    wake: &Notify,
) -> Result<(), BatchError> {
    if shared.ctx.db.engine() == Database::Sqlite {
        // The catalogue is this process's alone: whoever holds units that nobody here drives is dead.
        shared.ctx.db.let_leases_go(id).await?;
    }
    loop {
        if shared.stopping.is_cancelled() {
            return Ok(());
        }
        let run = load(shared, id).await?;
        let Some(template) = shared.find_template(&run.pipeline) else {
            return Ok(());
        };
        match run.state {
            RunState::Pending => advance(shared, id, RunEvent::Start).await?,
            RunState::Running => work(shared, id, template, wake).await?,
            RunState::Paused => pass_time(shared, wake, LOOK_EVERY).await,
            RunState::Cancelling if shared.ctx.db.cancel_units(id).await? => {
                advance(shared, id, RunEvent::Drain).await?;
            }
            RunState::Cancelling => pass_time(shared, wake, DRAIN_EVERY).await,
            RunState::Cancelled | RunState::Done | RunState::Failed => {
                let _ = shared.changes.send(id);
                return Ok(());
            }
        }
    }
}

/// Works on a run while it is running.
async fn work(
    shared: &Arc<Shared>,
    id: RunId,
    template: &'static Template,
    wake: &Notify,
) -> Result<(), BatchError> {
    let (orders, order) = watch::channel(Order::Work);
    let planned = Arc::new(Notify::new());
    let used = Arc::new(Notify::new());
    let mut feeders = JoinSet::new();
    let parameters = load(shared, id).await?.asked()?;
    for step in template.steps {
        let job = Job {
            run: id,
            step,
            aim: template.aim,
            asked: parameters.of_step(step.name).clone(),
            models: shared.workshop.model_keys(step.tool.ability),
        };
        let feeder = Feeder {
            shared: Arc::clone(shared),
            job,
            order: order.clone(),
            planned: Arc::clone(&planned),
            used: Arc::clone(&used),
        };
        feeders.spawn(feeder.feed());
    }
    drop(order);
    let told = loop {
        let run = load(shared, id).await?;
        let told = match run.state {
            _ if shared.stopping.is_cancelled() => Some(Order::Leave),
            RunState::Running => None,
            RunState::Cancelling => Some(Order::Cancel),
            _ => Some(Order::Rest),
        };
        if let Some(told) = told {
            break told;
        }
        let _ = shared.changes.send(id);
        if plan(shared, &run, template).await? {
            planned.notify_waiters();
            continue;
        }
        if run.is_planned && !shared.ctx.db.has_open_units(id).await? {
            // Whoever sees that it is done sees what comes next.
            let engine = Engine {
                shared: Arc::clone(shared),
            };
            gather(shared, &run, template).await;
            engine.follow(id).await?;
            advance(shared, id, RunEvent::Finish).await?;
            break Order::Rest;
        }
        tokio::select! {
            () = wake.notified() => {}
            () = used.notified() => {}
            () = shared.stopping.cancelled() => {}
            // Where units end all the time, none waits for a clock.
            () = tokio::time::sleep(LOOK_EVERY) => shared.ctx.db.calm_units(id).await?,
            Some(ended) = feeders.join_next() => {
                // A feeder ends before it is told only when something is wrong.
                ended.map_err(|_| DbError::Refused("a step ended unexpectedly".to_owned()))??;
            }
        }
    };
    rest(shared, id, feeders, &orders, told).await
}

/// Puts the faces that a run found into groups, and finds what there is twice of the pictures that it drew. Should that
/// fail, the next run does it.
async fn gather(shared: &Shared, run: &Run, template: &Template) {
    let (db, family) = (&shared.ctx.db, run.family_id);
    let makes = |kind| {
        template
            .steps
            .iter()
            .any(|step| step.tool.outputs.contains(&kind))
    };
    if makes(SEEN_FACES) {
        match db.gather_faces(family).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(run = %run.id, count, "faces were put into groups"),
            Err(error) => tracing::warn!("faces are not put into groups: {error}"),
        }
    }
    if makes(TRAITS) {
        match db.compare_pictures(family).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(run = %run.id, count, "pairs of pictures belong together"),
            Err(error) => tracing::warn!("pictures are not compared: {error}"),
        }
    }
}

/// Waits for the hands that are still at work after they were told so; what is cancelled or stopped
/// meanwhile is not waited for.
async fn rest(
    shared: &Shared,
    id: RunId,
    mut feeders: JoinSet<Result<(), BatchError>>,
    orders: &watch::Sender<Order>,
    mut told: Order,
) -> Result<(), BatchError> {
    loop {
        let _ = orders.send(told);
        tokio::select! {
            ended = feeders.join_next() => match ended {
                None => return Ok(()),
                Some(Ok(ended)) => ended?,
                Some(Err(error)) => tracing::error!(%error, "a step ended unexpectedly"),
            },
            () = shared.stopping.cancelled(), if told == Order::Rest => told = Order::Leave,
            () = tokio::time::sleep(LOOK_EVERY), if told == Order::Rest => {
                if load(shared, id).await?.state == RunState::Cancelling {
                    told = Order::Cancel;
                }
            }
        }
    }
}

/// Plans the next assets where few units wait; gives whether there were any.
async fn plan(shared: &Shared, run: &Run, template: &'static Template) -> Result<bool, DbError> {
    if run.is_planned {
        return Ok(false);
    }
    let steps = shared.ctx.db.list_run_steps(run.id).await?;
    if steps.iter().map(|step| step.counts.pending).sum::<i64>() >= WAITING {
        return Ok(false);
    }
    let assets = PLANNED.div_ceil(template.steps.len().max(1));
    let models = template.models(&shared.workshop);
    shared
        .ctx
        .db
        .plan_run(run.id, assets, template.aim, |asset, parameters| {
            let mut wanted = template.wanted(asset, parameters, &models);
            // A run that begins by itself has only the steps whose models are here.
            wanted.retain(|wanted| steps.iter().any(|step| step.step == wanted.step));
            wanted
        })
        .await?;
    shared.note_waiting(run.id, None);
    Ok(true)
}

/// Has the units of one step worked on.
struct Feeder {
    shared: Arc<Shared>,
    job: Job,
    order: watch::Receiver<Order>,
    /// Somebody has planned.
    planned: Arc<Notify>,
    /// Units have ended.
    used: Arc<Notify>,
}

impl Feeder {
    /// Takes a hand whenever one is free, and gives it a batch, until something else is ordered. The
    /// batches that are under way then are waited for.
    async fn feed(self) -> Result<(), BatchError> {
        let feeder = Arc::new(self);
        let mut batches = JoinSet::new();
        let mut units = FIRST_UNITS;
        let mut order = feeder.order.clone();
        while *order.borrow_and_update() == Order::Work {
            let hands = Arc::clone(feeder.shared.hands(feeder.job.step.tool.class));
            let hand = tokio::select! {
                hand = hands.acquire_owned() => hand.ok(),
                _ = order.changed() => continue,
                Some(ended) = batches.join_next() => {
                    units = next_size(ended)?.unwrap_or(units);
                    continue;
                }
            };
            let waiting = feeder.planned.notified();
            let ready = feeder.ready(units).await?;
            if ready.is_empty() {
                drop(hand);
                tokio::select! {
                    () = waiting => {}
                    () = tokio::time::sleep(IDLE) => {}
                    _ = order.changed() => {}
                    Some(ended) = batches.join_next() => units = next_size(ended)?.unwrap_or(units),
                }
                continue;
            }
            let (leased, is_leased) = tokio::sync::oneshot::channel();
            let feeder = Arc::clone(&feeder);
            batches.spawn(async move {
                let worked = feeder.work(&ready, leased).await;
                drop(hand);
                worked
            });
            // Until these are leased, the next would be the same.
            let _ = is_leased.await;
        }
        while let Some(ended) = batches.join_next().await {
            next_size(ended)?;
        }
        Ok(())
    }

    async fn ready(&self, units: usize) -> Result<Vec<heirloom_core::UnitId>, DbError> {
        let db = &self.shared.ctx.db;
        let Job { run, step, .. } = self.job;
        db.list_ready_units(run, step.name, units).await
    }

    /// Works on a batch; gives how many units of its kind would have taken the right time.
    async fn work(
        &self,
        units: &[heirloom_core::UnitId],
        leased: tokio::sync::oneshot::Sender<()>,
    ) -> Result<Option<usize>, BatchError> {
        let Shared { ctx, workshop, .. } = &*self.shared;
        let batch = Batch::lease(ctx, workshop, &self.job, units).await?;
        drop(leased);
        if batch.len() == 0 {
            return Ok(None);
        }
        let started = Instant::now();
        let stored = |waits_for: Option<Waiting>| {
            self.shared.note_waiting(self.job.run, waits_for);
            self.used.notify_one();
            let _ = self.shared.changes.send(self.job.run);
        };
        let count = batch.execute(self.order.clone(), &stored).await?;
        if count == 0 {
            return Ok(None);
        }
        let each = started.elapsed().as_micros().max(1) / count as u128;
        let fitting = BATCH.as_micros() / each.max(1);
        Ok(Some(
            usize::try_from(fitting).map_or(MOST_UNITS, |fitting| fitting.clamp(1, MOST_UNITS)),
        ))
    }
}

fn next_size(
    ended: Result<Result<Option<usize>, BatchError>, tokio::task::JoinError>,
) -> Result<Option<usize>, BatchError> {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a batch ended unexpectedly; its leases run out");
        Ok(None)
    })
}

async fn load(shared: &Shared, id: RunId) -> Result<Run, DbError> {
    shared.ctx.db.get_run(&shared.ctx.actor, id).await
}

/// Lets something happen to a run. That another process was quicker is fine.
async fn advance(shared: &Shared, id: RunId, event: RunEvent) -> Result<(), DbError> {
    let advanced = shared
        .ctx
        .db
        .advance_run(&shared.ctx.actor, id, event, None);
    let outcome = match advanced.await {
        Ok(_) | Err(DbError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    };
    let _ = shared.changes.send(id);
    outcome
}

async fn pass_time(shared: &Shared, wake: &Notify, most: Duration) {
    tokio::select! {
        () = wake.notified() => {}
        () = shared.stopping.cancelled() => {}
        () = tokio::time::sleep(most) => {}
    }
}
