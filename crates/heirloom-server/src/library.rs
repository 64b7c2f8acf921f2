//! An open library: the data folder, the catalogue, the blobs, and what runs in it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use heirloom_blobs::BlobStore;
use heirloom_core::{Actor, RunId};
use heirloom_db::{Db, DbError, Location, family::Family};
use heirloom_pipeline::{
    Context, confinement::Confinement, ipfs::IpfsSettings, pictures, reading, run::Engine,
    scan::Progress, template, transcription, way::Ways, workshop::Abilities,
};
use tokio_util::sync::CancellationToken;

use crate::{
    backups::Backups,
    data_folder::{DataFolder, no_library},
    encryption::{self, Encryption},
    live::Live,
    metrics::Metrics,
    models::{Models, ModelsConfig},
    moves::Moves,
    problem::{Code, Problem},
    scans::Scans,
    store::{Store, StoreConfig},
    transfers::Transfers,
    uploads::{UploadLimits, Uploads},
};

/// What to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryConfig {
    /// The data folder.
    pub folder: PathBuf,
    /// A PostgreSQL database, `postgres://…`; without one the catalogue is a file in the folder.
    pub database: Option<String>,
    /// Whether a library is made where there is none.
    pub is_creating: bool,
    /// The program that bytes nobody knows are read with in confinement; without one it is this very
    /// program, whose `main` then begins with [`enter`](heirloom_pipeline::confinement::enter).
    pub confined_program: Option<PathBuf>,
    /// What may be handed over, and how long what was begun is kept.
    pub uploads: UploadLimits,
    /// Where blobs are kept.
    pub store: StoreConfig,
    /// Who keeps collections on IPFS, where somebody chose that.
    pub ipfs: IpfsSettings,
    /// Where models are kept and come from.
    pub models: ModelsConfig,
}

/// An open library. Clones mean the same; [`Library::close`] closes it for all.
#[derive(Debug, Clone)]
pub struct Library {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    folder: DataFolder,
    db: Db,
    store: Store,
    family: Family,
    metrics: Metrics,
    scans: Scans,
    engine: Engine,
    transfers: Transfers,
    /// Cancelled when nobody is to wait for anything new any more.
    closing: CancellationToken,
    uploads: Uploads,
    backups: Backups,
    moves: Moves,
    models: Models,
    live: Live,
    store_config: StoreConfig,
    encryption: Encryption,
}

/// What a family is called before anybody names it.
const FAMILY: &str = "Family";

impl Library {
    /// Opens a library for this process alone.
    ///
    /// # Errors
    /// `no_library`, `not_a_library`, `in_use`, `read_only`, `no_space`, `newer_version`, `damaged`
    /// (also for a catalogue that is gone), `unavailable`; nothing was changed then.
    pub async fn open(config: &LibraryConfig) -> Result<Self, Problem> {
        let ways = |settings, task| {
            Ways::new(settings, task).map_err(|why| Problem::new(Code::InvalidRequest, why))
        };
        let transcription = ways(&config.models.transcription, &transcription::TASK)?;
        let reading = ways(&config.models.reading, &reading::TASK)?;
        let tagging = ways(&config.models.tagging, &pictures::TASK)?;
        let folder = DataFolder::open(&config.folder, config.is_creating)?;
        match open_parts(&folder, config).await {
            Ok((db, store, family, encryption)) => {
                let metrics = Metrics::new();
                let ctx = Context {
                    db: db.clone(),
                    blobs: Arc::clone(&store.blobs),
                    actor: Actor::Operator,
                    data_folder: folder.path().to_owned(),
                    s3: config.store.s3.clone(),
                };
                let engine = Engine::new(
                    ctx.clone(),
                    confinement(config),
                    Abilities {
                        models: config.models.open(folder.path()),
                        transcription,
                        reading,
                        tagging,
                        tesseract: config.models.tesseract.clone(),
                    },
                    &template::ALL,
                );
                let models = Models::new(
                    ctx.clone(),
                    family.id,
                    engine.clone(),
                    config.models.mirror.clone(),
                );
                let reports = folder.reports();
                let scans = Scans::new(ctx.clone(), engine.clone(), reports, metrics.clone());
                let transfers = Transfers::new(
                    ctx.clone(),
                    family.clone(),
                    engine.clone(),
                    config.ipfs.clone(),
                );
                let received = folder.uploads();
                let backups = Backups::new(ctx.clone(), family.id, config.store.clone());
                let move_rate = config.store.move_rate;
                let moves = Moves::new(ctx.clone(), store.keeping.clone(), move_rate);
                let uploads = Uploads::new(
                    ctx,
                    engine.clone(),
                    family.clone(),
                    received,
                    config.uploads,
                );
                let open = Open {
                    folder,
                    db,
                    store,
                    family,
                    metrics,
                    scans,
                    engine,
                    transfers,
                    closing: CancellationToken::new(),
                    uploads,
                    backups,
                    moves,
                    models,
                    live: Live::default(),
                    store_config: config.store.clone(),
                    encryption,
                };
                Ok(Self {
                    open: Arc::new(open),
                })
            }
            Err(problem) => {
                folder.abandon();
                Err(problem)
            }
        }
    }

