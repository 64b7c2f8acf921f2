//! The one way in which something is refused or fails.
//!
//! Whatever goes wrong inside becomes a [`Problem`] here, in one place: a stable code for programs,
//! one sentence for people and, where there is something to do, a hint. Over HTTP it is
//! `application/problem+json` (RFC 9457) or, for a browser, a page.

mod from;

use std::{error::Error, fmt, sync::Arc};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::wire::schema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $status:ident, $title:literal;)*) => {
        /// What kind of problem it is. The words are stable: programs may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The word for programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The code of a word, if there is one.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|code| code.as_str() == word)
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                self.status_code().as_u16()
            }

            pub(crate) const fn status_code(self) -> StatusCode {
                match self { $(Self::$name => status::$status,)* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

/// The statuses that answers have: those of HTTP, and one that tus adds.
mod status {
    use axum::http::StatusCode;

    macro_rules! of_http {
        ($($name:ident)*) => { $(pub(super) const $name: StatusCode = StatusCode::$name;)* };
    }

    of_http! {
        BAD_REQUEST UNAUTHORIZED FORBIDDEN NOT_FOUND METHOD_NOT_ALLOWED CONFLICT GONE
        PRECONDITION_FAILED PAYLOAD_TOO_LARGE UNSUPPORTED_MEDIA_TYPE RANGE_NOT_SATISFIABLE
        UNPROCESSABLE_ENTITY LOCKED INTERNAL_SERVER_ERROR SERVICE_UNAVAILABLE INSUFFICIENT_STORAGE
    }

    /// Of tus 1.0, for a checksum that does not match.
    pub(super) const CHECKSUM_MISMATCH: StatusCode = match StatusCode::from_u16(460) {
        Ok(status) => status,
        Err(_) => StatusCode::BAD_REQUEST,
    };
}

codes! {
    /// A parameter, a header or the body cannot be read.
    InvalidRequest, "invalid_request", BAD_REQUEST, "The request cannot be read";
    /// The search query cannot be read.
    InvalidQuery, "invalid_query", BAD_REQUEST, "The query cannot be read";
    /// A cursor that no list gave.
    InvalidCursor, "invalid_cursor", BAD_REQUEST, "The cursor cannot be read";
    /// Nobody known is asking.
    UnknownActor, "unknown_actor", UNAUTHORIZED, "Nobody known is asking";
    /// Whoever asks may not do this.
    Denied, "denied", FORBIDDEN, "This is not allowed";
    /// The request comes from another web site, or was sent to another host.
    ForeignRequest, "foreign_request", FORBIDDEN, "The request comes from elsewhere";
    /// It is not there, or not for whoever asks.
    NotFound, "not_found", NOT_FOUND, "Not found";
    /// The address knows no such method.
    MethodNotAllowed, "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not known here";
    /// It cannot be done to this thing as it is.
    Refused, "refused", CONFLICT, "This cannot be done now";
    /// A scan of this archive is under way.
    ScanRunning, "scan_running", CONFLICT, "A scan is under way";
    /// The original is at none of its places.
    OriginalGone, "original_gone", GONE, "The original is not there";
    /// The file at the original's place is another.
    OriginalChanged, "original_changed", CONFLICT, "The original was changed";
    /// The bytes of the original are no longer what they were.
    OriginalDamaged, "original_damaged", CONFLICT, "The original is damaged";
    /// The original lies in an archive and is being brought back.
    OriginalArchived, "original_archived", CONFLICT, "The original is being fetched from the archive";
    /// Somebody else changed it since it was read.
    VersionConflict, "version_conflict", PRECONDITION_FAILED, "It was changed meanwhile";
    /// The body is larger than is taken.
    TooLarge, "too_large", PAYLOAD_TOO_LARGE, "The request is too large";
    /// The body is not of a type that is understood here.
    UnsupportedType, "unsupported_type", UNSUPPORTED_MEDIA_TYPE, "The type is not understood";
    /// The range is not within the bytes.
    InvalidRange, "invalid_range", RANGE_NOT_SATISFIABLE, "The range cannot be given";
    /// A folder that cannot be an archive.
    InvalidArchive, "invalid_archive", UNPROCESSABLE_ENTITY, "This cannot be an archive";
    /// A path that does not begin at the root.
    NotAbsolute, "not_absolute", UNPROCESSABLE_ENTITY, "The path is not a whole one";
    /// What is to be imported is not at that path.
    NothingThere, "nothing_there", UNPROCESSABLE_ENTITY, "Nothing is there";
    /// It is no export, or not a whole one.
    NotAnExport, "not_an_export", UNPROCESSABLE_ENTITY, "This is no export";
    /// What cannot be opened as something to import.
    InvalidImport, "invalid_import", UNPROCESSABLE_ENTITY, "This cannot be imported";
    /// A file where a folder is wanted.
    NotAFolder, "not_a_folder", UNPROCESSABLE_ENTITY, "This is no folder";
    /// A folder that may not be looked into.
    FolderUnreadable, "folder_unreadable", UNPROCESSABLE_ENTITY, "This folder may not be read";
    /// Something else is in the folder that is to be written to.
    FolderNotEmpty, "folder_not_empty", CONFLICT, "The folder is not empty";
    /// The folder is Heirloom's own, or an archive's.
    FolderForbidden, "folder_forbidden", UNPROCESSABLE_ENTITY, "This folder is not for that";
    /// Another export writes to the folder.
    FolderBusy, "folder_busy", CONFLICT, "The folder is being written to";
    /// The disk that the folder is on is full.
    FolderFull, "folder_full", INSUFFICIENT_STORAGE, "No space is left there";
    /// The folder cannot be written to.
    FolderReadOnly, "folder_read_only", SERVICE_UNAVAILABLE, "Nothing can be written there";
    /// A value that does not fit its kind of claim.
    InvalidClaim, "invalid_claim", UNPROCESSABLE_ENTITY, "This cannot be claimed";
    /// A name or a text that no collection can have.
    InvalidCollection, "invalid_collection", UNPROCESSABLE_ENTITY, "This cannot be a collection";
    /// A file that cannot be added, such as an empty one.
    InvalidUpload, "invalid_upload", UNPROCESSABLE_ENTITY, "This cannot be added";
    /// Other bytes came than the hash that was promised for the whole file.
    ContentMismatch, "content_mismatch", UNPROCESSABLE_ENTITY, "Other bytes came than promised";
    /// The part that was sent does not have the checksum that was sent with it.
    ChecksumMismatch, "checksum_mismatch", CHECKSUM_MISMATCH, "The checksum does not match";
    /// The client speaks no version of tus that is understood here.
    TusVersion, "tus_version", PRECONDITION_FAILED, "Another version of tus is needed";
    /// The part that was sent does not begin where the upload stands.
    OffsetConflict, "offset_conflict", CONFLICT, "The upload stands elsewhere";
    /// Somebody else is sending the same upload.
    UploadBusy, "upload_busy", LOCKED, "The upload is being written";
    /// The upload was given up, or its time is over.
    UploadGone, "upload_gone", GONE, "The upload is gone";
    /// An idempotency key that was used for something else.
    KeyReused, "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The key was used before";
    /// The data folder is in use by another process.
    InUse, "in_use", SERVICE_UNAVAILABLE, "The data folder is in use";
    /// There is no library in the data folder.
    NoLibrary, "no_library", NOT_FOUND, "There is no library";
    /// The data folder holds something else.
    NotALibrary, "not_a_library", CONFLICT, "This is no library";
    /// The data folder cannot be written.
    ReadOnly, "read_only", SERVICE_UNAVAILABLE, "Nothing can be written";
    /// The disk is full.
    NoSpace, "no_space", INSUFFICIENT_STORAGE, "No space is left";
    /// The catalogue was written by a newer version.
    NewerVersion, "newer_version", SERVICE_UNAVAILABLE, "A newer version is needed";
    /// The catalogue or a blob is damaged.
    Damaged, "damaged", INTERNAL_SERVER_ERROR, "Something stored is damaged";
    /// A model that is needed is not here, or damaged.
    ModelMissing, "model_missing", SERVICE_UNAVAILABLE, "A model is missing";
    /// There is no backup repository there.
    NoRepository, "no_repository", NOT_FOUND, "There is no backup there";
    /// Something else is where the backup repository is to be.
    NotARepository, "not_a_repository", CONFLICT, "This is no backup";
    /// The backup repository is opened by another key.
    WrongKey, "wrong_key", CONFLICT, "The key is another";
    /// There is no usable key to the backup repository.
    NoKey, "no_key", CONFLICT, "There is no key";
    /// Not everything in the backup repository is as it should be.
    RepositoryDamaged, "repository_damaged", INTERNAL_SERVER_ERROR, "The backup is damaged";
    /// No space is left where the backup repository is.
    RepositoryFull, "repository_full", INSUFFICIENT_STORAGE, "No space is left for the backup";
    /// The backup repository cannot be reached.
    RepositoryUnavailable, "repository_unavailable", SERVICE_UNAVAILABLE, "The backup cannot be reached";
    /// Somebody else is at work in the backup repository.
    RepositoryBusy, "repository_busy", SERVICE_UNAVAILABLE, "Somebody else uses the backup";
    /// Something that is needed cannot be reached.
    Unavailable, "unavailable", SERVICE_UNAVAILABLE, "Something cannot be reached";
    /// Something that is needed is held by somebody else.
    Busy, "busy", SERVICE_UNAVAILABLE, "Somebody else holds what is needed";
    /// It took too long.
    TooSlow, "too_slow", SERVICE_UNAVAILABLE, "It took too long";
    /// Heirloom is stopping.
    Stopping, "stopping", SERVICE_UNAVAILABLE, "Heirloom is stopping";
    /// The process that did it ended before it did.
    Interrupted, "interrupted", SERVICE_UNAVAILABLE, "It was interrupted";
    /// Something that must not happen.
    Internal, "internal", INTERNAL_SERVER_ERROR, "Something went wrong inside";
}

impl utoipa::PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        schema::words(
            Self::ALL.map(Self::as_str),
            "What kind of problem it is. The words are stable: programs may rely on them.",
        )
    }
}

