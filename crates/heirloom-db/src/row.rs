//! Rows of a result, the same from both engines.

use heirloom_core::ContentHash;
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use crate::DbError;

/// One row.
pub(crate) enum Row {
    Lite(SqliteRow),
    Pg(PgRow),
}

/// A type that a column can be read as.
pub(crate) trait Cell: Sized {
    fn read(row: &Row, column: usize) -> Result<Self, sqlx::Error>;
}

impl Row {
    /// Column `column`, counted from 0.
    pub(crate) fn get<T: Cell>(&self, column: usize) -> Result<T, DbError> {
        T::read(self, column).map_err(DbError::Sql)
    }

    /// A column that holds one of our own words (a state, a kind).
    pub(crate) fn word<T>(
        &self,
        column: usize,
        what: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, DbError> {
        let word: String = self.get(column)?;
        read(&word).ok_or_else(|| DbError::unreadable(what, word))
    }
}

macro_rules! cells {
    ($($type:ty)*) => {$(
        impl Cell for $type {
            fn read(row: &Row, column: usize) -> Result<Self, sqlx::Error> {
                // SQLite types values, not columns: the check against the declared type would
                // refuse what an expression or another spelling of the type gives.
                match row {
                    Row::Lite(row) => row.try_get_unchecked(column),
                    Row::Pg(row) => row.try_get(column),
                }
            }
        }

        impl Cell for Option<$type> {
            fn read(row: &Row, column: usize) -> Result<Self, sqlx::Error> {
                match row {
                    Row::Lite(row) => row.try_get_unchecked(column),
                    Row::Pg(row) => row.try_get(column),
                }
            }
        }
    )*};
}

cells! { bool i64 f64 String Vec<u8> }

/// Reads bytes of a fixed length.
fn fixed<const N: usize>(bytes: &[u8], column: usize) -> Result<[u8; N], sqlx::Error> {
    bytes.try_into().map_err(|_| sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source: format!("{} bytes where {N} were expected", bytes.len()).into(),
    })
}

macro_rules! byte_cells {
    ($($type:ty: $length:literal, $make:expr;)*) => {$(
        impl Cell for $type {
            fn read(row: &Row, column: usize) -> Result<Self, sqlx::Error> {
                Ok($make(fixed::<$length>(&Vec::<u8>::read(row, column)?, column)?))
            }
        }

        impl Cell for Option<$type> {
            fn read(row: &Row, column: usize) -> Result<Self, sqlx::Error> {
                let bytes = Option::<Vec<u8>>::read(row, column)?;
                bytes.map(|bytes| Ok($make(fixed::<$length>(&bytes, column)?))).transpose()
            }
        }
    )*};
}

byte_cells! {
    ContentHash: 32, ContentHash::from_bytes;
    uuid::Uuid: 16, uuid::Uuid::from_bytes;
}

macro_rules! id_cells {
    ($($id:ident)*) => { byte_cells! { $(
        heirloom_core::$id: 16, |bytes| heirloom_core::$id::from(uuid::Uuid::from_bytes(bytes));
    )* } };
}

id_cells! {
    FamilyId AccountId PersonId ArchiveId FolderId AssetId LocationId SidecarId StackId DocumentId
    ArtifactId ClaimId ClaimBatchId CollectionId AudienceId FaceId RunId UnitId AuditId UploadId BackupId
}
