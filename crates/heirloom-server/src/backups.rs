//! What this process does with repositories of backups: one thing at a time.

mod schedule;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heirloom_core::{
    Actor, BackupId, FamilyId,
    backup::{BackupKind, BackupState},
    path,
    permission::Action,
};
use heirloom_db::{backup::Backup, clock};
use heirloom_pipeline::{
    Context, Tasks,
    backup::{
        BackupError, BackupKey, BackupOptions, KEY_FILE, Progress, RepositoryLocation, Target,
        back_up, check, prove, prune,
    },
};
use std::os::unix::ffi::OsStrExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    problem::{Code, Problem},
    store::StoreConfig,
    wire::{self, BackupOutcome, NewBackup},
};

/// What is done with repositories. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Backups {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ctx: Context,
    family: FamilyId,
    store: StoreConfig,
    running: Mutex<Option<Running>>,
    left: Notify,
    captured: Mutex<Captured>,
    tasks: Tasks,
    stopping: CancellationToken,
}

/// What was captured last between two backups. It is not in the catalogue: that would be a change.
#[derive(Debug, Default)]
struct Captured {
    at_ms: i64,
    /// How the catalogue looked then.
    mark: Option<String>,
    error: Option<(String, Code)>,
    /// What was told last of what needs somebody.
    alarms: Vec<wire::BackupAlarm>,
}

#[derive(Debug, Clone)]
struct Running {
    id: BackupId,
    cancel: CancellationToken,
    progress: Arc<Progress>,
    /// Whether only how it ended is still to be stored.
    is_ending: bool,
}

impl Running {
    fn under(stopping: &CancellationToken) -> Self {
        Self {
            id: BackupId::from(uuid::Uuid::nil()),
            cancel: stopping.child_token(),
            progress: Arc::default(),
            is_ending: false,
        }
    }
}

/// The key that something was begun with.
#[derive(Debug, Clone)]
pub(crate) struct UsedKey {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// Whether it was made just now.
    pub(crate) is_new: bool,
}

/// What a process that died left under way.
const INTERRUPTED: &str = "the process that did it ended before it did";