    /// Stops what runs, so that it goes on when the library is opened next, and closes everything.
    pub async fn close(&self) {
        self.stop().await;
        self.open.db.close().await;
    }

    /// Goes on with what was under way when the library was closed, or its process died.
    pub(crate) async fn resume(&self) -> Result<(), Problem> {
        self.open.scans.resume().await?;
        self.open.uploads.resume().await?;
        self.open.transfers.resume().await?;
        self.open.encryption.seal_rest();
        self.resume_runs().await
    }

    /// Goes on with runs that derive something and have not ended.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn resume_runs(&self) -> Result<(), Problem> {
        Ok(self.open.engine.resume().await?)
    }

    /// Stops what runs, and tells those who listen for changes that there are no more.
    pub(crate) async fn stop(&self) {
        self.open.closing.cancel();
        let working = async {
            // What ends may begin a run, so it is stopped first.
            tokio::join!(
                self.open.scans.stop(),
                self.open.uploads.stop(),
                self.open.transfers.stop(),
                self.open.backups.stop(),
                self.open.moves.stop(),
                self.open.models.stop(),
                self.open.encryption.stop()
            );
            self.open.engine.stop().await;
        };
        // Last words take longest, and begin no run.
        tokio::join!(working, self.open.live.stop());
    }

    /// The data folder, absolute and without links.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.open.folder.path()
    }

    /// Begins the backup, prune, proof or capture that is due, if one is: what a server does each minute.
    #[doc(hidden)]
    pub async fn keep_backup_schedule(&self) {
        self.open.backups.keep_schedule().await;
    }

    /// Begins to bring blobs to where they are kept, if that is due: what a server does each minute.
    #[doc(hidden)]
    pub async fn keep_move_schedule(&self) {
        self.open.moves.keep_schedule().await;
    }

    /// Whether something is done with a repository of backups.
    #[doc(hidden)]
    #[must_use]
    pub fn is_backing_up(&self) -> bool {
        self.open.backups.is_busy()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.open.folder.socket()
    }

    pub(crate) fn reports(&self) -> PathBuf {
        self.open.folder.reports()
    }

    /// What the operations of the pipeline work with, on behalf of whoever asks.
    pub(crate) fn context(&self, actor: Actor) -> Context {
        Context {
            db: self.open.db.clone(),
            blobs: Arc::clone(&self.open.store.blobs),
            actor,
            data_folder: self.folder().to_owned(),
            s3: self.open.store_config.s3.clone(),
        }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.open.db
    }

    pub(crate) fn blobs(&self) -> &dyn BlobStore {
        &*self.open.store.blobs
    }

    pub(crate) fn store(&self) -> &Store {
        &self.open.store
    }

    pub(crate) fn store_config(&self) -> &StoreConfig {
        &self.open.store_config
    }

    /// The origins that browsers are sent to for bytes, with a space between them; `None` if they are not.
    pub(crate) fn redirect_origins(&self) -> Option<String> {
        let config = &self.open.store_config;
        let origins = match config.is_redirecting {
            true => self.open.store.origins(&config.s3).join(" "),
            false => String::new(),
        };
        (!origins.is_empty()).then_some(origins)
    }

    pub(crate) fn moves(&self) -> &Moves {
        &self.open.moves
    }

    pub(crate) fn models(&self) -> &Models {
        &self.open.models
    }

    pub(crate) fn live(&self) -> &Live {
        &self.open.live
    }

    pub(crate) fn encryption(&self) -> &Encryption {
        &self.open.encryption
    }

    pub(crate) fn family(&self) -> &Family {
        &self.open.family
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.open.metrics
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.open.uploads
    }

    pub(crate) fn backups(&self) -> &Backups {
        &self.open.backups
    }

    pub(crate) fn scans(&self) -> &Scans {
        &self.open.scans
    }

    pub(crate) fn transfers(&self) -> &Transfers {
        &self.open.transfers
    }

    /// How far each run is that this process works on and that goes through files.
    pub(crate) fn progress(&self) -> HashMap<RunId, Progress> {
        let mut progress = self.open.scans.progress();
        progress.extend(self.open.transfers.progress());
        progress
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.open.engine
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.open.closing
    }
}

