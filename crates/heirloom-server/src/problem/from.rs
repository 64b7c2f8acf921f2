//! What each error of the parts below means to whoever asked.

use axum::{
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::StatusCode,
};
use heirloom_blobs::{BlobError, CollectError, FsckError as BlobCheckError, KeyError, RemoteError};
use heirloom_core::{claim::InvalidClaimValue, permission::Denied, query::QueryError};
use heirloom_db::DbError;
use heirloom_pipeline::{
    add::AddError, archive::RootRefused, backup::BackupError, confinement::ConfinementError,
    export::ExportError, fsck::FsckError, import::ImportError, ipfs::IpfsError, open::OpenError,
    payload::PayloadError, purge::PurgeError, run::EngineError, scan::ScanError,
    searchable::SearchableError, tier::MoveError, understand::UnderstandError, way::ServiceError,
};

use super::{Code, Problem};

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        let message = error.to_string();
        match error {
            DbError::NotFound {
                what: "group of faces",
                ..
            } => Self::new(Code::NotFound, message).hint(
                "List people: what was said or found since then may have given it another id.",
            ),
            DbError::NotFound { .. } => Self::new(Code::NotFound, message),
            DbError::VersionConflict { current, .. } => Self::new(Code::VersionConflict, message)
                .hint("Look at it as it is now, then try again with that version.")
                .with("current_version", current),
            DbError::Denied(denied) => denied.into(),
            DbError::KeyReused => {
                Self::new(Code::KeyReused, message).hint("Make up a new key for each new request.")
            }
            DbError::Refused(_) => Self::new(Code::Refused, message),
            DbError::Newer { .. } => Self::new(Code::NewerVersion, message)
                .hint("Use the Heirloom that wrote it, or a newer one. Nothing was changed."),
            DbError::MigrationChanged { .. } => Self::new(Code::NewerVersion, message)
                .hint("Use the Heirloom that wrote it. Nothing was changed."),
            DbError::Damaged { .. } => Self::new(Code::Damaged, message).hint(damage_hint()),
            DbError::NotUtf8(_) => Self::new(Code::Unavailable, message).hint(
                "Name a data folder whose path is UTF-8, or keep the catalogue in PostgreSQL.",
            ),
            DbError::NoSpace => Self::new(Code::NoSpace, message)
                .hint("Free some space, then try again: nothing is half stored."),
            DbError::ReadOnly => Self::new(Code::ReadOnly, message)
                .hint("Make the data folder writable, or name another with --data."),
            DbError::Unavailable(_) => Self::new(Code::Unavailable, message)
                .hint("Is the database running, and is its address right?"),
            DbError::Busy => Self::new(Code::Busy, message).hint("Try again in a moment."),
            DbError::Unreadable { .. } => Self::new(Code::Damaged, message).hint(damage_hint()),
            other => Self::internal(other),
        }
    }
}

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Self {
        let message = error.to_string();
        match error {
            PayloadError::Db(error) => error.into(),
            PayloadError::Blob(error) => error.into(),
            PayloadError::Read(_) => Self::new(Code::Unavailable, message),
            PayloadError::Unreadable(_) => Self::new(Code::Internal, message),
        }
    }
}

/// What to do about a damaged catalogue.
const fn damage_hint() -> &'static str {
    "Originals are not touched by this. `heirloom restore` has the catalogue of a backup. Where another program copied \
     or changed it, stop the server, and `heirloom fsck --take-pages` takes it as it is."
}

