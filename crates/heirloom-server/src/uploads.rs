//! The uploads that this process receives.
//!
//! What has come of a file lies in `uploads/` of the data folder, named by the upload. The catalogue says
//! how many bytes of it are on the disk for certain; whatever is behind them was never acknowledged. So
//! a kill at any moment loses nothing that a client was told.
//!
//! One request at a time works at an upload. A client whose connection broke comes back before the old
//! one is noticed to be dead, so whoever comes takes the upload over: what came over the old connection
//! is kept, and it ends.

mod checksum;
mod hold;
mod receive;

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use heirloom_core::{Actor, RunId, UploadId};
use heirloom_db::{
    DbError, clock,
    family::Family,
    upload::{Upload, UploadState},
};
use heirloom_pipeline::{
    Context, Tasks,
    add::{AddError, add_file},
    run::Engine,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    data_folder::explain,
    problem::{Code, Problem},
    wire::refusal,
};
pub(crate) use checksum::Checksum;
use hold::{Hold, Holds};

/// What may be handed over, and how long what was begun is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// The longest file that is taken.
    pub max_bytes: u64,
    /// How long an upload is kept that nobody goes on with.
    pub kept: Duration,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            max_bytes: 1_000_000_000_000,
            kept: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// A part of a file, as a request brings it.
#[derive(Debug)]
pub(crate) struct Part {
    /// Where it begins.
    pub(crate) offset: u64,
    /// How long it says that it is.
    pub(crate) length: Option<u64>,
    /// What it has to be.
    pub(crate) checksum: Option<Checksum>,
    /// The bytes.
    pub(crate) body: Body,
}

/// The uploads of this process. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Uploads {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ctx: Context,
    /// What goes on with what was added.
    engine: Engine,
    family: Family,
    folder: PathBuf,
    limits: UploadLimits,
    holds: Holds,
    /// Receiving goes on to its end in order also when the connection breaks.
    tasks: Tasks,
    stopping: CancellationToken,
    last_sweep_ms: AtomicI64,
}

/// Room that is left for the catalogue and everybody else when a file is taken.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
/// How often it is looked for uploads that nobody goes on with, while files come in.
const SWEEP_MS: i64 = 3600 * 1000;
/// How long an addition is open that nothing is sent for.
const IDLE_ADDITION_MS: i64 = 24 * 3600 * 1000;

