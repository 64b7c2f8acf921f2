//! Countries, regions and places, with how many assets that somebody may see were made there.

use std::collections::BTreeMap;

use heirloom_core::{Actor, AssetId, FamilyId, permission::Action};

use super::Placed;
use crate::{
    Db, DbError,
    sql::statements,
    value::{Value, args},
};

/// How many assets there are at a place, in a region or in a country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceCount {
    /// Where; of a country the region is empty, and of a region the name.
    pub at: Placed,
    /// How many.
    pub assets: i64,
    /// One of them of which a small picture is drawn, to stand for it: the newest, of the place with the most.
    pub cover: Option<AssetId>,
}

/// The best cover of each group, with the sum of it.
macro_rules! grouped {
    ($by:literal, $is:literal, $shown:literal, $end:literal) => {
        concat!(
            "WITH ranked AS (SELECT audience_id, country, region, place, assets,
              SUM(assets) OVER (PARTITION BY ",
            $by,
            ") AS total, ROW_NUMBER() OVER (PARTITION BY ",
            $by,
            " ORDER BY assets DESC, region, place, audience_id) AS rank
            FROM place_count WHERE ",
            $is,
            " AND audience_id IN ({list}))
            SELECT ",
            $shown,
            ", CAST(r.total AS BIGINT), (SELECT a.id FROM asset a WHERE a.audience_id = r.audience_id
              AND a.country = r.country AND a.region = r.region AND a.place = r.place
              AND a.place IS NOT NULL AND a.deleted_at_ms IS NULL AND a.state <> 'replaced'
              ORDER BY a.timeline_key DESC LIMIT 1)
            FROM ranked r WHERE r.rank = 1 ",
            $end
        )
    };
}

statements! {
    LIST_COUNTRIES = grouped!("country", "place <> ''", "r.country, '', ''", "");
    LIST_REGIONS = grouped!("region", "place <> '' AND country = $1", "r.country, r.region, ''", "");
    LIST_PLACES = grouped!("place", "place <> '' AND country = $1 AND region = $2 AND place > $3",
        "r.country, r.region, r.place", "ORDER BY r.place LIMIT $4");
    COUNT_UNNAMED = grouped!("country", "country = '' AND region = '' AND place = ''", "'', '', ''", "");
    // In the fullest places: the newest of the newest thousand there of which a small picture is drawn.
    LIST_DRAWN = "WITH fullest AS (SELECT audience_id, country, region, place FROM place_count
          WHERE country = $1 AND region BETWEEN $2 AND $3 AND place BETWEEN $4 AND $5 AND audience_id IN ({list})
          ORDER BY assets DESC LIMIT 3)
        SELECT (SELECT a.id FROM asset a WHERE a.audience_id = r.audience_id AND a.country = r.country
            AND a.region = r.region AND a.place = r.place AND a.place IS NOT NULL AND a.deleted_at_ms IS NULL
            AND a.state <> 'replaced' AND a.timeline_key > COALESCE((SELECT f.timeline_key FROM asset f
              WHERE f.audience_id = r.audience_id AND f.country = r.country AND f.region = r.region
                AND f.place = r.place AND f.place IS NOT NULL AND f.deleted_at_ms IS NULL AND f.state <> 'replaced'
              ORDER BY f.timeline_key DESC LIMIT 1 OFFSET 1000), -9223372036854775807)
            AND EXISTS (SELECT 1 FROM artifact d WHERE d.subject_id = a.id AND d.subject_part = '' AND d.kind = 'grid')
          ORDER BY a.timeline_key DESC LIMIT 1)
        FROM fullest r";
}

/// Follows every name.
const LAST: &str = "\u{10FFFF}";
/// No name comes before it but that of what has none.
const FIRST: &str = "\u{1}";

impl Db {
    /// The countries in which something was made that the actor may see. What has a place of which no
    /// country is known stands under an empty country.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_countries(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Vec<PlaceCount>, DbError> {
        self.count_places(actor, family, LIST_COUNTRIES, args![])
            .await
    }

    /// The regions of a country in which something was made that the actor may see.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_regions(
        &self,
        actor: &Actor,
        family: FamilyId,
        country: &str,
    ) -> Result<Vec<PlaceCount>, DbError> {
        let args = args![country];
        self.count_places(actor, family, LIST_REGIONS, args).await
    }

    /// The first `limit` places of a region after the name `after`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_places(
        &self,
        actor: &Actor,
        family: FamilyId,
        (country, region): (&str, &str),
        after: &str,
        limit: usize,
    ) -> Result<Vec<PlaceCount>, DbError> {
        let args = args![
            country,
            region,
            after,
            i64::try_from(limit).unwrap_or(i64::MAX)
        ];
        let mut places = self.count_places(actor, family, LIST_PLACES, args).await?;
        places.truncate(limit);
        Ok(places)
    }

    /// What has a position that nothing names.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn count_unnamed(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Option<PlaceCount>, DbError> {
        let counted = self.count_places(actor, family, COUNT_UNNAMED, args![]);
        Ok(counted.await?.pop())
    }

    async fn count_places(
        &self,
        actor: &Actor,
        family: FamilyId,
        statement: crate::sql::Sql,
        args: Vec<Value>,
    ) -> Result<Vec<PlaceCount>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let list: Vec<Value> = audiences.into_iter().map(Value::from).collect();
        // Of very many audiences there are several parts.
        let mut counted: BTreeMap<Placed, PlaceCount> = BTreeMap::new();
        for row in self.fetch_list(statement, args, list.clone()).await? {
            let at = Placed {
                country: row.get(0)?,
                region: row.get(1)?,
                name: row.get(2)?,
            };
            let (assets, cover): (i64, _) = (row.get(3)?, row.get(4)?);
            let count = counted.entry(at.clone()).or_insert(PlaceCount {
                at,
                assets: 0,
                cover,
            });
            count.assets += assets;
        }
        let mut counted: Vec<PlaceCount> = counted.into_values().collect();
        let covers: Vec<AssetId> = counted.iter().filter_map(|count| count.cover).collect();
        let drawn = self.list_drawn(&covers).await?;
        for count in &mut counted {
            if count.cover.is_none_or(|cover| !drawn.contains(&cover)) {
                count.cover = self.find_drawn_at(&count.at, &list).await?;
            }
        }
        Ok(counted)
    }

    /// Another cover, where nothing could be shown of the newest.
    async fn find_drawn_at(
        &self,
        at: &Placed,
        audiences: &[Value],
    ) -> Result<Option<AssetId>, DbError> {
        let is_unnamed = *at == Placed::default();
        let (region, place) = (at.region.as_str(), at.name.as_str());
        let regions = match (region, place) {
            ("", "") if !is_unnamed => ("", LAST),
            _ => (region, region),
        };
        let places = match place {
            "" if !is_unnamed => (FIRST, LAST),
            _ => (place, place),
        };
        let args = args![&at.country, regions.0, regions.1, places.0, places.1];
        for row in self
            .fetch_list(LIST_DRAWN, args, audiences.to_vec())
            .await?
        {
            if let Some(found) = row.get(0)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
