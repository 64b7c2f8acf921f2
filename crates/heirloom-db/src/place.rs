//! Where assets were made: what is believed of it beside each asset, and the names that follow from positions.
//!
//! A position is given a name by a tool, in an artifact whose only input is the position. When somebody
//! corrects the position, `settle` takes away what was made of the old one, in the transaction that
//! changes what is believed: a name never outlives its position. The new position is named by whoever
//! corrected it ([`Db::keep_places`]), or by the next run.
//!
//! How many assets there are at each place and in each cell of the map is counted by triggers (migration
//! 0008), for each audience by itself.

mod list;
mod map;
mod placed;

use std::collections::HashMap;

use heirloom_core::{
    ArtifactId, AssetId, ContentHash, FamilyId,
    claim::{Author, Claim, ClaimKind, ClaimValue, resolve},
    map::{Cell, FINEST, Position},
};
use serde::{Deserialize, Serialize};

use crate::{
    Db, DbError, Tx,
    artifact::{self, Derived},
    asset::{self, Asset},
    claim::{self, Believed},
    row::Row,
    sql::statements,
    timeline,
    value::{Value, args},
};

pub use list::PlaceCount;
pub(crate) use list::STATEMENTS as LIST_STATEMENTS;
pub use map::Cluster;
pub(crate) use map::STATEMENTS as MAP_STATEMENTS;
pub use placed::Spot;

/// The kind of artifact that holds the name of a position, and the tool that makes it. Its input is
/// [`input_of`] the position.
pub const PLACE: &str = "place";

/// The longest name by which a place is counted, in bytes; an index holds no more.
const NAME_BYTES: usize = 400;

statements! {
    LIST_MADE = "SELECT subject_id, id, inputs, payload FROM artifact
        WHERE kind = $1 AND tool = $1 AND subject_id IN ({list}) ORDER BY tool_version, id";
    STORE = "UPDATE asset SET latitude_e7 = $2, longitude_e7 = $3, map_cell = $4, country = $5, region = $6,
          place = $7
        WHERE id = $1";
    LIST_CLAIMED = "SELECT DISTINCT subject_id FROM claim
        WHERE kind IN ('position', 'place') AND subject_kind = 'asset' AND subject_id > $1
        ORDER BY subject_id LIMIT $2";
}

/// What a position is called: what stands in the artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The country, ISO 3166-1, two letters.
    pub country: String,
    /// The region within it; empty where none is known.
    pub region: String,
    /// The town or village.
    pub name: String,
    /// By which words it is found beside these: the country in English and German, the place and the region
    /// in German.
    pub words: Vec<String>,
}

/// Where an asset is listed among places.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// The country that its position is in; empty where none is known.
    pub country: String,
    /// The region that its position is in; empty where none is known.
    pub region: String,
    /// What the place is believed to be called; empty for a position that has no name.
    pub name: String,
}

/// The hash of a position, as the input of what is made of it.
#[must_use]
pub fn input_of(position: Position) -> ContentHash {
    ContentHash::from_bytes(*blake3::hash(position.to_string().as_bytes()).as_bytes())
}

impl Placed {
    /// Where an asset is listed; nowhere without a position and a place.
    pub(crate) fn of(believed: &Believed, named: Option<&Made>) -> Option<Self> {
        let place = believed.place.as_ref();
        if believed.position.is_none() && place.is_none() {
            return None;
        }
        let said =
            |artifact: Option<ArtifactId>| named.filter(|made| Some(made.artifact) == artifact);
        let own_name = || named.and_then(|made| Some(made.named.as_ref()?.name.clone()));
        let name = match place {
            // The machine's own words, without the region that stands in them.
            Some(place) if said(place.artifact).is_some() => own_name(),
            Some(place) => Some(place.words.clone()),
            None => None,
        };
        let mut name = name.unwrap_or_default();
        name.truncate(name.floor_char_boundary(NAME_BYTES));
        if name.is_empty() {
            // Nobody would look for it in a country that nothing says it is in.
            return Some(Self::default());
        }
        let named = named.and_then(|made| made.named.clone());
        let named = named.unwrap_or_default();
        Some(Self {
            country: named.country,
            region: named.region,
            name,
        })
    }
}

/// What the tool made of a position.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    artifact: ArtifactId,
    input: Option<ContentHash>,
    /// `None` far from everything.
    named: Option<Named>,
}

impl Made {
    /// The words by which an asset there is found, whatever it is believed to be called.
    pub(crate) fn words(&self) -> Option<String> {
        let named = self.named.as_ref()?;
        let mut words: Vec<&str> = Vec::new();
        // A region may be called as its town is, and a country the same in two languages.
        for word in [&named.name, &named.region].into_iter().chain(&named.words) {
            if !word.is_empty() && !words.contains(&word.as_str()) {
                words.push(word);
            }
        }
        Some(words.join(", "))
    }

    /// By which words it is found beside the names of the place and the region.
    pub(crate) fn other_words(&self) -> &[String] {
        self.named.as_ref().map_or(&[], |named| &named.words)
    }
}

/// What positions of these assets are called, the newest version of the tool last.
pub(crate) async fn list_made(
    tx: &mut Tx,
    assets: &[AssetId],
) -> Result<HashMap<AssetId, Vec<Made>>, DbError> {
    let list = assets.iter().map(|asset| Value::from(*asset)).collect();
    let mut made: HashMap<AssetId, Vec<Made>> = HashMap::new();
    for row in tx.fetch_list(LIST_MADE, args![PLACE], list).await? {
        made.entry(row.get(0)?).or_default().push(read_made(&row)?);
    }
    Ok(made)
}