impl Backups {
    /// Nothing is done yet, in the context of the operator.
    pub(crate) fn new(ctx: Context, family: FamilyId, store: StoreConfig) -> Self {
        let shared = Shared {
            ctx,
            family,
            store,
            running: Mutex::default(),
            left: Notify::new(),
            captured: Mutex::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Begins something and goes on with it in the background.
    ///
    /// # Errors
    /// Why it cannot begin; nothing was changed then, unless a key was made.
    pub(crate) async fn start(
        &self,
        actor: &Actor,
        new: &NewBackup,
        is_scheduled: bool,
    ) -> Result<(BackupId, UsedKey), Problem> {
        actor.require_operator(Action::OperateMachine)?;
        if new.kind == BackupKind::Capture {
            let why = "changes are captured by the server alone";
            return Err(Problem::new(Code::Refused, why));
        }
        let (target, key) = self.find_target(new).await?;
        let ctx = Context {
            actor: actor.clone(),
            ..self.shared.ctx.clone()
        };
        let running = Running::under(&self.shared.stopping);
        let leaving = self.take(running.clone()).await?;
        let id = ctx
            .db
            .begin_backup(
                actor,
                self.shared.family,
                new.kind,
                &new.repository,
                is_scheduled,
            )
            .await?;
        self.take_id(id);
        let (backups, new) = (self.clone(), new.clone());
        self.shared.tasks.spawn(async move {
            let _leaving = leaving;
            let outcome = backups.run(&ctx, &target, &new, &running).await;
            backups.end(&ctx, id, outcome).await;
        });
        Ok((id, key))
    }

    /// Begins to store what changed, of which no account is kept in the catalogue.
    async fn start_capture(&self, new: &NewBackup, mark: String) -> Result<(), Problem> {
        let (target, _) = self.find_target(new).await?;
        let running = Running::under(&self.shared.stopping);
        let leaving = self.take(running.clone()).await?;
        let (backups, new) = (self.clone(), new.clone());
        self.shared.tasks.spawn(async move {
            let _leaving = leaving;
            let ctx = backups.shared.ctx.clone();
            let outcome = backups.run(&ctx, &target, &new, &running).await;
            let mut captured = backups.captured();
            captured.at_ms = clock::now_ms();
            match outcome {
                Ok(_) => {
                    captured.mark = Some(mark);
                    captured.error = None;
                }
                Err(BackupError::Cancelled) => {}
                Err(error) => {
                    tracing::error!(%error, "changes were not captured");
                    captured.error = Some(told(error));
                }
            }
        });
        Ok(())
    }

    /// Tells what is under way to stop.
    ///
    /// # Errors
    /// `refused` for what has ended.
    pub(crate) fn cancel(&self, id: BackupId) -> Result<(), Problem> {
        let running = self.running();
        match running.as_ref().filter(|running| running.id == id) {
            Some(running) => running.cancel.cancel(),
            None => return Err(Problem::new(Code::Refused, "it has ended already")),
        }
        Ok(())
    }

    /// Whether something is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.running().is_some()
    }

    /// What is under way. It is asked before the catalogue is: what ended in between was under way then.
    pub(crate) fn underway(&self) -> Option<BackupId> {
        self.running().as_ref().map(|running| running.id)
    }

    /// How something stands, for the wire; `underway` is what was under way before it was read.
    pub(crate) fn describe(&self, backup: Backup, underway: Option<BackupId>) -> wire::Backup {
        let running = self.running();
        let progress = running
            .as_ref()
            .filter(|running| running.id == backup.id && backup.ended_at_ms.is_none())
            .map(|running| running.progress.now().into());
        let is_left = backup.state == BackupState::Running
            && progress.is_none()
            && underway != Some(backup.id);
        wire::Backup {
            id: backup.id,
            kind: backup.kind,
            repository: backup.repository,
            state: if is_left {
                BackupState::Failed
            } else {
                backup.state
            },
            is_scheduled: backup.is_scheduled,
            key_file: None,
            is_new_key: false,
            progress,
            outcome: backup
                .outcome
                .and_then(|json| serde_json::from_value(json).ok()),
            error: if is_left {
                Some(INTERRUPTED.to_owned())
            } else {
                backup.error
            },
            error_code: if is_left {
                Some(Code::Interrupted)
            } else {
                backup.error_code.as_deref().and_then(Code::from_word)
            },
            started_at_ms: backup.started_at_ms,
            ended_at_ms: backup.ended_at_ms,
        }
    }

    /// Stops what is under way. What it stored is found again by the next.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("backups").await;
    }

    async fn find_target(&self, new: &NewBackup) -> Result<(Target, UsedKey), Problem> {
        let ctx = &self.shared.ctx;
        if !Path::new(&new.repository).is_absolute() && !new.repository.contains(':') {
            let why = "a repository is named by an absolute path here";
            return Err(Problem::new(Code::NotAbsolute, why)
                .hint("Write it from the root on, such as /media/disk/heirloom."));
        }
        let store = &self.shared.store;
        let location = RepositoryLocation::parse(&new.repository, Path::new("/"), &store.s3)?;
        let archives = ctx.db.list_archives(&ctx.actor, self.shared.family).await?;
        let file = match &new.key_file {
            Some(text) => path_of(text)?,
            None => ctx.data_folder.join(KEY_FILE),
        };
        let (data_folder, buckets) = (ctx.data_folder.clone(), store.buckets());
        let is_making = new.kind == BackupKind::Backup && new.key_file.is_none();
        let finding = tokio::task::spawn_blocking(move || {
            location.check_place(&data_folder, &buckets, &archives)?;
            let (key, is_new) = match is_making {
                true => BackupKey::load_or_create(&file)?,
                false => (BackupKey::load(&file)?, false),
            };
            Ok::<_, BackupError>((Target { location, key }, UsedKey { file, is_new }))
        });
        Ok(finding.await.map_err(Problem::internal)??)
    }

