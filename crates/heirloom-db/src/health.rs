//! Whether the catalogue is there and whole.

use std::path::Path;

use heirloom_core::{Actor, permission::Action};

use crate::{Db, DbError, Engine, sql::statements, value::args};

statements! {
    PING = "SELECT 1";
    VERSION = "/*lite SELECT sqlite_version() *//*pg SHOW server_version */";
    HAS_CHECKSUMS = "/*lite PRAGMA checksum_verification *//*pg SHOW data_checksums */";
    // What contradicts itself within the file, and rows that refer to what is not there. PostgreSQL
    // keeps its own pages and never lets such a row be.
    CHECK_PAGES = "/*lite SELECT integrity_check FROM pragma_integrity_check *//*pg SELECT 'ok' */";
    CHECK_REFERENCES = "/*lite SELECT \"table\" || ' refers to ' || \"parent\" FROM pragma_foreign_key_check LIMIT 100 */
        /*pg SELECT '' WHERE FALSE */";
}

impl Db {
    /// Asks the catalogue for a sign of life, both where it is read and where it is written.
    ///
    /// # Errors
    /// [`DbError::Unavailable`], [`DbError::Busy`], and what the engine says.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.fetch(PING, args![]).await?;
        self.begin().await?.commit().await
    }

    /// The version of the database engine.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn engine_version(&self) -> Result<String, DbError> {
        let row = self.fetch_optional(VERSION, args![]).await?;
        row.map_or_else(|| Ok(String::new()), |row| row.get(0))
    }

    /// Whether each page has a checksum. Where none has, a flipped bit may show nowhere.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn has_page_checksums(&self) -> Result<bool, DbError> {
        let row = self.fetch_optional(HAS_CHECKSUMS, args![]).await?;
        let said: Option<String> = row.map(|row| row.get(0)).transpose()?;
        Ok(said.is_some_and(|said| ["1", "on"].contains(&said.as_str())))
    }

    /// Reads every page of a SQLite file and gives those that are not as they were written, a sentence for each of the
    /// first hundred. PostgreSQL looks at its own.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn check_pages(&self, actor: &Actor) -> Result<Vec<String>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let damaged = self.find_damaged_pages().await?;
        let file = self.path().unwrap_or_else(|| Path::new(""));
        let file = file.display();
        let mut faults: Vec<String> = damaged
            .first
            .iter()
            .map(|page| format!("Page {page} of {file} is not as it was written."))
            .collect();
        if let Some(first) = faults.first_mut() {
            *first += " `heirloom restore` has the catalogue of a backup. Where another program copied or changed it, \
                `heirloom fsck --take-pages` takes it as it is.";
        }
        let others = damaged.count - damaged.first.len() as u64;
        if others > 0 {
            faults.push(format!("So are {others} other pages."));
        }
        Ok(faults)
    }

    /// Reads the whole catalogue and gives what contradicts itself, a sentence for each; nothing
    /// when it is sound.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn check_integrity(&self, actor: &Actor) -> Result<Vec<String>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut faults = Vec::new();
        for statement in [CHECK_PAGES, CHECK_REFERENCES] {
            // SQLite's full-text index remembers on each connection which of its parts there are, and
            // does not look anew before this check: it would miss parts that were merged since.
            match self.fetch_apart(statement, args![]).await {
                Ok(rows) => {
                    for row in rows {
                        let said: String = row.get(0)?;
                        if said != "ok" {
                            faults.push(said);
                        }
                    }
                }
                Err(DbError::Damaged { detail, .. }) => faults.push(detail),
                Err(error) => return Err(error),
            }
        }
        Ok(faults)
    }
}

impl Engine {
    /// The word used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
