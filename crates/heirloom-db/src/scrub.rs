//! How far the reading of everything is that looks for damage, and what is damaged.

use heirloom_core::{Actor, AssetId, ContentHash, FamilyId, LocationId, path, permission::Action};

use crate::{
    Db, DbError, clock,
    location::{self, LivePlace, read_live},
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// One reading of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubPass {
    /// When it began.
    pub began_at_ms: i64,
    /// How far it is.
    pub at: ScrubAt,
    /// Blobs that were read.
    pub blobs: i64,
    /// Originals in folders that were read.
    pub originals: i64,
    /// Bytes of both.
    pub bytes: i64,
    /// How many of these were damaged or missing.
    pub damaged: i64,
    /// How many of those were made good.
    pub mended: i64,
    /// When everything had been read.
    pub ended_at_ms: Option<i64>,
}

/// How far a pass is: behind what it looked at last, of what it reads one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrubAt {
    /// In the blob store, originals in the vault among it.
    Blobs(Option<ContentHash>),
    /// In the originals of folder archives.
    Originals(Option<LocationId>),
}

impl ScrubAt {
    /// The word for that part in the API and the database.
    #[must_use]
    pub const fn part(self) -> &'static str {
        match self {
            Self::Blobs(_) => "blobs",
            Self::Originals(_) => "originals",
        }
    }
}

/// A place in a folder archive whose bytes can be compared with what was catalogued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckablePlace {
    /// Its id.
    pub id: LocationId,
    /// BLAKE3 of what was catalogued there.
    pub content_hash: ContentHash,
    /// Where it is.
    pub place: LivePlace,
}

/// A place of an original whose bytes were found to be others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedPlace {
    /// The asset.
    pub asset: AssetId,
    /// What it is called.
    pub asset_name: String,
    /// The archive.
    pub archive_name: String,
    /// Path below the archive's root, as path text.
    pub path: String,
    /// Since when that is known.
    pub damaged_at_ms: i64,
    /// How many sound places the same original has.
    pub copies: i64,
}

statements! {
    LAST = concat!("SELECT ", columns!(), " FROM scrub_pass ORDER BY began_at_ms DESC LIMIT $1");
    SAVE = "INSERT INTO scrub_pass (began_at_ms, part, after, blobs, originals, bytes, damaged, mended, ended_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (began_at_ms) DO UPDATE SET part = excluded.part, after = excluded.after,
          blobs = excluded.blobs, originals = excluded.originals, bytes = excluded.bytes,
          damaged = excluded.damaged, mended = excluded.mended, ended_at_ms = excluded.ended_at_ms";
    FORGET = "DELETE FROM scrub_pass WHERE began_at_ms < $1";
    LIST_PLACES = "SELECT f.archive_id, r.root, f.path, l.name, l.size_bytes, l.modified_at_ns, l.changed_at_ns,
          l.damaged_at_ms, l.id, a.content_hash
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        JOIN asset a ON a.id = l.asset_id
        WHERE l.id > $1 AND l.gone_at_ms IS NULL AND r.root IS NOT NULL
        ORDER BY l.id LIMIT $2";
    LIST_DAMAGED = "SELECT a.id, a.name, r.name, f.path, l.name, l.damaged_at_ms,
          (SELECT COUNT(*) FROM asset_location o WHERE o.asset_id = a.id AND o.gone_at_ms IS NULL
            AND o.damaged_at_ms IS NULL)
        FROM archive r JOIN folder f ON f.archive_id = r.id
        JOIN asset_location l ON l.folder_id = f.id AND l.damaged_at_ms IS NOT NULL AND l.gone_at_ms IS NULL
        JOIN asset a ON a.id = l.asset_id
        WHERE r.family_id = $1 ORDER BY l.damaged_at_ms DESC, l.id LIMIT $2";
}

