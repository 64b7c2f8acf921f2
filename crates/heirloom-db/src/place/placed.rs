//! The assets of one place, newest first.

use std::fmt::Write as _;

use heirloom_core::{Actor, AudienceId, FamilyId, map::Cell, permission::Action};

use super::Placed;
use crate::{
    Db, DbError,
    asset::{AssetPage, columns, read},
    value::{Value, args},
};

/// Some place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// One that has this name; with an empty name, what has a position and none.
    Named(Placed),
    /// A cell of the map.
    Cell(Cell),
}

/// How many assets of a cell are sorted at most. Where there are more, they are found soon enough by
/// going through all there are in their order.
const SORTED: i64 = 20_000;
/// How many audiences one statement has arms for.
const ARMS: usize = 100;

impl Db {
    /// The assets at a place that the actor may see, newest first, from below the timeline key `after`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_assets_at(
        &self,
        actor: &Actor,
        family: FamilyId,
        spot: &Spot,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AssetPage, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let order = match spot {
            Spot::Named(_) => Order::Index,
            Spot::Cell(cell) => {
                let clusters = self.list_clusters(actor, family, &[*cell]).await?;
                match clusters.first() {
                    Some(cluster) if cluster.assets > SORTED => Order::Walk,
                    _ => Order::Sort,
                }
            }
        };
        let mut items = Vec::new();
        for audiences in audiences.chunks(ARMS) {
            let (text, args) = page_query(audiences, spot, order, after, limit + 1);
            for row in self.fetch_text(text.into(), args).await? {
                items.push(read(&row)?);
            }
        }
        items.sort_by_key(|asset| std::cmp::Reverse(asset.timeline_key));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more);
        Ok(AssetPage {
            next: next.map(|asset| asset.timeline_key),
            items,
        })
    }
}

/// How the newest are found.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// An index has them in order.
    Index,
    /// All are fetched and sorted.
    Sort,
    /// Everything is gone through in order.
    Walk,
}

/// One arm for each audience, as listings have them. An expression in the place of a column keeps an
/// engine from the index that it is in.
fn page_query(
    audiences: &[AudienceId],
    spot: &Spot,
    order: Order,
    after: Option<i64>,
    limit: usize,
) -> (String, Vec<Value>) {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut args = args![after.unwrap_or(i64::MAX), limit];
    let (is_there, key) = match (spot, order) {
        (Spot::Named(placed), _) => {
            args.extend(args![&placed.country, &placed.region, &placed.name]);
            let is_there =
                "a.place IS NOT NULL AND a.country = $3 AND a.region = $4 AND a.place = $5";
            (is_there, "a.timeline_key")
        }
        (Spot::Cell(cell), order) => {
            let codes = cell.finest();
            args.extend(args![*codes.start(), *codes.end()]);
            match order {
                Order::Walk => ("a.map_cell + 0 BETWEEN $3 AND $4", "a.timeline_key"),
                Order::Index | Order::Sort => (
                    "a.map_cell IS NOT NULL AND a.map_cell BETWEEN $3 AND $4",
                    "a.timeline_key + 0",
                ),
            }
        }
    };
    let mut text = String::from("SELECT * FROM (");
    for (at, audience) in audiences.iter().enumerate() {
        let union = if at == 0 { "" } else { " UNION ALL " };
        args.push(Value::from(*audience));
        let _ = write!(
            text,
            "{union}SELECT * FROM (SELECT {} FROM asset a WHERE a.audience_id = ${} AND {is_there} \
             AND a.deleted_at_ms IS NULL AND a.state <> 'replaced' AND {key} < $1 \
             ORDER BY {key} DESC LIMIT $2) AS arm{at}",
            columns!(),
            args.len(),
        );
    }
    text.push_str(") AS page ORDER BY timeline_key DESC LIMIT $2");
    (text, args)
}
