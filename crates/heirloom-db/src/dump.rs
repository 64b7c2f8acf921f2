//! The whole catalogue as text, so that tests can compare: one with itself before and after, or two
//! that came about in different ways. And what no test can do to a file, done to what is known of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Db, DbError, Engine,
    sql::{Sql, statements},
    value::args,
};

/// What is left out of [`Db::dump_rows`]: what every run adds, and what follows from other tables.
const TRANSIENT: [&str; 2] = ["run", "migration"];

/// The hexadecimal digits of a column of bytes.
macro_rules! hex {
    ($column:literal) => {
        concat!(
            "/*lite lower(hex(",
            $column,
            ")) *//*pg encode(",
            $column,
            ", 'hex') */"
        )
    };
}

statements! {
    LIST_TABLES = "/*lite SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
          AND name NOT LIKE 'search_%' ORDER BY name */
        /*pg SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename */";
    FOLDERS = "SELECT r.name || ' ' || f.path || ' ' || f.is_settled || ' ' || (f.gone_at_ms IS NULL)
        FROM folder f JOIN archive r ON r.id = f.archive_id";
    ASSETS = concat!("SELECT ", hex!("a.content_hash"), " || ' ' || a.size_bytes || ' ' || a.kind || ' ' || a.media_type
          || ' ' || a.state || ' ' || a.name || ' ' || COALESCE(a.title, '-') || ' ' || COALESCE(a.date, '-')
          || ' ' || COALESCE(a.date_from_s, 0) || ' ' || COALESCE(a.date_until_s, 0)
          || ' ' || COALESCE(a.width, 0) || ' ' || COALESCE(a.height, 0) || ' ' || COALESCE(a.duration_ms, 0)
          || ' ' || (a.deleted_at_ms IS NULL) || ' ' || u.name
          || ' ' || COALESCE((SELECT ", hex!("b.content_hash"), " FROM asset b WHERE b.id = a.replaces_asset_id), '-')
        FROM asset a JOIN audience u ON u.id = a.audience_id");
    LOCATIONS = concat!("SELECT r.name || ' ' || f.path || ' ' || l.name || ' ' || ", hex!("a.content_hash"), " || ' ' || l.size_bytes
          || ' ' || (l.gone_at_ms IS NULL)
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        JOIN asset a ON a.id = l.asset_id");
    REPLACEMENTS = concat!("SELECT ", hex!("a.content_hash"), " || ' ' || ", hex!("b.content_hash"), " FROM replacement p
        JOIN asset a ON a.id = p.asset_id JOIN asset b ON b.id = p.replaced_asset_id");
    SIDECARS = concat!("SELECT r.name || ' ' || f.path || ' ' || s.name || ' ' || s.kind || ' ' || ", hex!("s.content_hash"), "
          || ' ' || s.size_bytes || ' ' || (s.gone_at_ms IS NULL)
        FROM sidecar s JOIN folder f ON f.id = s.folder_id JOIN archive r ON r.id = f.archive_id");
    SIDECAR_LINKS = concat!("SELECT ", hex!("a.content_hash"), " || ' ' || f.path || ' ' || s.name
        FROM asset_sidecar k JOIN asset a ON a.id = k.asset_id JOIN sidecar s ON s.id = k.sidecar_id
        JOIN folder f ON f.id = s.folder_id");
    STACKS = concat!("SELECT r.name || ' ' || f.path || ' ' || s.kind || ' ' || s.name || ' ' || ", hex!("c.content_hash"), "
          || ' ' || m.position || ' ' || ", hex!("a.content_hash"), "
        FROM stack s JOIN folder f ON f.id = s.folder_id JOIN archive r ON r.id = f.archive_id
        JOIN asset c ON c.id = s.cover_asset_id
        JOIN stack_member m ON m.stack_id = s.id JOIN asset a ON a.id = m.asset_id");
    ARTIFACTS = concat!("SELECT ", hex!("a.content_hash"), " || ' ' || r.kind || ' ' || r.tool || ' ' || r.tool_version || ' ' || r.inputs
          || ' ' || COALESCE(r.payload, '-') || ' ' || COALESCE(", hex!("r.blob_hash"), ", '-')
        FROM artifact r JOIN asset a ON a.id = r.subject_id");
    BLOBS = concat!("SELECT ", hex!("content_hash"), " || ' ' || size_bytes FROM blob");
    CLAIMS = concat!("SELECT ", hex!("a.content_hash"), " || ' ' || c.subject_part || ' ' || c.kind || ' ' || c.value || ' ' || c.is_negation
          || ' ' || c.author_kind || ' ' || c.source || ' ' || c.confidence || ' ' || (c.undone_at_ms IS NULL)
          || ' ' || (c.carried_from_id IS NULL)
        FROM claim c JOIN asset a ON a.id = c.subject_id");
    MEMBERSHIPS = concat!("SELECT c.name || ' ' || ", hex!("a.content_hash"), " FROM collection_member m
        JOIN collection c ON c.id = m.collection_id JOIN asset a ON a.id = m.asset_id");
    PURGED = concat!("SELECT ", hex!("content_hash"), " FROM purged_content");
    AUDIT = "SELECT position || ' ' || action FROM audit";
    WORDS = concat!("SELECT COALESCE(", hex!("a.content_hash"), ", 'no asset'), w.term, w.position
        FROM /*lite (SELECT doc, term, \"offset\" AS position FROM search_words) w */
          /*pg (SELECT s.timeline_key AS doc, u.lexeme AS term, p::BIGINT AS position
            FROM search_index s, unnest(s.words) u, unnest(u.positions) p) w */
        LEFT JOIN asset a ON a.timeline_key = w.doc");
    PLACES = "SELECT u.name || ' ' || p.country || ' ' || p.region || ' ' || p.place || ' ' || p.assets
        FROM place_count p JOIN audience u ON u.id = p.audience_id";
    MAP_CELLS = "SELECT u.name || ' ' || c.level || ' ' || c.cell || ' ' || c.assets || ' ' || c.latitude_sum
          || ' ' || c.longitude_sum
        FROM map_cell c JOIN audience u ON u.id = c.audience_id";
    NAME_COUNTS = "SELECT u.name || ' ' || n.field || ' ' || n.words || ' ' || n.name || ' ' || n.assets
        FROM name_count n JOIN audience u ON u.id = n.audience_id";
    SET_BACKUPS_STARTED = "UPDATE backup SET started_at_ms = $1";
    SET_CHANGED = "UPDATE asset_location SET changed_at_ns = $2 WHERE name = $1 AND gone_at_ms IS NULL";
    SET_SIDECAR_CHANGED = "UPDATE sidecar SET changed_at_ns = $2 WHERE name = $1 AND gone_at_ms IS NULL";
    DOCUMENTS = "SELECT '' || COUNT(*) FROM search_index";
    NAMES = concat!("SELECT ", hex!("id"), ", name FROM archive UNION ALL SELECT ", hex!("id"), ", name FROM audience
        UNION ALL SELECT ", hex!("id"), ", name FROM collection");
}

/// What a catalogue says, part by part, a line in the first column of each row.
const PARTS: [(&str, Sql); 17] = [
    ("folder", FOLDERS),
    ("asset", ASSETS),
    ("location", LOCATIONS),
    ("replacement", REPLACEMENTS),
    ("sidecar", SIDECARS),
    ("asset_sidecar", SIDECAR_LINKS),
    ("stack", STACKS),
    ("artifact", ARTIFACTS),
    ("blob", BLOBS),
    ("claim", CLAIMS),
    ("collection_member", MEMBERSHIPS),
    ("purged", PURGED),
    ("audit", AUDIT),
    ("place", PLACES),
    ("map_cell", MAP_CELLS),
    ("name", NAME_COUNTS),
    ("documents", DOCUMENTS),
];

impl Db {
    /// What the catalogue says, without ids, times and runs, as sorted lines: equal for two
    /// catalogues of the same originals with the same history.
    ///
    /// # Errors
    /// What the engine says.
    #[doc(hidden)]
    pub async fn dump(&self) -> Result<Vec<String>, DbError> {
        let mut lines = Vec::new();
        for (part, statement) in PARTS {
            for row in self.fetch(statement, args![]).await? {
                let line: Option<String> = row.get(0)?;
                lines.push(format!("{part} {}", line.unwrap_or_default()));
            }
        }
        lines.extend(self.dump_search().await?);
        lines.sort();
        Ok(lines)
    }

    /// Takes files of that name for changed at that time. A disk that rots does not change that time and
    /// no program can put it back, so a test that changes bytes tells the catalogue instead.
    ///
    /// # Errors
    /// What the engine says.
    #[doc(hidden)]
    pub async fn set_changed_at(&self, name: &str, changed_at_ns: i64) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        for statement in [SET_CHANGED, SET_SIDECAR_CHANGED] {
            tx.execute(statement, args![name, changed_at_ns]).await?;
        }
        tx.commit().await
    }

    /// Puts the account of all backups to a time, as a clock that was wrong has it. Only tests do.
    ///
    /// # Errors
    /// What the engine says.
    #[doc(hidden)]
    pub async fn set_backups_started_at(&self, started_at_ms: i64) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        tx.execute(SET_BACKUPS_STARTED, args![started_at_ms])
            .await?;
        tx.commit().await
    }

    /// The words of each document in their order; those that name an id have the name of what has it.
    async fn dump_search(&self) -> Result<Vec<String>, DbError> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for row in self.fetch(NAMES, args![]).await? {
            names.insert(row.get(0)?, row.get(1)?);
        }
        let mut documents: BTreeMap<String, BTreeSet<(i64, String)>> = BTreeMap::new();
        for row in self.fetch(WORDS, args![]).await? {
            let (asset, mut word, at): (String, String, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some((what, id)) = word.rsplit_once('_')
                && let Some(name) = names.get(id)
            {
                word = format!("{what}_{name}");
            }
            documents.entry(asset).or_default().insert((at, word));
        }
        let lines = documents.into_iter().map(|(asset, words)| {
            let words = words.into_iter().map(|(at, word)| format!(" {at}:{word}"));
            format!("search {asset}{}", words.collect::<String>())
        });
        Ok(lines.collect())
    }

    /// Every row of every table but those of runs, as sorted lines.
    ///
    /// # Errors
    /// What the engine says.
    #[doc(hidden)]
    pub async fn dump_rows(&self) -> Result<Vec<String>, DbError> {
        let mut lines = Vec::new();
        for row in self.fetch(LIST_TABLES, args![]).await? {
            let table: String = row.get(0)?;
            if TRANSIENT.contains(&table.as_str()) {
                continue;
            }
            let text = match self.engine() {
                Engine::Postgres => format!("SELECT t::text FROM {table} t"),
                Engine::Sqlite => {
                    let columns =
                        format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
                    let mut quoted: Vec<String> = Vec::new();
                    for row in self.fetch_text(columns.into(), args![]).await? {
                        quoted.push(row.get(0)?);
                    }
                    format!("SELECT {} FROM {table}", quoted.join(" || ' ' || "))
                }
            };
            for row in self.fetch_text(text.into(), args![]).await? {
                lines.push(format!("{table} {}", row.get::<String>(0)?));
            }
        }
        lines.sort();
        Ok(lines)
    }
}
