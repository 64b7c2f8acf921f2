//! Whose faces are in pictures and films: what machines gather, what people say of it, and how that is taken back.
//!
//! What people say of faces are claims about their areas, so it holds whoever finds them. All that is said at once is one
//! claim batch. Whose a face is follows from both each time (`core::face::whose`); nothing of that is kept.

mod say;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heirloom_core::{
    Actor, AssetId, FaceId, FamilyId, Glimpse,
    claim::Claim,
    face::{FaceWord, Faceprint, Gathered, Whose, gather, whose},
    permission::Action,
    text,
};
use serde_json::json;

pub(crate) use say::STATEMENTS as SAY_STATEMENTS;
pub use say::{Of, Said, SaidKind, Saying};

use crate::{
    Db, DbError, artifact,
    asset::AssetState,
    audit, claim,
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// A face, with whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// Its id.
    pub id: FaceId,
    /// The picture or film that it is in.
    pub asset: AssetId,
    /// Where it is there, and when it is seen best.
    pub glimpse: Glimpse,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// Whose it is.
    pub whose: Whose,
}

/// Somebody whose faces are in pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The group that their faces are in, or the first of several.
    pub group: FaceId,
    /// Who people say it is.
    pub name: Option<String>,
    /// Their faces, those first that are seen best.
    pub faces: Vec<Portrait>,
}

statements! {
    LIST = "SELECT f.id, f.asset_id, f.quality, f.group_id, f.area, f.at_ms, f.moments FROM face f JOIN asset a ON a.id = f.asset_id
        WHERE a.family_id = $1 AND f.artifact_id IS NOT NULL AND a.deleted_at_ms IS NULL AND a.state <> 'replaced'
          AND a.audience_id IN ({list})";
    LIST_OF_ASSETS = "SELECT id, asset_id, quality, group_id, area, at_ms, moments FROM face
        WHERE asset_id IN ({list}) AND artifact_id IS NOT NULL";
    LIST_WITHIN = "SELECT asset_id FROM face WHERE group_id IN ({list})";
    LIST_PUT_WITHIN = "SELECT subject_id FROM claim WHERE kind = 'group' AND value IN ({list})";
    LIST_OF_FAMILY = "SELECT f.id, f.asset_id, f.quality, f.group_id, f.area, f.at_ms, f.moments, f.model, f.numbers
        FROM face f JOIN asset a ON a.id = f.asset_id
        WHERE a.family_id = $1 AND f.artifact_id IS NOT NULL";
    HAS_NEW = "SELECT 1 FROM face f JOIN asset a ON a.id = f.asset_id
        WHERE f.group_id IS NULL AND a.family_id = $1 LIMIT 1";
    MOVE = "WITH moved (id, group_id) AS (VALUES {rows})
        UPDATE face SET group_id = moved.group_id FROM moved WHERE face.id = moved.id";
    LIST_LOOKED_AT = "SELECT subject_id, id FROM artifact WHERE family_id = $1 AND kind = 'faces'";
    FORGET = "DELETE FROM face WHERE asset_id IN (SELECT id FROM asset WHERE family_id = $1)";
}

/// How many rows are changed by one statement.
const AT_ONCE: usize = 500;