fn confinement(config: &LibraryConfig) -> Confinement {
    let confinement = match &config.confined_program {
        Some(program) => Confinement::through(program),
        None => Confinement::of_this_program(),
    };
    confinement.waiting_as(config.models.room)
}

async fn open_parts(
    folder: &DataFolder,
    config: &LibraryConfig,
) -> Result<(Db, Store, Family, Encryption), Problem> {
    // The catalogue first: it is what is newer, damaged or out of reach, and then nothing else may
    // have been made.
    let location = match &config.database {
        Some(url) => Location::Url(url.clone()),
        None => Location::File(folder.catalogue()),
    };
    // The blobs come after it: where they are, there was a catalogue, and what is not there any more
    // must not be taken for what never was.
    let blobs = folder.blobs();
    let had_catalogue =
        blobs.symlink_metadata().is_ok() || folder.store().symlink_metadata().is_ok();
    let opened = if config.is_creating && !had_catalogue {
        Db::open(&location).await
    } else {
        Db::open_existing(&location).await
    };
    let db = match opened {
        Err(DbError::NoCatalogue) if had_catalogue => return Err(lost(folder, &location)),
        Err(DbError::NoCatalogue) => return Err(no_library(folder.path())),
        opened => opened?,
    };
    let rest = async {
        let family = db.get_or_create_family(FAMILY).await?;
        folder.belong(family.id)?;
        let master = config.store.master.clone();
        let sealing = encryption::unlock(folder, master.as_ref()).await?;
        let store = crate::store::open(folder, &config.store, sealing.clone()).await?;
        let encryption = Encryption::new(folder, sealing, Arc::clone(&store.blobs), master);
        encryption.check_family(&family.id.to_string())?;
        Ok::<_, Problem>((store, family, encryption))
    };
    match rest.await {
        Ok((store, family, encryption)) => Ok((db, store, family, encryption)),
        Err(problem) => {
            db.close().await;
            Err(problem)
        }
    }
}

/// The catalogue of a library that was there before is gone.
fn lost(folder: &DataFolder, location: &Location) -> Problem {
    let kept = folder.path().display();
    let message = match location {
        Location::File(path) => format!(
            "the catalogue {} is missing or empty, but a library was kept in its folder",
            path.display()
        ),
        Location::Url(_) => {
            format!("the database has no catalogue, but a library was kept in {kept}")
        }
    };
    Problem::new(Code::Damaged, message).hint(
        "`heirloom restore` makes a library of a backup. If it is in PostgreSQL, say with --database where. To \
         begin anew, name another folder with --data. Originals are not touched by this.",
    )
}
