//! What can be shown of assets in a list.

use std::collections::{HashMap, HashSet};

use heirloom_core::AssetId;
use serde_json::Value as Json;

use super::{Part, read_json};
use crate::{
    Db, DbError,
    sql::statements,
    value::{Value, args},
};

/// What an asset looks like and which of its pictures are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Of what this is the look: all of it, or the first page of a document.
    pub part: Part,
    /// Pixels across, upright.
    pub width: Option<i64>,
    /// Pixels down, upright.
    pub height: Option<i64>,
    /// A few bytes from which a blurred picture can be drawn at once (thumbhash), in hexadecimal digits.
    pub thumbhash: Option<String>,
    /// The kinds of pictures that there are, in alphabetical order: `full`, `grid`, `screen`.
    pub renditions: Vec<String>,
}

statements! {
    // The newest last.
    LIST = "SELECT subject_id, kind, subject_part, CASE WHEN kind = 'look' THEN payload END FROM artifact
        WHERE kind IN ('look', 'grid', 'screen', 'full') AND subject_part IN ('', '1')
          AND subject_id IN ({list}) ORDER BY id";
    LIST_DRAWN = "SELECT DISTINCT subject_id FROM artifact
        WHERE kind = 'grid' AND subject_part = '' AND subject_id IN ({list})";
}

impl Db {
    /// What these assets look like, of which anything is drawn. Who may see them is the caller's to know.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_looks(&self, assets: &[AssetId]) -> Result<HashMap<AssetId, Look>, DbError> {
        let list = assets.iter().map(|id| Value::from(*id)).collect();
        let mut looks: HashMap<AssetId, Look> = HashMap::new();
        for row in self.fetch_list(LIST, args![], list).await? {
            let part = match row.get::<String>(2)?.as_str() {
                "" => Part::Whole,
                _ => Part::Page(1),
            };
            let look = looks.entry(row.get(0)?).or_insert_with(|| Look {
                part,
                ..Look::default()
            });
            // All of it says more than its first page.
            if part < look.part {
                *look = Look::default();
            }
            if part == look.part {
                look.add(row.get(1)?, row.get(3)?)?;
            }
        }
        Ok(looks)
    }

    /// Those of the assets of which a small picture is drawn, of all of it.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_drawn(&self, assets: &[AssetId]) -> Result<HashSet<AssetId>, DbError> {
        let list = assets.iter().map(|id| Value::from(*id)).collect();
        let rows = self.fetch_list(LIST_DRAWN, args![], list).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl Look {
    /// Whether there is a small picture.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.renditions.iter().any(|kind| kind == "grid")
    }

    fn add(&mut self, kind: String, payload: Option<String>) -> Result<(), DbError> {
        if kind != "look" {
            if let Err(at) = self.renditions.binary_search(&kind) {
                self.renditions.insert(at, kind);
            }
            return Ok(());
        }
        let about = payload.as_deref().map(read_json).transpose()?;
        let about = about.unwrap_or(Json::Null);
        self.width = about["width"].as_i64();
        self.height = about["height"].as_i64();
        self.thumbhash = about["thumbhash"].as_str().map(str::to_owned);
        Ok(())
    }
}
