//! What lies near each other on the map, counted, for a part of it at a time.

use std::collections::BTreeMap;

use heirloom_core::{
    Actor, AssetId, FamilyId,
    map::{Cell, FINEST, Position},
    permission::Action,
};

use crate::{
    Db, DbError,
    sql::statements,
    value::{Value, args},
};

/// The assets of one cell that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The cell.
    pub cell: Cell,
    /// How many.
    pub assets: i64,
    /// Where they are in the middle.
    pub middle: Position,
    /// One of them, to stand for them.
    pub cover: Option<AssetId>,
}

statements! {
    // Any asset of the cell is as good a cover; the last in the index is found at once.
    LIST_CELLS = "SELECT c.cell, c.assets, c.latitude_sum, c.longitude_sum,
          (SELECT a.id FROM asset a WHERE a.audience_id = c.audience_id AND a.map_cell IS NOT NULL
            AND a.deleted_at_ms IS NULL AND a.state <> 'replaced'
            AND a.map_cell >= c.cell * $3 AND a.map_cell < (c.cell + 1) * $3
            ORDER BY a.map_cell DESC, a.timeline_key DESC LIMIT 1)
        FROM map_cell c WHERE c.audience_id = $1 AND c.level = $2 AND c.cell IN ({list})";
}

impl Db {
    /// What lies in these cells, which are all of one level and not very many.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_clusters(
        &self,
        actor: &Actor,
        family: FamilyId,
        cells: &[Cell],
    ) -> Result<Vec<Cluster>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let Some(level) = cells.first().map(|cell| cell.level()) else {
            return Ok(Vec::new());
        };
        let width = 1_i64 << (2 * (FINEST - level));
        let list: Vec<Value> = cells.iter().map(|cell| Value::from(cell.code())).collect();
        let mut clusters: BTreeMap<i64, Sums> = BTreeMap::new();
        for audience in self.list_audiences(family, &actor.sight(family)).await? {
            let args = args![audience, i64::from(level), width];
            for row in self.fetch_list(LIST_CELLS, args, list.clone()).await? {
                let sums = clusters.entry(row.get(0)?).or_default();
                let assets: i64 = row.get(1)?;
                if assets > sums.most {
                    (sums.most, sums.cover) = (assets, row.get(4)?);
                }
                sums.assets += assets;
                sums.latitude += row.get::<i64>(2)?;
                sums.longitude += row.get::<i64>(3)?;
            }
        }
        let counted = clusters.into_iter().filter(|(_, sums)| sums.assets > 0);
        Ok(counted
            .map(|(code, sums)| Cluster {
                cell: Cell::from_code(level, code),
                assets: sums.assets,
                middle: Position {
                    latitude_e7: sums.latitude / sums.assets,
                    longitude_e7: sums.longitude / sums.assets,
                },
                cover: sums.cover,
            })
            .collect())
    }
}

#[derive(Default)]
struct Sums {
    assets: i64,
    latitude: i64,
    longitude: i64,
    cover: Option<AssetId>,
    /// Of the audience that the cover is from.
    most: i64,
}