    async fn run(
        &self,
        ctx: &Context,
        target: &Target,
        new: &NewBackup,
        running: &Running,
    ) -> Result<BackupOutcome, BackupError> {
        let (progress, cancel) = (&running.progress, &running.cancel);
        Ok(match new.kind {
            BackupKind::Backup | BackupKind::Capture => {
                let options = BackupOptions {
                    has_folders: !new.without_folders,
                    is_capture: new.kind == BackupKind::Capture,
                };
                let family = self.shared.family;
                (&back_up(ctx, family, target, options, progress, cancel).await?).into()
            }
            BackupKind::Check => (&check(target, new.read_data, progress, cancel).await?).into(),
            BackupKind::Prune => {
                let (keep, now_ms) = (new.keep.into(), clock::now_ms());
                (&prune(target, keep, now_ms, progress, cancel).await?).into()
            }
            BackupKind::Proof => {
                (&prove(ctx, self.shared.family, target, progress, cancel).await?).into()
            }
        })
    }

    async fn end(&self, ctx: &Context, id: BackupId, ended: Result<BackupOutcome, BackupError>) {
        let is_stopping = self.shared.stopping.is_cancelled();
        let (state, outcome, error) = match ended {
            Ok(outcome) => {
                let json = serde_json::to_value(&outcome).ok();
                let why = match outcome.faults.len() {
                    0 => None,
                    1 => Some("one fault was found".to_owned()),
                    count => Some(format!("{count} faults were found")),
                };
                match why {
                    None => (BackupState::Done, json, None),
                    Some(why) => {
                        let error = (why, Code::RepositoryDamaged);
                        (BackupState::Failed, json, Some(error))
                    }
                }
            }
            Err(BackupError::Cancelled) if is_stopping => {
                let error = ("the server was stopped".to_owned(), Code::Interrupted);
                (BackupState::Failed, None, Some(error))
            }
            Err(BackupError::Cancelled) => (BackupState::Cancelled, None, None),
            Err(error) => (BackupState::Failed, None, Some(told(error))),
        };
        let error = error.as_ref();
        let error = error.map(|(why, code)| (why.as_str(), code.as_str()));
        if let Some((error, _)) = error {
            tracing::error!(backup = %id, error, "a backup failed");
        }
        if let Some(running) = self.running().as_mut() {
            running.is_ending = true;
        }
        let stored = ctx
            .db
            .end_backup(&ctx.actor, id, state, outcome.as_ref(), error)
            .await;
        if let Err(error) = stored {
            tracing::error!(backup = %id, %error, "how a backup ended could not be stored");
        }
    }

    /// Takes the one place. What has ended already leaves it at once: whoever reads how it ended may go on.
    async fn take(&self, new: Running) -> Result<Leaving, Problem> {
        loop {
            let left = self.shared.left.notified();
            {
                let mut running = self.running();
                match running.as_ref() {
                    None => {
                        *running = Some(new);
                        return Ok(Leaving(self.clone()));
                    }
                    Some(other) if other.is_ending => {}
                    Some(_) => {
                        let what = "something is done with a backup already";
                        let hint =
                            "Wait until it has ended: `heirloom backup show` says how far it is.";
                        return Err(Problem::new(Code::Busy, what).hint(hint));
                    }
                }
            }
            left.await;
        }
    }

    fn take_id(&self, id: BackupId) {
        if let Some(running) = self.running().as_mut() {
            running.id = id;
        }
    }

    fn captured(&self) -> MutexGuard<'_, Captured> {
        let captured = &self.shared.captured;
        captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        let running = &self.shared.running;
        running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing is under way any more when this is dropped, however it ended.
struct Leaving(Backups);

impl Drop for Leaving {
    fn drop(&mut self) {
        *self.0.running() = None;
        self.0.shared.left.notify_waiters();
    }
}

/// What is kept of an error: the sentence, and what kind of problem it is.
fn told(error: BackupError) -> (String, Code) {
    (error.to_string(), Problem::from(error).code())
}

fn path_of(text: &str) -> Result<PathBuf, Problem> {
    let bytes = path::to_bytes(text);
    let path = bytes.map(|bytes| PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)));
    path.filter(|path| path.is_absolute()).ok_or_else(|| {
        Problem::new(
            Code::InvalidRequest,
            "a key file is named by an absolute path",
        )
    })
}