fn read_made(row: &Row) -> Result<Made, DbError> {
    let inputs = artifact::read_inputs(&row.get::<String>(2)?)?;
    let payload: Option<String> = row.get(3)?;
    Ok(Made {
        artifact: row.get(1)?,
        input: inputs.first().copied(),
        named: payload.and_then(|payload| serde_json::from_str(&payload).ok()),
    })
}

/// Takes away what was made of another position than the one that is believed, from the catalogue and
/// from `claims`. Gives what is left.
pub(crate) async fn settle(
    tx: &mut Tx,
    asset: AssetId,
    made: Vec<Made>,
    claims: &mut Vec<Claim>,
) -> Result<Option<Made>, DbError> {
    let input = position_of(claims).map(input_of);
    let mut left = None;
    for made in made {
        if made.input.is_some() && made.input == input {
            left = Some(made);
            continue;
        }
        artifact::delete(tx, asset, made.artifact).await?;
        claims.retain(|claim| claim.author != Author::Artifact(made.artifact));
    }
    Ok(left)
}

/// The position that is believed.
pub(crate) fn position_of(claims: &[Claim]) -> Option<Position> {
    let resolution = resolve(ClaimKind::Position, claims);
    match resolution.believed.first()?.statement.value() {
        ClaimValue::Position {
            latitude,
            longitude,
            ..
        } => Some(Position::from_degrees(*latitude, *longitude)),
        _ => None,
    }
}

/// Stores where an asset is, if that is not what is stored.
pub(crate) async fn store(
    tx: &mut Tx,
    asset: &mut Asset,
    position: Option<Position>,
    placed: Option<Placed>,
) -> Result<(), DbError> {
    if asset.position == position && asset.placed == placed {
        return Ok(());
    }
    asset.position = position;
    asset.placed = placed;
    let mut args = args![asset.id];
    args.extend(columns_of(asset));
    tx.execute(STORE, args).await?;
    Ok(())
}

/// The values of an asset's row that say where it is: `latitude_e7, longitude_e7, map_cell, country,
/// region, place`.
pub(crate) fn columns_of(asset: &Asset) -> Vec<Value> {
    let position = asset.position;
    let placed = asset.placed.as_ref();
    args![
        position.map(|position| position.latitude_e7),
        position.map(|position| position.longitude_e7),
        position.map(|position| Cell::of(position, FINEST).code()),
        placed.map(|placed| placed.country.clone()),
        placed.map(|placed| placed.region.clone()),
        placed.map(|placed| placed.name.clone()),
    ]
}

impl Db {
    /// The words by which an asset is found that follow from its position.
    pub(crate) async fn find_place_words(&self, asset: AssetId) -> Result<Option<String>, DbError> {
        let rows = self
            .fetch_list(LIST_MADE, args![PLACE], vec![asset.into()])
            .await?;
        let made = rows.last().map(read_made).transpose()?;
        Ok(made.and_then(|made| made.words()))
    }

    /// Stores what positions of assets are called that were corrected just now. What was made of
    /// a position that is another by now is not stored, nor what is there already.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn keep_places(
        &self,
        family: FamilyId,
        made: Vec<(AssetId, Derived)>,
    ) -> Result<(), DbError> {
        let ids: Vec<AssetId> = made.iter().map(|(asset, _)| *asset).collect();
        let mut tx = self.begin().await?;
        timeline::lock(&mut tx).await?;
        let positions: HashMap<AssetId, Position> = asset::list_by_id(&mut tx, &ids)
            .await?
            .into_iter()
            .filter_map(|asset| Some((asset.id, asset.position?)))
            .collect();
        let known = artifact::list_keys(&mut tx, &ids).await?;
        let is_wanted = |asset: &AssetId, derived: &Derived| {
            let input = positions.get(asset).map(|position| input_of(*position));
            let key = artifact::artifact_key(family, *asset, &derived.artifact.recipe());
            derived.artifact.inputs.first() == input.as_ref() && !known.contains(&key)
        };
        let new: Vec<_> = made
            .into_iter()
            .filter(|(asset, derived)| is_wanted(asset, derived))
            .map(|(asset, derived)| (asset, None, derived))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let named: Vec<AssetId> = new.iter().map(|(asset, ..)| *asset).collect();
        artifact::add(&mut tx, (family, None), new, crate::clock::now_ms()).await?;
        asset::refresh(&mut tx, &named).await?;
        tx.commit().await
    }
}

/// Stores where assets are that were there before it was kept beside them: the end of migration 0008.
pub(crate) async fn fill(tx: &mut Tx) -> Result<(), DbError> {
    let mut after = vec![0; 16];
    loop {
        let rows = tx.fetch(LIST_CLAIMED, args![after, 256_i64]).await?;
        let ids: Vec<AssetId> = rows
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = last.as_bytes().to_vec();
        let claims = claim::list_of_assets(tx, &ids).await?;
        for mut asset in asset::list_by_id(tx, &ids).await? {
            let believed = Believed::of(claims.get(&asset.id).map_or(&[], Vec::as_slice));
            let placed = Placed::of(&believed, None);
            store(tx, &mut asset, believed.position, placed).await?;
        }
    }
}