/// What to do about a repository on another machine.
fn explain_remote(message: String, error: &RemoteError) -> Problem {
    let problem = Problem::new(Code::RepositoryUnavailable, message);
    match error.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

impl From<MoveError> for Problem {
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::Db(error) => error.into(),
            MoveError::Blobs { error, .. } => error.into(),
            MoveError::Cancelled => Self::new(Code::Unavailable, error.to_string()),
        }
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let message = error.to_string();
        match error {
            BackupError::NoRepository(_) => Self::new(Code::NoRepository, message)
                .hint("See `heirloom backup list REPO`."),
            BackupError::NoSnapshot(_) => {
                Self::new(Code::NotFound, message).hint("See `heirloom backup list REPO`.")
            }
            BackupError::NotARepository(_) => Self::new(Code::NotARepository, message)
                .hint("Name an empty folder, or one that is not there yet."),
            BackupError::WrongKey(_) => Self::new(Code::WrongKey, message).hint(
                "Name the file with the right key with --key-file. Without it nothing in there can be read.",
            ),
            BackupError::NoKey { .. } => Self::new(Code::NoKey, message)
                .hint("Name the file that has the key with --key-file."),
            BackupError::Damaged(_) => Self::new(Code::RepositoryDamaged, message).hint(
                "`heirloom backup check REPO --read-data` names everything that is damaged in it. Was it copied to \
                 its end?",
            ),
            BackupError::Busy(_) => {
                Self::new(Code::RepositoryBusy, message).hint("Try again when that has ended.")
            }
            BackupError::NoSpace(_) => Self::new(Code::RepositoryFull, message)
                .hint("Free some space, then try again: what was stored by then is found again."),
            BackupError::Unavailable(_) => Self::new(Code::RepositoryUnavailable, message)
                .hint("Is the disk that it is on plugged in and mounted?"),
            BackupError::Remote(error) => explain_remote(message, &error),
            BackupError::Refused(_) => Self::new(Code::Refused, message),
            BackupError::Cancelled => Self::new(Code::Stopping, message),
            BackupError::Destination { .. } => Self::new(Code::Unavailable, message),
            BackupError::Db(error) => error.into(),
            BackupError::Blobs(error) => error.into(),
            other @ BackupError::Internal(_) => Self::internal(other),
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        match error {
            OpenError::Gone { .. } => Self::new(Code::OriginalGone, message).hint(
                "Is the disk that it is on plugged in? If the file was moved, scan the archive again. Of one in \
                 the vault `heirloom fsck` says more.",
            ),
            OpenError::Changed { .. } => Self::new(Code::OriginalChanged, message)
                .hint("Scan the archive: the changed file becomes an original of its own."),
            OpenError::Unreadable { .. } => Self::new(Code::Unavailable, message)
                .hint("Look at its permissions, and at the disk that it is on."),
            OpenError::Archived { .. } => Self::new(Code::OriginalArchived, message)
                .hint("Open it in Heirloom: that asks for it. It takes hours until it is there."),
            OpenError::Damaged { .. } => Self::new(Code::OriginalDamaged, message).hint(
                "Put a copy from a backup in its place and verify the archive. To have the damaged bytes, \
                 ask with ?damaged=true.",
            ),
            OpenError::Db(error) => error.into(),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(Code::Denied, denied.to_string())
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        let code = match &error {
            BlobError::NotFound { .. } => Code::NotFound,
            BlobError::Corrupt { .. } => Code::Damaged,
            BlobError::Archived { .. } => Code::OriginalArchived,
            BlobError::OutOfRange { .. } => Code::InvalidRange,
            BlobError::NoSpace { .. } => Code::NoSpace,
            BlobError::ReadOnly { .. } | BlobError::NotPermitted { .. } => Code::ReadOnly,
            BlobError::NoKey { .. } | BlobError::Locked { .. } => Code::Refused,
            BlobError::NotAStore { .. } | BlobError::OtherStore { .. } => Code::NotALibrary,
            BlobError::Remote(_) => Code::Unavailable,
            BlobError::UnknownLayout { .. } => Code::NewerVersion,
            BlobError::ShuttingDown => Code::Stopping,
            BlobError::Mismatch { .. } | BlobError::Source(_) | BlobError::Io { .. } => {
                Code::Internal
            }
        };
        let problem = Self::new(code, error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
        .caused_by(error)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match error {
            KeyError::Damaged { .. } => Self::new(Code::Damaged, message).hint(
                "Put a copy of it in its place: without it nothing opens the blobs. Nothing was changed.",
            ),
            KeyError::UnknownFormat { .. } => Self::new(Code::NewerVersion, message)
                .hint("Use the Heirloom that wrote it, or a newer one. Nothing was changed."),
            KeyError::OtherKind { .. } | KeyError::WrongMaster => Self::new(Code::Refused, message)
                .hint(
                    "`heirloom config show` says where the master key is looked for. Nothing was changed, and without \
                     the right one nothing can be opened.",
                ),
            KeyError::Io { .. } => Self::new(Code::Unavailable, message),
        }
    }
}

impl From<RootRefused> for Problem {
    fn from(error: RootRefused) -> Self {
        let problem = Self::new(Code::InvalidArchive, error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let message = error.to_string();
        match error {
            EngineError::Db(error) => error.into(),
            EngineError::NoPipeline { .. } => Self::new(Code::InvalidRequest, message),
            EngineError::Parameter(_) => Self::new(Code::InvalidRequest, message)
                .hint("`heirloom pipeline show` tells what each step can be asked for."),
        }
    }
}

impl From<ScanError> for Problem {
    fn from(error: ScanError) -> Self {
        let message = error.to_string();
        let hint = error.hint();
        let problem = match error {
            ScanError::Db(error) => return error.into(),
            ScanError::Blobs(error) => return error.into(),
            ScanError::Root(refused) => return refused.into(),
            ScanError::NoFolder(_) => Self::new(Code::InvalidArchive, message),
            ScanError::Empty { .. } => Self::new(Code::Refused, message),
            ScanError::Busy(_) => Self::new(Code::ScanRunning, message),
            ScanError::Threads(_) => Self::new(Code::Unavailable, message),
        };
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        let code = match error {
            ExportError::Db(error) => return error.into(),
            ExportError::NotEmpty(_) => Code::FolderNotEmpty,
            ExportError::Busy(_) => Code::FolderBusy,
            ExportError::NotAFolder(_) => Code::NotAFolder,
            ExportError::Forbidden { .. } => Code::FolderForbidden,
            ExportError::NoSpace { .. } => Code::FolderFull,
            ExportError::Cancelled => Code::Stopping,
            ExportError::Io { .. } => Code::FolderReadOnly,
        };
        let problem = Self::new(code, message);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<IpfsError> for Problem {
    fn from(error: IpfsError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        let code = match error {
            IpfsError::Db(error) => return error.into(),
            IpfsError::Blobs(error) => return error.into(),
            IpfsError::Away { .. } | IpfsError::Rubbish { .. } => Code::Unavailable,
            IpfsError::NotPublished(_) => Code::NotFound,
            IpfsError::NotConfigured
            | IpfsError::Refused { .. }
            | IpfsError::Token(_)
            | IpfsError::Private { .. }
            | IpfsError::NoConsent
            | IpfsError::Empty(_)
            | IpfsError::Deleted(_)
            | IpfsError::Exists(_)
            | IpfsError::Forbidden { .. }
            | IpfsError::NoKey
            | IpfsError::Seal(_) => Code::Refused,
            IpfsError::Index(_) | IpfsError::Car(_) => Code::Damaged,
            IpfsError::Io { ref source, .. }
                if source.kind() == std::io::ErrorKind::StorageFull =>
            {
                Code::NoSpace
            }
            IpfsError::Io { .. } => Code::Unavailable,
            IpfsError::Cancelled => Code::Stopping,
        };
        let problem = Self::new(code, message);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<UnderstandError> for Problem {
    fn from(error: UnderstandError) -> Self {
        let message = error.to_string();
        match error {
            UnderstandError::Model(error) => error.into(),
            UnderstandError::Service(error) => error.into(),
            UnderstandError::NoModel(_) => Self::new(Code::ModelMissing, message),
            UnderstandError::Confinement(ConfinementError::Cancelled) => {
                Self::new(Code::Stopping, message)
            }
            UnderstandError::Confinement(ConfinementError::NoSpace) => {
                Self::new(Code::NoSpace, message)
            }
            UnderstandError::Disk(ref error) if error.kind() == std::io::ErrorKind::StorageFull => {
                Self::new(Code::NoSpace, message)
            }
            UnderstandError::Confinement(_) | UnderstandError::Nothing(_) => {
                Self::new(Code::Refused, message)
            }
            UnderstandError::Disk(_) => Self::new(Code::Unavailable, message),
        }
    }
}

impl From<SearchableError> for Problem {
    fn from(error: SearchableError) -> Self {
        let message = error.to_string();
        match error {
            SearchableError::Open(error) => error.into(),
            SearchableError::Confinement(error) => UnderstandError::from(error).into(),
            SearchableError::Disk(_) => Self::new(Code::Unavailable, message),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        let code = match error {
            ServiceError::Cancelled => Code::Stopping,
            ServiceError::Key { .. }
            | ServiceError::Certificate { .. }
            | ServiceError::Refused { .. }
            | ServiceError::Language { .. } => Code::Refused,
            ServiceError::Away { .. }
            | ServiceError::Silent { .. }
            | ServiceError::Busy { .. }
            | ServiceError::Rubbish { .. }
            | ServiceError::Resting { .. } => Code::Unavailable,
        };
        let problem = Self::new(code, message);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        let code = match error {
            ImportError::Db(error) => return error.into(),
            ImportError::Blobs(error) => return error.into(),
            ImportError::Missing(_) => Code::NothingThere,
            ImportError::InDataFolder(_) => Code::FolderForbidden,
            ImportError::NotAnExport { .. } => Code::NotAnExport,
            ImportError::Unreadable { .. } => Code::InvalidImport,
            ImportError::Disk(ref error) if error.kind() == std::io::ErrorKind::StorageFull => {
                Code::NoSpace
            }
            ImportError::Disk(_) => Code::ReadOnly,
            ImportError::Newer { .. } => Code::NewerVersion,
            ImportError::Cancelled => Code::Stopping,
        };
        let problem = Self::new(code, message);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<AddError> for Problem {
    fn from(error: AddError) -> Self {
        let message = error.to_string();
        match error {
            AddError::Mismatch { .. } => Self::new(Code::ContentMismatch, message)
                .hint("Was the file changed while it was sent? Send it again from the beginning."),
            AddError::Unreadable(error) => Self::new(Code::Unavailable, message)
                .hint("Check the disk that the data folder is on, then send it again.")
                .caused_by(error),
            AddError::Db(error) => error.into(),
            AddError::Blobs(error) => error.into(),
        }
    }
}

impl From<PurgeError> for Problem {
    fn from(error: PurgeError) -> Self {
        match error {
            PurgeError::Db(error) => error.into(),
            PurgeError::Blobs(error) => error.into(),
        }
    }
}

impl From<FsckError> for Problem {
    fn from(error: FsckError) -> Self {
        match error {
            FsckError::Db(error) => error.into(),
            FsckError::Blobs(BlobCheckError::Store(error)) => error.into(),
            FsckError::Blobs(BlobCheckError::Expected(error)) => error.into(),
            FsckError::Blobs(error) => Self::internal(error),
            FsckError::Unneeded(error) => error.into(),
            FsckError::Collect(CollectError::Store(error)) => error.into(),
            FsckError::Collect(CollectError::References(error)) => error.into(),
            FsckError::Cancelled => Self::new(Code::Stopping, "the check was stopped"),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let range = error.range();
        let problem = Self::new(Code::InvalidQuery, error.to_string())
            .with("range", serde_json::json!([range.start, range.end]));
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<InvalidClaimValue> for Problem {
    fn from(error: InvalidClaimValue) -> Self {
        Self::new(Code::InvalidClaim, error.to_string()).hint(error.hint())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedType,
            _ => Code::InvalidRequest,
        };
        Self::new(code, one_line(&rejection.body_text()))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Code::InvalidRequest, one_line(&rejection.body_text()))
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        // An id that is none names nothing.
        Self::new(Code::NotFound, one_line(&rejection.body_text()))
    }
}

impl Problem {
    /// The problem behind a bare status that a layer answered with.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        Some(match status {
            StatusCode::NOT_FOUND => Self::new(Code::NotFound, "there is nothing at this address"),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                Code::MethodNotAllowed,
                "this address does not know that method",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(Code::TooLarge, "the request is larger than is taken here")
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(Code::TooSlow, "the answer took too long").hint("Try again in a moment.")
            }
            status if status.is_client_error() => {
                Self::new(Code::InvalidRequest, "the request cannot be read")
            }
            status if status.is_server_error() => {
                Self::new(Code::Internal, "something went wrong inside Heirloom")
            }
            _ => return None,
        })
    }
}

fn one_line(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(300).collect()
}