/// The columns of a [`ScrubPass`], in the order in which [`read`] takes them.
macro_rules! columns {
    () => {
        "began_at_ms, part, after, blobs, originals, bytes, damaged, mended, ended_at_ms"
    };
}
use columns;

/// How many passes are remembered.
const KEPT: i64 = 24;

impl ScrubPass {
    /// One that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            began_at_ms: clock::now_ms(),
            at: ScrubAt::Blobs(None),
            blobs: 0,
            originals: 0,
            bytes: 0,
            damaged: 0,
            mended: 0,
            ended_at_ms: None,
        }
    }
}

impl Db {
    /// The passes of late, the last first.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_scrub_passes(&self, actor: &Actor) -> Result<Vec<ScrubPass>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let rows = self.fetch(LAST, args![KEPT]).await?;
        rows.iter().map(read).collect()
    }

    /// Stores how far a pass is; a new one takes the place of the oldest.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn save_scrub_pass(&self, pass: &ScrubPass) -> Result<(), DbError> {
        let after: Value = match pass.at {
            ScrubAt::Blobs(after) => after.into(),
            ScrubAt::Originals(after) => after.into(),
        };
        let mut tx = self.begin().await?;
        tx.execute(
            SAVE,
            args![
                pass.began_at_ms,
                pass.at.part(),
                after,
                pass.blobs,
                pass.originals,
                pass.bytes,
                pass.damaged,
                pass.mended,
                pass.ended_at_ms,
            ],
        )
        .await?;
        let kept = tx.fetch(LAST, args![KEPT]).await?;
        if let Some(oldest) = kept.last() {
            tx.execute(FORGET, args![oldest.get::<i64>(0)?]).await?;
        }
        tx.commit().await
    }

    /// Places in folder archives after `after`, in the order of their ids.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_checkable_places(
        &self,
        actor: &Actor,
        after: Option<LocationId>,
        limit: usize,
    ) -> Result<Vec<CheckablePlace>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let after = after.map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST_PLACES, args![after, limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(CheckablePlace {
                    id: row.get(8)?,
                    content_hash: row.get(9)?,
                    place: read_live(row)?,
                })
            })
            .collect()
    }

    /// Notes that the bytes at a place are others than those that were catalogued, or
    /// (`is_damaged` false) right again.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn mark_place(&self, place: LocationId, is_damaged: bool) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        let (damaged, sound): (&[LocationId], &[LocationId]) = match is_damaged {
            true => (&[place], &[]),
            false => (&[], &[place]),
        };
        location::mark(&mut tx, damaged, sound, clock::now_ms()).await?;
        tx.commit().await
    }

    /// The places of a family's originals that are damaged, what was found last first.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_damaged_places(
        &self,
        actor: &Actor,
        family: FamilyId,
        limit: usize,
    ) -> Result<Vec<DamagedPlace>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST_DAMAGED, args![family, limit]).await?;
        rows.iter()
            .map(|row| {
                let (folder, name): (String, String) = (row.get(3)?, row.get(4)?);
                Ok(DamagedPlace {
                    asset: row.get(0)?,
                    asset_name: row.get(1)?,
                    archive_name: row.get(2)?,
                    path: path::join(&folder, &name),
                    damaged_at_ms: row.get(5)?,
                    copies: row.get(6)?,
                })
            })
            .collect()
    }
}

fn read(row: &Row) -> Result<ScrubPass, DbError> {
    let at = match row.get::<String>(1)?.as_str() {
        "blobs" => ScrubAt::Blobs(row.get(2)?),
        "originals" => ScrubAt::Originals(row.get(2)?),
        other => return Err(DbError::unreadable("what is read to find damage", other)),
    };
    Ok(ScrubPass {
        began_at_ms: row.get(0)?,
        at,
        blobs: row.get(3)?,
        originals: row.get(4)?,
        bytes: row.get(5)?,
        damaged: row.get(6)?,
        mended: row.get(7)?,
        ended_at_ms: row.get(8)?,
    })
}
