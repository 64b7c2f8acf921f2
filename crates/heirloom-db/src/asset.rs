//! Assets: one original each, whatever it is called and wherever it lies.

mod bucket;
mod listing;
mod purge;

use std::{collections::HashMap, str::FromStr};

use heirloom_core::{
    Actor, ArchiveId, AssetId, AudienceId, CollectionId, ContentHash, FamilyId, MediaKind,
    map::Position, permission::Action,
};

pub use bucket::BucketPart;
pub(crate) use bucket::STATEMENTS as BUCKET_STATEMENTS;
pub use listing::AssetPage;
pub use purge::Purged;
pub(crate) use purge::STATEMENTS as PURGE_STATEMENTS;

use crate::{
    Db, DbError, Engine, Tx, audit,
    claim::{self, Believed},
    clock, name,
    place::{self, Placed},
    row::Row,
    search::{
        Document, Field, Scope,
        document::{self, Known},
    },
    sql::statements,
    text::{self, Text},
    timeline,
    value::{Value, args},
};

/// Whether an asset's bytes are where they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetState {
    /// At one path at least.
    Present,
    /// At none of its paths any more; everything known is kept.
    Missing,
    /// Its path holds newer bytes, which are an asset of their own.
    Replaced,
}

impl AssetState {
    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Replaced => "replaced",
        }
    }

    /// The state that a word of the database stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Present, Self::Missing, Self::Replaced]
            .into_iter()
            .find(|s| s.as_str() == word)
    }
}

/// An asset as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Whose it is.
    pub family_id: FamilyId,
    /// Who may see it.
    pub audience_id: AudienceId,
    /// BLAKE3 of its bytes: what it is.
    pub content_hash: ContentHash,
    /// How many bytes.
    pub size_bytes: i64,
    /// What kind of original it is.
    pub kind: MediaKind,
    /// Its media type (MIME), from the bytes.
    pub media_type: String,
    /// Whether it is there.
    pub state: AssetState,
    /// The asset whose place it took.
    pub replaces_asset_id: Option<AssetId>,
    /// Its place in listings, see `timeline`.
    pub timeline_key: i64,
    /// The believed date, as EDTF.
    pub date: Option<String>,
    /// First second of that date since 1970; `None` when undated or open.
    pub date_from_s: Option<i64>,
    /// The believed title.
    pub title: Option<String>,
    /// The file name under which it was last found.
    pub name: String,
    /// Where it is believed to be made.
    pub position: Option<Position>,
    /// Where it is listed among places.
    pub placed: Option<Placed>,
    /// The language that people say is spoken in it, by its code of ISO 639.
    pub language: Option<String>,
    /// Pixels across, as stored.
    pub width: Option<i64>,
    /// Pixels down, as stored.
    pub height: Option<i64>,
    /// How long it plays.
    pub duration_ms: Option<i64>,
    /// When it was first found.
    pub added_at_ms: i64,
    /// When it was deleted.
    pub deleted_at_ms: Option<i64>,
    /// Rises with every change.
    pub version: i64,
}

/// What is measured of an original and kept with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// What kind of original it is.
    pub kind: MediaKind,
    /// Its media type (MIME).
    pub media_type: &'static str,
    /// Pixels across, as stored.
    pub width: Option<i64>,
    /// Pixels down, as stored.
    pub height: Option<i64>,
    /// How long it plays.
    pub duration_ms: Option<i64>,
}

/// The columns of an [`Asset`], in the order in which [`read`] takes them.
macro_rules! columns {
    () => {
        "a.id, a.family_id, a.audience_id, a.content_hash, a.size_bytes, a.kind, a.media_type, a.state, \
         a.replaces_asset_id, a.timeline_key, a.date, a.date_from_s, a.title, a.name, a.width, a.height, \
         a.duration_ms, a.added_at_ms, a.deleted_at_ms, a.version, a.latitude_e7, a.longitude_e7, \
         a.country, a.region, a.place, a.language"
    };
}
pub(crate) use columns;