impl Uploads {
    /// In the context of the operator, with `folder` for what has come.
    pub(crate) fn new(
        ctx: Context,
        engine: Engine,
        family: Family,
        folder: PathBuf,
        limits: UploadLimits,
    ) -> Self {
        let shared = Shared {
            ctx,
            engine,
            family,
            folder,
            limits,
            holds: Holds::default(),
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
            last_sweep_ms: AtomicI64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn limits(&self) -> UploadLimits {
        self.shared.limits
    }

    /// When an upload is forgotten that something came for now.
    pub(crate) fn expiry_ms(&self) -> i64 {
        let kept_ms = i64::try_from(self.shared.limits.kept.as_millis()).unwrap_or(i64::MAX);
        clock::now_ms().saturating_add(kept_ms)
    }

    /// Refuses a file by its length alone, and sees to it that there is room for it.
    ///
    /// # Errors
    /// `invalid_upload`, `too_large`, `no_space`.
    pub(crate) async fn check_size(&self, size_bytes: u64) -> Result<(), Problem> {
        let max_bytes = self.shared.limits.max_bytes;
        if size_bytes == 0 {
            return Err(
                Problem::new(Code::InvalidUpload, "an empty file has nothing to keep")
                    .hint("Was it copied to its end? Look at where it came from."),
            );
        }
        if size_bytes > max_bytes {
            return Err(Problem::new(
                Code::TooLarge,
                format!("the file has {size_bytes} bytes, and at most {max_bytes} are taken"),
            )
            .hint("The operator decides: max_upload in config.toml.")
            .with("max_bytes", max_bytes));
        }
        if clock::now_ms() - self.shared.last_sweep_ms.load(Ordering::Relaxed) > SWEEP_MS {
            self.sweep_or_warn().await;
        }
        let (folder, data_folder) = (
            self.shared.folder.clone(),
            self.shared.ctx.data_folder.clone(),
        );
        let looking = tokio::task::spawn_blocking(move || {
            let space = make_folder(&folder).and_then(|()| Ok(rustix::fs::statvfs(&folder)?));
            space.map_err(|error| explain(&data_folder, error))
        });
        let space = looking.await.map_err(Problem::internal)??;
        let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
        if free_bytes < size_bytes.saturating_add(ROOM_BYTES) {
            return Err(Problem::new(
                Code::NoSpace,
                format!("the file has {size_bytes} bytes, and the disk has {free_bytes} left"),
            )
            .hint("Free some space or move the data folder to a larger disk, then try again."));
        }
        Ok(())
    }

    /// The upload as it stands, once nobody else works at it. One whose bytes are all here is added.
    ///
    /// # Errors
    /// `not_found`, `upload_gone`, `upload_busy`, and why it was refused.
    pub(crate) async fn look_at(&self, actor: &Actor, id: UploadId) -> Result<Upload, Problem> {
        self.work_at(actor, id, None).await
    }

    /// Takes a part of an upload; with the last one it is added. Gives the upload as it stands then.
    ///
    /// # Errors
    /// `offset_conflict`, `checksum_mismatch`, `too_large`, `no_space`, and as [`look_at`](Self::look_at).
    pub(crate) async fn receive(
        &self,
        actor: &Actor,
        id: UploadId,
        part: Part,
    ) -> Result<Upload, Problem> {
        self.work_at(actor, id, Some(part)).await
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// `not_found`, `upload_busy`.
    pub(crate) async fn give_up(&self, actor: &Actor, id: UploadId) -> Result<(), Problem> {
        let db = &self.shared.ctx.db;
        let upload = db.get_upload(actor, id).await?;
        let _hold = self.hold(id).await?;
        db.delete_upload(upload.id).await?;
        self.remove(id).await;
        Ok(())
    }

    /// Goes on where a process ended: adds what was complete, and forgets what nobody goes on with.
    ///
    /// # Errors
    /// When the catalogue does not say what there is.
    pub(crate) async fn resume(&self) -> Result<(), Problem> {
        self.sweep_or_warn().await;
        for upload in self.shared.ctx.db.list_complete_uploads().await? {
            // A member's is added when they ask for it: only then it is known what they may do.
            if upload.account_id.is_some() || !self.path(upload.id).exists() {
                continue;
            }
            let uploads = self.clone();
            self.spawn(async move {
                let id = upload.id;
                match uploads.look_at(&Actor::Operator, id).await {
                    Ok(_) => {
                        tracing::info!(upload = %id, "an upload that was interrupted was added")
                    }
                    Err(problem) => {
                        tracing::warn!(upload = %id, "an upload was not added: {problem}")
                    }
                }
            });
        }
        Ok(())
    }

    /// Forgets what nobody goes on with; where that fails it is tried another time.
    pub(crate) async fn sweep_or_warn(&self) {
        self.shared
            .last_sweep_ms
            .store(clock::now_ms(), Ordering::Relaxed);
        if let Err(problem) = self.sweep().await {
            tracing::warn!("uploads that nobody goes on with are kept for now: {problem}");
        }
    }

    async fn sweep(&self) -> Result<(), Problem> {
        let db = &self.shared.ctx.db;
        let now_ms = clock::now_ms();
        db.delete_expired_uploads(now_ms).await?;
        for run in db.end_idle_additions(now_ms - IDLE_ADDITION_MS).await? {
            self.prepare(run).await;
        }
        let folder = self.shared.folder.clone();
        let listing = tokio::task::spawn_blocking(move || list(&folder));
        let ids = listing.await.map_err(Problem::internal)?;
        for ids in ids.map_err(Problem::internal)?.chunks(256) {
            let needed = db.find_receiving(ids).await?;
            for id in ids.iter().filter(|id| !needed.contains(id)) {
                self.remove(*id).await;
            }
        }
        Ok(())
    }

    /// Puts what is being received on the disk and lets go of it.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.stop("uploads").await;
    }

    /// Takes a part of an upload, if there is one, and adds it when it is complete: to its end also when
    /// nobody waits for the answer any more.
    async fn work_at(
        &self,
        actor: &Actor,
        id: UploadId,
        part: Option<Part>,
    ) -> Result<Upload, Problem> {
        // Before it is taken from whoever works at it: it has to be this actor's.
        self.get(actor, id).await?;
        let hold = self.hold(id).await?;
        let (tell, told) = oneshot::channel();
        let (uploads, actor) = (self.clone(), actor.clone());
        self.spawn(async move {
            let working = async {
                let mut upload = uploads.get(&actor, id).await?;
                if let Some(part) = part {
                    upload = uploads.take_part(upload, part, &hold).await?;
                }
                uploads.finish_if_complete(&actor, upload).await
            };
            let _ = tell.send(working.await);
        });
        told.await.map_err(Problem::internal)?
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(task);
    }

    async fn hold(&self, id: UploadId) -> Result<Hold, Problem> {
        if self.shared.stopping.is_cancelled() {
            return Err(Problem::new(Code::Stopping, "Heirloom is stopping")
                .hint("What was acknowledged is kept: go on when it runs again."));
        }
        let held = self.shared.holds.take(id, &self.shared.stopping).await;
        held.ok_or_else(|| {
            Problem::new(Code::UploadBusy, "this upload is being worked at")
                .hint("Wait a moment, ask where it stands, and go on from there.")
        })
    }

    /// An upload that has not come to its end in any way but the best.
    async fn get(&self, actor: &Actor, id: UploadId) -> Result<Upload, Problem> {
        let upload = self.shared.ctx.db.get_upload(actor, id).await?;
        if let Some(problem) = refusal(&upload) {
            return Err(problem);
        }
        if upload.expires_at_ms < clock::now_ms() {
            return Err(gone("the time of this upload is over"));
        }
        Ok(upload)
    }

    async fn finish_if_complete(&self, actor: &Actor, upload: Upload) -> Result<Upload, Problem> {
        let is_complete = upload.received_bytes == upload.size_bytes;
        if upload.state != UploadState::Receiving || !is_complete {
            return Ok(upload);
        }
        let Shared { ctx, family, .. } = &*self.shared;
        let ctx = Context {
            actor: actor.clone(),
            ..ctx.clone()
        };
        let path = self.path(upload.id);
        match add_file(&ctx, family, &upload, &path).await {
            Ok(added) => {
                self.remove(upload.id).await;
                self.prepare(added.run).await;
                Ok(ctx.db.get_upload(actor, upload.id).await?)
            }
            Err(error) => {
                let is_final = is_final(&error);
                let problem = Problem::from(error);
                if is_final {
                    let document = serde_json::json!(problem.document(None));
                    ctx.db.refuse_upload(upload.id, &document).await?;
                    self.remove(upload.id).await;
                }
                Err(problem)
            }
        }
    }

    /// Begins to prepare what an addition brought, once that has ended. What was added is safe either
    /// way.
    pub(crate) async fn prepare(&self, addition: RunId) {
        if let Err(error) = self.shared.engine.follow(addition).await {
            tracing::error!(run = %addition, %error, "what was added is not prepared");
        }
    }

    fn path(&self, id: UploadId) -> PathBuf {
        self.shared.folder.join(id.to_string())
    }

    /// Removes what has come of an upload. What cannot be removed now is swept up later.
    async fn remove(&self, id: UploadId) {
        let path = self.path(id);
        let removed = tokio::task::spawn_blocking(move || fs::remove_file(path)).await;
        match removed.map_err(io::Error::other).flatten() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(upload = %id, %error, "what came of an upload is left for later");
            }
            _ => {}
        }
    }
}

fn gone(message: &str) -> Problem {
    Problem::new(Code::UploadGone, message).hint("Begin a new one.")
}

/// Whether adding the same bytes once more could never end otherwise.
const fn is_final(error: &AddError) -> bool {
    matches!(
        error,
        AddError::Mismatch { .. } | AddError::Db(DbError::Refused(_) | DbError::Denied(_))
    )
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The uploads of which something lies in the folder.
fn list(folder: &Path) -> io::Result<Vec<UploadId>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        ids.extend(name.to_str().and_then(|name| name.parse::<UploadId>().ok()));
    }
    Ok(ids)
}
