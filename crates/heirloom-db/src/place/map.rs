//! What lies near each other on the map, counted, for a part of it at a time.

use std::collections::BTreeMap;

use heirloom_core::{
    Actor, AssetId, AudienceId, FamilyId,
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
    /// Where most of them are: the middle of all may be where none is.
    pub heart: Position,
    /// One of them of which a small picture is drawn, to stand for them.
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
    // As good a one of which a small picture is drawn, among a thousand.
    LIST_DRAWN = "SELECT c.cell, (SELECT n.id FROM (SELECT a.id FROM asset a WHERE a.audience_id = c.audience_id
            AND a.map_cell IS NOT NULL AND a.deleted_at_ms IS NULL AND a.state <> 'replaced'
            AND a.map_cell >= c.cell * $3 AND a.map_cell < (c.cell + 1) * $3
            ORDER BY a.map_cell DESC, a.timeline_key DESC LIMIT 1000) n
          WHERE EXISTS (SELECT 1 FROM artifact d WHERE d.subject_id = n.id AND d.subject_part = '' AND d.kind = 'grid')
          LIMIT 1)
        FROM map_cell c WHERE c.audience_id = $1 AND c.level = $2 AND c.cell IN ({list})";
    // Of the sixteen cells within each: the one with the most assets.
    LIST_FULLEST = "SELECT c.cell, f.cell, f.assets, f.latitude_sum, f.longitude_sum
        FROM map_cell c JOIN map_cell f ON f.audience_id = c.audience_id AND f.level = c.level + 2
          AND f.cell = (SELECT w.cell FROM map_cell w WHERE w.audience_id = c.audience_id AND w.level = c.level + 2
            AND w.cell >= c.cell * 16 AND w.cell < (c.cell + 1) * 16 ORDER BY w.assets DESC, w.cell LIMIT 1)
        WHERE c.audience_id = $1 AND c.level = $2 AND c.cell IN ({list})";
}

/// The level down to which it is looked where most of a cluster is: some kilometres.
const HEART: u8 = 12;

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
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        for audience in &audiences {
            let audience = *audience;
            let args = args![audience, i64::from(level), width];
            for row in self.fetch_list(LIST_CELLS, args, list.clone()).await? {
                let sums = clusters.entry(row.get(0)?).or_default();
                let assets: i64 = row.get(1)?;
                if assets > sums.most {
                    (sums.most, sums.cover) = (assets, row.get(4)?);
                    sums.audience = Some(audience);
                }
                sums.assets += assets;
                sums.latitude += row.get::<i64>(2)?;
                sums.longitude += row.get::<i64>(3)?;
            }
        }
        for audience in &audiences {
            self.find_hearts(*audience, level, &mut clusters).await?;
        }
        self.keep_drawn(&audiences, (level, width), &mut clusters)
            .await?;
        let counted = clusters.into_iter().filter(|(_, sums)| sums.assets > 0);
        Ok(counted
            .map(|(code, sums)| {
                let middle = Position {
                    latitude_e7: sums.latitude / sums.assets,
                    longitude_e7: sums.longitude / sums.assets,
                };
                Cluster {
                    cell: Cell::from_code(level, code),
                    assets: sums.assets,
                    middle,
                    heart: sums.heart.unwrap_or(middle),
                    cover: sums.cover,
                }
            })
            .collect())
    }

    /// Finds another cover for the cells of whose cover nothing could be shown.
    async fn keep_drawn(
        &self,
        audiences: &[AudienceId],
        (level, width): (u8, i64),
        clusters: &mut BTreeMap<i64, Sums>,
    ) -> Result<(), DbError> {
        let covers: Vec<AssetId> = clusters.values().filter_map(|sums| sums.cover).collect();
        let drawn = self.list_drawn(&covers).await?;
        for sums in clusters.values_mut() {
            sums.cover = sums.cover.filter(|cover| drawn.contains(cover));
        }
        for audience in audiences {
            let bare = clusters.iter().filter(|(_, sums)| sums.cover.is_none());
            let list: Vec<Value> = bare.map(|(code, _)| Value::from(*code)).collect();
            if list.is_empty() {
                break;
            }
            let args = args![*audience, i64::from(level), width];
            for row in self.fetch_list(LIST_DRAWN, args, list).await? {
                if let Some(sums) = clusters.get_mut(&row.get(0)?) {
                    sums.cover = row.get(1)?;
                }
            }
        }
        Ok(())
    }

    /// Goes down from each cluster to its fullest cell, level by level, in the audience that has the most of it.
    async fn find_hearts(
        &self,
        audience: AudienceId,
        level: u8,
        clusters: &mut BTreeMap<i64, Sums>,
    ) -> Result<(), DbError> {
        // The cell that was come to, and the cluster that it is in.
        let mut within: BTreeMap<i64, i64> = clusters
            .iter()
            .filter(|(_, sums)| sums.audience == Some(audience))
            .map(|(code, _)| (*code, *code))
            .collect();
        for level in (level..HEART).step_by(2) {
            if within.is_empty() {
                break;
            }
            let list: Vec<Value> = within.keys().map(|code| Value::from(*code)).collect();
            let args = args![audience, i64::from(level)];
            let mut below = BTreeMap::new();
            for row in self.fetch_list(LIST_FULLEST, args, list).await? {
                let (from, to, assets): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let Some(cluster) = within.get(&from).filter(|_| assets > 0) else {
                    continue;
                };
                below.insert(to, *cluster);
                if let Some(sums) = clusters.get_mut(cluster) {
                    sums.heart = Some(Position {
                        latitude_e7: row.get::<i64>(3)? / assets,
                        longitude_e7: row.get::<i64>(4)? / assets,
                    });
                }
            }
            within = below;
        }
        Ok(())
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
    audience: Option<AudienceId>,
    heart: Option<Position>,
}
