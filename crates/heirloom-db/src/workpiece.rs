//! Assets as runs meet them, many at a time.

use std::str::FromStr;

use heirloom_core::{
    Actor, AssetId, ContentHash, FamilyId, MediaKind, map::Position, permission::Action,
};
use serde::Deserialize;

use crate::{
    Db, DbError,
    asset::{Asset, AssetState},
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// An asset with what decides which steps it goes through and what their tools work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workpiece {
    /// Its id.
    pub id: AssetId,
    /// Whose it is.
    pub family_id: FamilyId,
    /// BLAKE3 of its bytes.
    pub content_hash: ContentHash,
    /// What kind of original it is.
    pub kind: MediaKind,
    /// Its media type (MIME).
    pub media_type: String,
    /// Whether it is there.
    pub state: AssetState,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// The file name under which it was last found.
    pub name: String,
    /// Where it is believed to be made.
    pub position: Option<Position>,
    /// The language that people say is spoken in it, by its code of ISO 639.
    pub language: Option<String>,
}

/// A statement that gives those assets `a` that the rest of the text says, as a JSON array in one row:
/// passing rows on takes longer than finding them.
macro_rules! workpieces {
    ($rest:expr) => {
        concat!(
            "SELECT CAST(/*lite json_group_array(json_array( *//*pg json_agg(json_build_array( */",
            "/*lite hex(w.id) *//*pg encode(w.id, 'hex') */, ",
            "/*lite hex(w.family_id) *//*pg encode(w.family_id, 'hex') */, ",
            "/*lite lower(hex(w.content_hash)) *//*pg encode(w.content_hash, 'hex') */, ",
            "w.kind, w.media_type, w.state, w.deleted_at_ms, w.name, w.latitude_e7, w.longitude_e7, w.language ",
            ")) AS TEXT) FROM (SELECT a.id, a.family_id, a.content_hash, a.kind, a.media_type, ",
            "a.state, a.deleted_at_ms, a.name, a.latitude_e7, a.longitude_e7, a.language FROM asset a WHERE ",
            $rest,
            ") AS w"
        )
    };
}
pub(crate) use workpieces;

statements! {
    FIND = workpieces!("a.id IN ({list})");
}

impl From<&Asset> for Workpiece {
    fn from(asset: &Asset) -> Self {
        Self {
            id: asset.id,
            family_id: asset.family_id,
            content_hash: asset.content_hash,
            kind: asset.kind,
            media_type: asset.media_type.clone(),
            state: asset.state,
            is_deleted: asset.deleted_at_ms.is_some(),
            name: asset.name.clone(),
            position: asset.position,
            language: asset.language.clone(),
        }
    }
}

impl Db {
    /// Those of these assets that are there, each once, in no order.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn find_workpieces(
        &self,
        actor: &Actor,
        ids: &[AssetId],
    ) -> Result<Vec<Workpiece>, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let list = ids.iter().map(|id| Value::from(*id)).collect();
        read_all(&self.fetch_list(FIND, args![], list).await?)
    }
}

/// What [`workpieces!`] has for one asset.
#[derive(Deserialize)]
struct Packed<'a>(
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    String,
    &'a str,
    Option<i64>,
    String,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// Reads what a statement made with [`workpieces!`] gives.
pub(crate) fn read_all(rows: &[Row]) -> Result<Vec<Workpiece>, DbError> {
    let mut all = Vec::new();
    for row in rows {
        let Some(text) = row.get::<Option<String>>(0)? else {
            continue;
        };
        let packed: Vec<Packed<'_>> = serde_json::from_str(&text).map_err(unreadable)?;
        for packed in packed {
            all.push(read(packed)?);
        }
    }
    Ok(all)
}

fn read(packed: Packed<'_>) -> Result<Workpiece, DbError> {
    let Packed(
        id,
        family,
        hash,
        kind,
        media_type,
        state,
        deleted_at_ms,
        name,
        latitude,
        longitude,
        language,
    ) = packed;
    let position = latitude.zip(longitude);
    Ok(Workpiece {
        id: id.parse().map_err(unreadable)?,
        family_id: family.parse().map_err(unreadable)?,
        content_hash: hash.parse().map_err(unreadable)?,
        kind: MediaKind::from_str(kind).map_err(unreadable)?,
        media_type,
        state: AssetState::from_word(state).ok_or_else(|| unreadable(state))?,
        is_deleted: deleted_at_ms.is_some(),
        name,
        position: position.map(|(latitude_e7, longitude_e7)| Position {
            latitude_e7,
            longitude_e7,
        }),
        language,
    })
}

fn unreadable(what: impl std::fmt::Display) -> DbError {
    DbError::unreadable("assets of a run", what)
}