impl Db {
    /// All faces in pictures that the actor may see, with whose they are, in the order of their ids.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_portraits(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Vec<Portrait>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let audiences = audiences.into_iter().map(Value::from).collect();
        let rows = self.fetch_list(LIST, args![family], audiences).await?;
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let claims = claim::list_about_faces(self, family).await?;
        Ok(portraits_of(found, &claims))
    }

    /// The faces of one picture or film, with whose they are, in the order of their ids. Others of their groups are looked
    /// at only where nobody says whose one of these is.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see the picture; [`DbError::Denied`].
    pub async fn list_portraits_in(
        &self,
        actor: &Actor,
        id: AssetId,
    ) -> Result<Vec<Portrait>, DbError> {
        let asset = self.get_asset(actor, id).await?;
        let mut portraits = self.list_portraits_of(actor, &[id]).await?;
        let asked = portraits.iter().filter(|face| !face.whose.is_said);
        let groups: BTreeSet<FaceId> = asked.map(|face| face.whose.group).collect();
        // Claims have their values as JSON.
        let ids = groups.iter().map(|group| Value::from(*group)).collect();
        let values = groups.iter().map(|group| json!(group).to_string());
        let values = values.map(Value::from).collect();
        let mut rows = self.fetch_list(LIST_WITHIN, args![], ids).await?;
        rows.extend(self.fetch_list(LIST_PUT_WITHIN, args![], values).await?);
        let others = rows.iter().map(|row| row.get::<AssetId>(0));
        let mut others = others.collect::<Result<BTreeSet<_>, _>>()?;
        if !others.is_empty() {
            others.insert(asset.id);
            let all: Vec<AssetId> = others.into_iter().collect();
            portraits = self.list_portraits_of(actor, &all).await?;
            portraits.retain(|face| face.asset == id);
        }
        Ok(portraits)
    }

    /// The faces of those of these assets that the actor may see, with whose they are as far as these tell.
    async fn list_portraits_of(
        &self,
        actor: &Actor,
        assets: &[AssetId],
    ) -> Result<Vec<Portrait>, DbError> {
        let mut seen = self.find_assets(actor, assets).await?;
        seen.retain(|it| it.deleted_at_ms.is_none() && it.state != AssetState::Replaced);
        let list: Vec<Value> = seen.iter().map(|asset| Value::from(asset.id)).collect();
        let rows = self
            .fetch_list(LIST_OF_ASSETS, args![], list.clone())
            .await?;
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let claims = claim::list_about_faces_of(self, list).await?;
        Ok(portraits_of(found, &claims))
    }

    /// Those whose faces the actor may see: who has a name first, then whose faces are most. With `are_aside` those alone
    /// that are left out.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_seen(
        &self,
        actor: &Actor,
        family: FamilyId,
        are_aside: bool,
    ) -> Result<Vec<Seen>, DbError> {
        let portraits = self.list_portraits(actor, family).await?;
        Ok(seen_of(portraits, are_aside))
    }

    /// Puts faces that were found since the last time into groups, and joins groups that agree by now. Gives how many are
    /// in another group than before.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn gather_faces(&self, family: FamilyId) -> Result<usize, DbError> {
        let new = self.fetch_optional(HAS_NEW, args![family]).await?;
        if new.is_none() {
            return Ok(0);
        }
        let rows = self.fetch(LIST_OF_FAMILY, args![family]).await?;
        let mut prints: HashMap<FaceId, Faceprint> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let print = Faceprint {
                model: row.get(7)?,
                numbers: row.get(8)?,
            };
            prints.insert(row.get(0)?, print);
        }
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let claims = claim::list_about_faces(self, family).await?;
        let (_, faces) = with_words(found, &claims);
        // A library has many: nobody else waits for that.
        let gathering = move || gather(&faces, |face| prints.get(&face));
        let moved = tokio::task::spawn_blocking(gathering).await;
        let moved = moved.map_err(|error| DbError::Unavailable(error.to_string()))?;
        let moved: Vec<(FaceId, FaceId)> = moved.into_iter().collect();
        let mut tx = self.begin().await?;
        for some in moved.chunks(AT_ONCE) {
            let rows = some.iter().map(|(face, group)| args![*face, *group]);
            tx.execute_rows(MOVE, 2, rows.collect()).await?;
        }
        tx.commit().await?;
        Ok(moved.len())
    }

    /// Forgets all faces that machines found, and how they gathered them, so that they are looked for anew. What people
    /// said of faces stays, and holds for what is found where they said it. Gives in how many pictures.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn reset_faces(&self, actor: &Actor, family: FamilyId) -> Result<usize, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        tx.execute(FORGET, args![family]).await?;
        let looked_at = tx.fetch(LIST_LOOKED_AT, args![family]).await?;
        for row in &looked_at {
            artifact::delete(&mut tx, row.get(0)?, row.get(1)?).await?;
        }
        let details = json!({ "pictures": looked_at.len() });
        audit::add(&mut tx, family, actor, "face.reset", details).await?;
        tx.commit().await?;
        Ok(looked_at.len())
    }
}