statements! {
    GET = concat!("SELECT ", columns!(), " FROM asset a WHERE a.id = $1");
    // In one order, so that no two transactions wait for each other.
    LOCK = concat!("SELECT ", columns!(), " FROM asset a WHERE a.id IN ({list}) ORDER BY a.id /*pg FOR UPDATE */");
    LIST_BY_ID = concat!("SELECT ", columns!(), " FROM asset a WHERE a.id IN ({list})");
    LIST_BY_KEY = concat!("SELECT ", columns!(), " FROM asset a WHERE a.timeline_key IN ({list})");
    LIST_PLACES = "SELECT l.asset_id, f.archive_id, f.path, l.name, l.gone_at_ms IS NULL, r.audience_id
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN archive r ON r.id = f.archive_id
        WHERE l.asset_id IN ({list}) ORDER BY l.asset_id, l.id";
    LIST_MEMBERSHIPS = "SELECT asset_id, collection_id FROM collection_member
        WHERE asset_id IN ({list}) ORDER BY asset_id, collection_id";
    STORE_BELIEVED = "UPDATE asset SET timeline_key = $2, bucket = $9, date = $3, date_from_s = $4,
          date_until_s = $5, title = $6, name = $7, language = $10, updated_at_ms = $8, version = version + 1
        WHERE id = $1";
    SET_DELETED = "UPDATE asset SET deleted_at_ms = $3, updated_at_ms = $4, version = version + 1
        WHERE id = $1 AND version = $2";
}

impl Db {
    /// One asset.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see it.
    pub async fn get_asset(&self, actor: &Actor, id: AssetId) -> Result<Asset, DbError> {
        let row = self.fetch_optional(GET, args![id]).await?;
        let asset = row.as_ref().map(read).transpose()?;
        asset
            .filter(|asset| {
                actor.require(Action::ViewAsset, asset.family_id).is_ok()
                    && actor.sight(asset.family_id).includes(asset.audience_id)
            })
            .ok_or_else(|| DbError::not_found("asset", id))
    }

    /// Those of these assets that are there and that the actor may see, in no order.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_assets(&self, actor: &Actor, ids: &[AssetId]) -> Result<Vec<Asset>, DbError> {
        let mut assets = self.list_assets_by_id(ids).await?;
        assets.retain(|asset| {
            actor.require(Action::ViewAsset, asset.family_id).is_ok()
                && actor.sight(asset.family_id).includes(asset.audience_id)
        });
        Ok(assets)
    }

    /// Those of these assets that are there, in the order of their ids. Who may see them is the caller's
    /// to know.
    pub(crate) async fn list_assets_by_id(&self, ids: &[AssetId]) -> Result<Vec<Asset>, DbError> {
        let list = ids.iter().map(|id| Value::from(*id)).collect();
        in_order_once(&self.fetch_list(LIST_BY_ID, args![], list).await?)
    }

    /// Hides an asset, or (`is_deleted` false) brings it back. Its bytes are not touched. One that is
    /// so already stays as it is.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::VersionConflict`] when `version` is
    /// given and is not the current one.
    pub async fn delete_asset(
        &self,
        actor: &Actor,
        id: AssetId,
        version: Option<i64>,
        is_deleted: bool,
    ) -> Result<Asset, DbError> {
        let asset = self.get_asset(actor, id).await?;
        actor.require(Action::DeleteAsset, asset.family_id)?;
        let expected = version.unwrap_or(asset.version);
        if expected == asset.version && asset.deleted_at_ms.is_some() == is_deleted {
            return Ok(asset);
        }
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        let deleted_at_ms = is_deleted.then_some(now_ms);
        let changed = tx
            .execute(SET_DELETED, args![id, expected, deleted_at_ms, now_ms])
            .await?;
        if changed == 0 {
            drop(tx);
            let current = self.get_asset(actor, id).await?.version;
            return Err(DbError::VersionConflict {
                what: "asset",
                current,
            });
        }
        refresh(&mut tx, &[id]).await?;
        let action = if is_deleted {
            "asset.delete"
        } else {
            "asset.restore"
        };
        let details = serde_json::json!({ "asset": id });
        audit::add(&mut tx, asset.family_id, actor, action, details).await?;
        tx.commit().await?;
        self.get_asset(actor, id).await
    }
}

/// Those of these assets that are there, in the order of their ids.
pub(crate) async fn list_by_id(tx: &mut Tx, ids: &[AssetId]) -> Result<Vec<Asset>, DbError> {
    let list = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = tx.fetch_list(LIST_BY_ID, args![], list).await?;
    in_order_once(&rows)
}

/// The assets of these rows in the order of their ids, each once.
fn in_order_once(rows: &[Row]) -> Result<Vec<Asset>, DbError> {
    let mut assets: Vec<Asset> = rows.iter().map(read).collect::<Result<_, _>>()?;
    assets.sort_unstable_by_key(|asset| asset.id);
    assets.dedup_by_key(|asset| asset.id);
    Ok(assets)
}

