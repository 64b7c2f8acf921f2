//! Identifiers: UUID version 7 (RFC 9562) newtypes, one per noun, so that an asset's id can never
//! be passed where a run's is meant. They sort by creation time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not {expected} id: an id is a UUID such as 0198c0de-7a3e-7cc1-9b2e-3f5a8d2c1e07"
)]
pub struct InvalidId {
    text: String,
    expected: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id made at `now_ms` (milliseconds since 1970, UTC) with ten random bytes.
            #[must_use]
            pub fn from_parts(now_ms: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid())
            }

            /// Wraps a UUID that is known to name this kind of thing.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as the 16 bytes in which it is stored; their order is that of creation.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The plain UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| InvalidId { text: text.to_owned(), expected: $what })
            }
        }
    )*};
}

ids! {
    /// A family: the wall between tenants.
    FamilyId, "a family";
    /// Somebody who signs in.
    AccountId, "an account";
    /// A person known to the family, living or dead.
    PersonId, "a person";
    /// A place where originals are: a folder or the vault.
    ArchiveId, "an archive";
    /// A directory of a folder archive.
    FolderId, "a folder";
    /// One original file.
    AssetId, "an asset";
    /// One path at which an asset is or was.
    LocationId, "a location";
    /// A file that describes assets beside it.
    SidecarId, "a sidecar";
    /// Assets that belong to one moment.
    StackId, "a stack";
    /// Ordered pages.
    DocumentId, "a document";
    /// Something derived.
    ArtifactId, "an artifact";
    /// One statement about a subject.
    ClaimId, "a claim";
    /// Statements about many subjects that were made at once.
    ClaimBatchId, "a claim batch";
    /// A saved query or a set.
    CollectionId, "a collection";
    /// Who may see.
    AudienceId, "an audience";
    /// One face in a picture.
    FaceId, "a face";
    /// One execution of a pipeline.
    RunId, "a run";
    /// One subject through one step of a run.
    UnitId, "a unit";
    /// One entry of the audit chain.
    AuditId, "an audit entry";
    /// One file on its way into the vault.
    UploadId, "an upload";
    /// One thing that was done with a repository of backups.
    BackupId, "a backup";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_creation_time_and_read_back() {
        let early = AssetId::from_parts(1_000, [0xff; 10]);
        let late = AssetId::from_parts(1_001, [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().parse::<AssetId>().unwrap(), early);
        assert_eq!(early.uuid().get_version_num(), 7);
    }

    #[test]
    fn a_text_that_is_no_id_is_refused_with_its_kind() {
        let error = "beach".parse::<RunId>().unwrap_err();
        assert!(
            error.to_string().contains("\"beach\" is not a run id"),
            "{error}"
        );
    }
}