/// Faces with whose they are, in the order of their ids.
fn portraits_of(
    found: Vec<(Gathered, Glimpse)>,
    claims: &HashMap<AssetId, Vec<Claim>>,
) -> Vec<Portrait> {
    let (places, faces) = with_words(found, claims);
    let told = whose(&faces);
    let portraits = faces.into_iter().zip(places).zip(told);
    let portraits = portraits.map(|((face, glimpse), whose)| Portrait {
        id: face.id,
        asset: face.asset,
        glimpse,
        quality: face.quality,
        whose,
    });
    portraits.collect()
}

/// Faces with what people say of them, beside where they are seen.
fn with_words(
    mut found: Vec<(Gathered, Glimpse)>,
    claims: &HashMap<AssetId, Vec<Claim>>,
) -> (Vec<Glimpse>, Vec<Gathered>) {
    found.sort_by_key(|(face, _)| face.id);
    let mut within: HashMap<AssetId, Vec<usize>> = HashMap::new();
    for (at, (face, _)) in found.iter().enumerate() {
        within.entry(face.asset).or_default().push(at);
    }
    for (asset, claims) in claims {
        let Some(places) = within.get(asset) else {
            continue;
        };
        let glimpses: Vec<Glimpse> = places.iter().map(|at| found[*at].1).collect();
        let words = FaceWord::list(&glimpses, claims);
        for (at, word) in places.iter().zip(words) {
            found[*at].0.word = word;
        }
    }
    found.into_iter().map(|(face, seen)| (seen, face)).unzip()
}

/// What tells people apart: their name, or without one their group. Whoever has a name comes first.
type Key = (bool, String, Option<FaceId>);

fn key_of(portrait: &Portrait) -> Key {
    match &portrait.whose.name {
        Some(name) => (false, text::fold(name), None),
        None => (true, String::new(), Some(portrait.whose.group)),
    }
}

/// Faces by whose they are.
#[must_use]
pub fn seen_of(portraits: Vec<Portrait>, are_aside: bool) -> Vec<Seen> {
    let mut seen: BTreeMap<Key, Seen> = BTreeMap::new();
    for portrait in portraits {
        if portrait.whose.aside.is_some() != are_aside {
            continue;
        }
        let (key, group) = (key_of(&portrait), portrait.whose.group);
        let name = portrait.whose.name.clone();
        let one = seen.entry(key).or_insert_with(|| Seen {
            group,
            name,
            faces: Vec::new(),
        });
        one.group = one.group.min(group);
        one.faces.push(portrait);
    }
    let mut seen: Vec<Seen> = seen.into_values().collect();
    for one in &mut seen {
        one.faces.sort_by(|a, b| {
            let sure = b.whose.is_said.cmp(&a.whose.is_said);
            sure.then(b.quality.total_cmp(&a.quality))
                .then(a.id.cmp(&b.id))
        });
    }
    seen.sort_by_key(|one| {
        let count = std::cmp::Reverse(one.faces.len());
        let by_name = one.name.is_none().then_some(count);
        (one.name.is_none(), by_name)
    });
    seen
}

fn read(row: &Row) -> Result<(Gathered, Glimpse), DbError> {
    let face = Gathered {
        id: row.get(0)?,
        asset: row.get(1)?,
        moments: crate::face::read_moments(row, 6)?,
        quality: crate::face::read_share(row, 2)?,
        group: row.get(3)?,
        word: FaceWord::default(),
    };
    Ok((face, crate::face::read_glimpse(row, 4)?))
}