/// How many assets are computed anew at once: the texts of these are in memory together.
const AT_ONCE: usize = 256;

/// Puts ids in the order in which transactions hold assets, each once.
pub(crate) fn in_order(mut ids: Vec<AssetId>) -> Vec<AssetId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Holds assets before rows that refer to them are written; `ids` are [`in_order`].
pub(crate) async fn lock(tx: &mut Tx, ids: &[AssetId]) -> Result<(), DbError> {
    if tx.engine() == Engine::Postgres {
        let list = ids.iter().map(|id| Value::from(*id)).collect();
        tx.fetch_list(LOCK, args![], list).await?;
    }
    Ok(())
}

/// [`refresh`] for however many; `ids` are [`in_order`].
pub(crate) async fn refresh_many(tx: &mut Tx, ids: &[AssetId]) -> Result<(), DbError> {
    for part in ids.chunks(AT_ONCE) {
        refresh(tx, part).await?;
    }
    Ok(())
}

/// Computes anew what listings and the index hold of these assets, from claims and places.
pub(crate) async fn refresh(tx: &mut Tx, ids: &[AssetId]) -> Result<(), DbError> {
    let list: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    // Held before anything is read that another transaction may be about to change.
    let mut assets = Vec::new();
    for row in tx.fetch_list(LOCK, args![], list.clone()).await? {
        assets.push(read(&row)?);
    }
    let mut claims = claim::list_of_assets(tx, ids).await?;
    let mut places = read_places(&tx.fetch_list(LIST_PLACES, args![], list.clone()).await?)?;
    let mut texts = text::list(tx, ids).await?;
    let mut names = place::list_made(tx, ids).await?;
    let mut collections: HashMap<AssetId, Vec<CollectionId>> = HashMap::new();
    for row in tx.fetch_list(LIST_MEMBERSHIPS, args![], list).await? {
        collections
            .entry(row.get(0)?)
            .or_default()
            .push(row.get(1)?);
    }
    let old_keys: Vec<i64> = assets.iter().map(|asset| asset.timeline_key).collect();
    document::delete(tx, &old_keys).await?;

    let mut documents = Vec::new();
    let mut named_by = Vec::new();
    for asset in &mut assets {
        let mut claims = claims.remove(&asset.id).unwrap_or_default();
        let names = names.remove(&asset.id).unwrap_or_default();
        let named = place::settle(tx, asset.id, names, &mut claims).await?;
        let places = places.remove(&asset.id).unwrap_or_default();
        let collections = collections.remove(&asset.id).unwrap_or_default();
        let believed = Believed::of(&claims);
        // It is called what it is called where it has been the longest.
        let name = places
            .iter()
            .find(|place| place.is_there)
            .map_or(&asset.name, |place| &place.name);
        store_believed(tx, asset, &believed, name.clone()).await?;
        let placed = Placed::of(&believed, named.as_ref());
        place::store(tx, asset, believed.position, placed).await?;
        let placed = asset.placed.as_ref();
        named_by.push((asset.id, name::names_of(&claims, placed, named.as_ref())));
        // People also write down what no machine heard or read.
        let texts = texts.remove(&asset.id).unwrap_or_default();
        let texts = Text::corrected(texts, &claims);
        let words: Vec<_> = texts.iter().map(Text::found_by).collect();
        documents.push((
            asset.timeline_key,
            compose(
                asset,
                &believed,
                &places,
                &collections,
                &claims,
                &words,
                named.and_then(|named| named.words()).as_deref(),
            ),
        ));
    }
    name::store(tx, named_by).await?;
    document::add(tx, documents).await
}

/// A path of an asset, for its document.
pub(crate) struct Place {
    pub(crate) archive: ArchiveId,
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) is_there: bool,
    /// Who may know of the archive.
    pub(crate) audience: AudienceId,
}

/// Where each asset is and was, from the rows of [`LIST_PLACES`].
pub(crate) fn read_places(rows: &[Row]) -> Result<HashMap<AssetId, Vec<Place>>, DbError> {
    let mut places: HashMap<AssetId, Vec<Place>> = HashMap::new();
    for row in rows {
        let place = Place {
            archive: row.get(1)?,
            folder: row.get(2)?,
            name: row.get(3)?,
            is_there: row.get(4)?,
            audience: row.get(5)?,
        };
        places.entry(row.get(0)?).or_default().push(place);
    }
    Ok(places)
}

