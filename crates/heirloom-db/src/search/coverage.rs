//! Whether the index has a document of every asset, and of nothing else.

use heirloom_core::{Actor, permission::Action};

use crate::{Db, DbError, Engine, sql::statements, value::args};

/// What the index lacks or has too much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Assets that there are.
    pub assets: i64,
    /// Of these: in the index.
    pub documents: i64,
    /// Documents of assets that there are not.
    pub strays: i64,
    /// How many words the documents have.
    pub words: i64,
    /// Whether the index can be read through without contradicting itself.
    pub is_readable: bool,
}

impl Coverage {
    /// Whether everything can be found, and nothing else. What is not sound is mended by
    /// [`Db::rebuild_search`].
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.is_readable && self.documents == self.assets && self.strays == 0
    }
}

statements! {
    COUNT_ASSETS = "SELECT COUNT(*) FROM asset";
    COUNT_DOCUMENTS = "SELECT COUNT(*) FROM search_index";
    COUNT_WORDS = "/*lite SELECT COALESCE(SUM(cnt), 0) FROM search_count *//*pg SELECT CAST(COALESCE(SUM(length(words)), 0) AS BIGINT) FROM search_index */";
    COUNT_COVERED = "SELECT COUNT(*) FROM asset a WHERE EXISTS (SELECT 1 FROM search_index s
        WHERE s./*lite rowid *//*pg timeline_key */ = a.timeline_key)";
}

impl Db {
    /// Compares the index with the assets.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn check_search(&self, actor: &Actor) -> Result<Coverage, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut counts = [0_i64; 4];
        for (count, statement) in
            counts
                .iter_mut()
                .zip([COUNT_ASSETS, COUNT_DOCUMENTS, COUNT_COVERED, COUNT_WORDS])
        {
            let row = self.fetch_optional(statement, args![]).await?;
            *count = row.map_or(Ok(0), |row| row.get(0))?;
        }
        let [assets, all, documents, words] = counts;
        let is_readable = match self.engine() {
            Engine::Postgres => true,
            // https://sqlite.org/fts5.html#the_integrity_check_command
            Engine::Sqlite => {
                let check = "INSERT INTO search_index (search_index) VALUES ('integrity-check')";
                match self.execute_alone(check.to_owned()).await {
                    Ok(()) => true,
                    Err(DbError::Damaged { .. }) => false,
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(Coverage {
            assets,
            documents,
            strays: all - documents,
            words,
            is_readable,
        })
    }
}