impl ToSchema for Code {}

/// Why something was refused or failed.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    message: String,
    hint: Option<String>,
    details: serde_json::Map<String, serde_json::Value>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// A problem as it is written (`application/problem+json`, RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemDocument {
    /// Always `about:blank`: the code tells problems apart.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in one sentence.
    pub detail: String,
    /// What kind of problem it is, for programs.
    pub code: Code,
    /// What can be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The request, as it is named in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// More for programs; which, the code decides.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub details: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// A problem of that kind, told in one sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            details: serde_json::Map::new(),
            source: None,
        }
    }

    /// With what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        // The parts below write hints as they like; people read them all in one place.
        let mut hint: String = hint.into();
        if let Some(first) = hint.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        self.hint = Some(hint);
        self
    }

    /// With something more for programs.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// With what it follows from, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Something that must not happen; what it was goes to the log.
    pub(crate) fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::new(Code::Internal, "something went wrong inside Heirloom")
            .hint("Look into the log, where the request's id leads to the cause.")
            .caused_by(source)
    }

    /// What kind of problem it is.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What can be done about it.
    #[must_use]
    pub fn get_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Something more for programs.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&serde_json::Value> {
        self.details.get(name)
    }

    /// What it follows from, outermost first; empty where nothing is known of it.
    #[must_use]
    pub fn causes(&self) -> String {
        let mut causes = Vec::new();
        let mut next = self.source.as_deref().map(|it| it as &dyn Error);
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes.join(": ")
    }

    /// The problem as it is written, for the request of that id.
    #[must_use]
    pub fn document(&self, request_id: Option<&str>) -> ProblemDocument {
        ProblemDocument {
            kind: "about:blank".to_owned(),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.message.clone(),
            code: self.code,
            hint: self.hint.clone(),
            request_id: request_id.map(str::to_owned),
            details: self.details.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|it| it as &(dyn Error + 'static))
    }
}

/// A problem travels as an extension of an empty response; the edge writes it, because there the
/// request's id and what its sender reads are known.
impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut response = axum::response::Response::default();
        *response.status_mut() = self.code.status_code();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ProblemDocument> for Problem {
    fn from(document: ProblemDocument) -> Self {
        Self {
            code: document.code,
            message: document.detail,
            hint: document.hint,
            details: document.details,
            source: None,
        }
    }
}