/// The places by which an asset is found: those where it is, and for one that is nowhere any more
/// where it last was. Archive, folder and file name each.
pub(crate) fn shown_places(places: &[Place]) -> Vec<(ArchiveId, &str, &str)> {
    let mut shown: Vec<&Place> = places.iter().filter(|place| place.is_there).collect();
    if shown.is_empty() {
        shown.extend(places.last());
    }
    let parts = shown.into_iter();
    parts
        .map(|place| (place.archive, place.folder.as_str(), place.name.as_str()))
        .collect()
}

/// The search document of an asset.
pub(crate) fn compose(
    asset: &Asset,
    believed: &Believed,
    places: &[Place],
    collections: &[CollectionId],
    claims: &[heirloom_core::claim::Claim],
    texts: &[(Field, &str)],
    named: Option<&str>,
) -> Document {
    let date = (believed.date_from_s, believed.date_until_s);
    Document::of(&Known {
        scope: Scope::of(asset),
        audience: asset.audience_id,
        kind: asset.kind,
        is_missing: asset.state == AssetState::Missing,
        is_replaced: asset.state == AssetState::Replaced,
        date: believed.date.is_some().then_some(date),
        places: shown_places(places),
        collections,
        claims,
        texts,
        named,
    })
}

async fn store_believed(
    tx: &mut Tx,
    asset: &mut Asset,
    believed: &Believed,
    name: String,
) -> Result<(), DbError> {
    if asset.date == believed.date
        && asset.title == believed.title
        && asset.language == believed.language
        && asset.name == name
    {
        return Ok(());
    }
    if asset.date != believed.date {
        let wanted = [(believed.timeline_key(), asset.added_at_ms)];
        asset.timeline_key = timeline::allocate_keys(tx, &wanted).await?[0];
    }
    tx.execute(
        STORE_BELIEVED,
        args![
            asset.id,
            asset.timeline_key,
            believed.date.clone(),
            believed.date_from_s,
            believed.date_until_s,
            believed.title.clone(),
            &name,
            clock::now_ms(),
            timeline::bucket_of_key(asset.timeline_key).number(),
            believed.language.clone(),
        ],
    )
    .await?;
    asset.date.clone_from(&believed.date);
    asset.title.clone_from(&believed.title);
    asset.language.clone_from(&believed.language);
    asset.name = name;
    asset.date_from_s = believed.date_from_s;
    Ok(())
}

pub(crate) fn read(row: &Row) -> Result<Asset, DbError> {
    Ok(Asset {
        id: row.get(0)?,
        family_id: row.get(1)?,
        audience_id: row.get(2)?,
        content_hash: row.get(3)?,
        size_bytes: row.get(4)?,
        kind: row.word(5, "a media kind", |word| MediaKind::from_str(word).ok())?,
        media_type: row.get(6)?,
        state: row.word(7, "an asset state", AssetState::from_word)?,
        replaces_asset_id: row.get(8)?,
        timeline_key: row.get(9)?,
        date: row.get(10)?,
        date_from_s: row.get(11)?,
        title: row.get(12)?,
        name: row.get(13)?,
        width: row.get(14)?,
        height: row.get(15)?,
        duration_ms: row.get(16)?,
        added_at_ms: row.get(17)?,
        deleted_at_ms: row.get(18)?,
        version: row.get(19)?,
        position: read_position(row, (20, 21))?,
        placed: read_placed(row)?,
        language: row.get(25)?,
    })
}

fn read_position(
    row: &Row,
    (latitude, longitude): (usize, usize),
) -> Result<Option<Position>, DbError> {
    let latitude: Option<i64> = row.get(latitude)?;
    let longitude: Option<i64> = row.get(longitude)?;
    Ok(latitude
        .zip(longitude)
        .map(|(latitude_e7, longitude_e7)| Position {
            latitude_e7,
            longitude_e7,
        }))
}

fn read_placed(row: &Row) -> Result<Option<Placed>, DbError> {
    let Some(name) = row.get(24)? else {
        return Ok(None);
    };
    Ok(Some(Placed {
        country: row.get::<Option<String>>(22)?.unwrap_or_default(),
        region: row.get::<Option<String>>(23)?.unwrap_or_default(),
        name,
    }))
}
