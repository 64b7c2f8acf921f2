//! The one error type of this crate.

use std::path::PathBuf;

/// Why the catalogue could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// What was named is not there, or not for this actor: the two are never told apart.
    #[error("there is no {what} {name}")]
    NotFound {
        /// The noun.
        what: &'static str,
        /// How it was named.
        name: String,
    },
    /// Somebody else changed it since it was read.
    #[error("this {what} was changed by somebody else; it is now at version {current}")]
    VersionConflict {
        /// The noun.
        what: &'static str,
        /// The version it is at.
        current: i64,
    },
    /// The actor may not do this.
    #[error(transparent)]
    Denied(#[from] heirloom_core::permission::Denied),
    /// It cannot be done to this thing as it is.
    #[error("{0}")]
    Refused(String),
    /// An idempotency key that came with another request before.
    #[error("this idempotency key was used for another request before")]
    KeyReused,
    /// The catalogue was written by a newer Heirloom.
    #[error(
        "the catalogue was written by a newer version of Heirloom (it has the migration {migration})"
    )]
    Newer {
        /// The first migration that this program does not know.
        migration: String,
    },
    /// A migration that was applied is not the one this program has under that name.
    #[error(
        "the migration {migration} of this catalogue differs from the one that this program knows"
    )]
    MigrationChanged {
        /// Its name.
        migration: String,
    },
    /// There is no catalogue where one was to be.
    #[error("there is no catalogue")]
    NoCatalogue,
    /// The database file is not one, or its pages contradict each other.
    #[error("the catalogue{} is damaged: {detail}", named(path))]
    Damaged {
        /// The file; empty where that is not known.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// The catalogue's file has a path that SQLite cannot name.
    #[error("the path of the catalogue {path} is not UTF-8", path = .0.display())]
    NotUtf8(PathBuf),
    /// The disk is full.
    #[error("no space is left for the catalogue")]
    NoSpace,
    /// The catalogue's folder or file cannot be written.
    #[error("the catalogue cannot be written: its folder or file is read-only")]
    ReadOnly,
    /// The catalogue cannot be reached.
    #[error("the catalogue cannot be opened: {0}")]
    Unavailable(String),
    /// Another process holds what is needed.
    #[error("the catalogue is busy: another process holds it")]
    Busy,
    /// A stored value is not what it should be.
    #[error("the catalogue holds {what} that cannot be read: {detail}")]
    Unreadable {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Anything else that the engine says.
    #[error("the catalogue refused a statement: {0}")]
    Sql(#[source] sqlx::Error),
}

impl DbError {
    /// Something of that noun and name is not there.
    pub fn not_found(what: &'static str, name: impl ToString) -> Self {
        Self::NotFound {
            what,
            name: name.to_string(),
        }
    }

    pub(crate) fn unreadable(what: &'static str, detail: impl ToString) -> Self {
        Self::Unreadable {
            what,
            detail: detail.to_string(),
        }
    }

    /// Whether the row that was to be inserted is already there.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether the same transaction may succeed when it is tried again: another one was in its way.
    pub(crate) fn is_conflict(&self) -> bool {
        // https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure,
        // deadlock.
        let is_clash = matches!(self, Self::Sql(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("40001" | "40P01")));
        is_clash || self.is_duplicate()
    }
}

fn named(path: &std::path::Path) -> String {
    if path.as_os_str().is_empty() {
        return String::new();
    }
    format!(" {}", path.display())
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::PoolTimedOut => Self::Busy,
                sqlx::Error::PoolClosed => Self::Unavailable("it was closed".to_owned()),
                sqlx::Error::Io(source) if source.kind() == std::io::ErrorKind::StorageFull => {
                    Self::NoSpace
                }
                sqlx::Error::Io(source) => Self::Unavailable(source.to_string()),
                other => Self::Sql(other),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        if database
            .try_downcast_ref::<sqlx::sqlite::SqliteError>()
            .is_some()
        {
            // The low byte is the primary result code (https://sqlite.org/rescode.html).
            let code = code.parse::<u32>().unwrap_or(0);
            return match code & 0xff {
                // The shared memory beside the file could not grow: the disk is full.
                _ if code == 4874 => Self::NoSpace,
                // Its checksum says so.
                _ if code == 8202 => Self::Damaged {
                    path: PathBuf::new(),
                    detail: "a page of it is not as it was written".to_owned(),
                },
                5 | 6 => Self::Busy,
                8 => Self::ReadOnly,
                11 | 26 => Self::Damaged {
                    path: PathBuf::new(),
                    detail: database.message().to_owned(),
                },
                13 => Self::NoSpace,
                14 => Self::Unavailable(database.message().to_owned()),
                _ => Self::Sql(error),
            };
        }
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        match code.as_str() {
            "53100" => Self::NoSpace,
            "25006" => Self::ReadOnly,
            "3D000" | "28000" | "28P01" => Self::Unavailable(database.message().to_owned()),
            "57P01" | "57P02" | "57P03" | "53300" => {
                Self::Unavailable(database.message().to_owned())
            }
            _ => Self::Sql(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_catalogue_is_named_where_its_file_is_known() {
        let damaged = |path: &str| DbError::Damaged {
            path: path.into(),
            detail: "torn".to_owned(),
        };
        let cases = [
            (
                "/data/catalogue.db",
                "the catalogue /data/catalogue.db is damaged: torn",
            ),
            ("", "the catalogue is damaged: torn"),
        ];
        for (path, said) in cases {
            assert_eq!(damaged(path).to_string(), said);
        }
    }
}
