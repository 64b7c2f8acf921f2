//! Whose faces are in pictures and films: what machines gather, what people say of it, and how that is taken back.
//!
//! What people say of faces are claims about their areas, so it holds whoever finds them. All that is said at once is one
//! claim batch. Whose a face is follows from both each time (`core::face::whose`); nothing of that is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heirloom_core::{
    Actor, AssetId, ClaimBatchId, FaceId, FamilyId, Glimpse, Subject,
    claim::{ClaimKind, ClaimValue, Statement},
    face::{Aside, FaceWord, Faceprint, Gathered, Whose, gather, whose},
    permission::Action,
    text,
};
use serde_json::json;

use crate::{
    Db, DbError, artifact, audit,
    claim::{self, NewClaim},
    clock,
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

/// What somebody says of faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// They show somebody of that name.
    Name(String),
    /// They do not.
    NotName(String),
    /// They show the same person as the faces of a group.
    Same(FaceId),
    /// They do not.
    NotSame(FaceId),
    /// They show somebody else than the other faces of their group.
    Apart,
    /// They are left out.
    Aside(Aside),
    /// They are not.
    Back,
}

/// Something that was said of faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// All claims that were made with it.
    pub id: ClaimBatchId,
    /// What was said, as far as it can be told in one word.
    pub what: SaidKind,
    /// The name that was said or denied.
    pub name: Option<String>,
    /// Of how many faces.
    pub count: usize,
    /// When.
    pub made_at_ms: i64,
    /// Whether it was taken back.
    pub is_undone: bool,
}

/// What kind of thing was said of faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaidKind {
    /// Who they show.
    Name,
    /// Who they do not show.
    NotName,
    /// That they are of one person.
    Same,
    /// That they are not of one person with others.
    NotSame,
    /// That they are somebody nobody knows.
    Stranger,
    /// That they are none.
    NoFace,
    /// That they are not left out any more.
    Back,
}

statements! {
    LIST = "SELECT f.id, f.asset_id, f.quality, f.group_id, f.area, f.at_ms, f.moments FROM face f JOIN asset a ON a.id = f.asset_id
        WHERE a.family_id = $1 AND f.artifact_id IS NOT NULL AND a.deleted_at_ms IS NULL AND a.state <> 'replaced'
          AND a.audience_id IN ({list})";
    LIST_OF_FAMILY = "SELECT f.id, f.asset_id, f.quality, f.group_id, f.area, f.at_ms, f.moments, f.model, f.numbers
        FROM face f JOIN asset a ON a.id = f.asset_id
        WHERE a.family_id = $1 AND f.artifact_id IS NOT NULL";
    HAS_NEW = "SELECT 1 FROM face f JOIN asset a ON a.id = f.asset_id
        WHERE f.group_id IS NULL AND a.family_id = $1 LIMIT 1";
    MOVE = "WITH moved (id, group_id) AS (VALUES {rows})
        UPDATE face SET group_id = moved.group_id FROM moved WHERE face.id = moved.id";
    LIST_BATCHES = "SELECT DISTINCT batch_id FROM claim
        WHERE family_id = $1 AND subject_kind = 'face' AND batch_id IS NOT NULL ORDER BY batch_id DESC LIMIT $2";
    LIST_SAID = "SELECT batch_id, subject_id, subject_part, kind, value, is_negation, made_at_ms, undone_at_ms IS NOT NULL
        FROM claim WHERE family_id = $1 AND subject_kind = 'face' AND batch_id IN ({list})";
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
        let (places, faces) = self.with_words(family, found).await?;
        let told = whose(&faces);
        let portraits = faces.into_iter().zip(places).zip(told);
        Ok(portraits
            .map(|((face, glimpse), whose)| Portrait {
                id: face.id,
                asset: face.asset,
                glimpse,
                quality: face.quality,
                whose,
            })
            .collect())
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

    /// Says something of faces, all of which have to be there and the actor's to see. It is taken back, and held to again,
    /// as any [batch of claims](Self::undo_claims) is.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], [`DbError::Refused`] without any face or for what is no name.
    pub async fn say_of_faces(
        &self,
        actor: &Actor,
        family: FamilyId,
        faces: &[FaceId],
        saying: &Saying,
    ) -> Result<ClaimBatchId, DbError> {
        actor.require(Action::MakeClaim, family)?;
        let author = claim::author(actor)
            .ok_or_else(|| DbError::Refused("nobody knows who says this".to_owned()))?;
        let portraits = self.list_portraits(actor, family).await?;
        let chosen: BTreeSet<FaceId> = faces.iter().copied().collect();
        let known: HashMap<FaceId, &Portrait> = portraits.iter().map(|it| (it.id, it)).collect();
        if let Some(missing) = chosen.iter().find(|face| !known.contains_key(face)) {
            return Err(DbError::not_found("face", missing));
        }
        let of: Vec<&Portrait> = chosen.iter().map(|face| known[face]).collect();
        let said = claims_of(&portraits, &of, saying)?;
        if said.is_empty() {
            return Err(DbError::Refused("this would be said of no face".to_owned()));
        }
        let said = said.into_iter().map(|(face, statement, is_negation)| {
            let claim = NewClaim {
                statement,
                is_negation,
                source: String::new(),
                confidence: 1.0,
            };
            (Subject::face(face.asset, face.glimpse), claim)
        });
        let id = clock::new_id();
        let mut tx = self.begin().await?;
        claim::add_batch(&mut tx, family, author, id, said.collect()).await?;
        let details = json!({ "batch": id, "faces": chosen.len() });
        audit::add(&mut tx, family, actor, "face.say", details).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// What was said of faces, as far as the actor may see them, the last first.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_said_of_faces(
        &self,
        actor: &Actor,
        family: FamilyId,
        limit: i64,
    ) -> Result<Vec<Said>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let rows = self.fetch(LIST_BATCHES, args![family, limit]).await?;
        let batches = rows.iter().map(|row| row.get::<ClaimBatchId>(0));
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        let list = batches.iter().map(|batch| Value::from(*batch)).collect();
        let rows = self.fetch_list(LIST_SAID, args![family], list).await?;
        let assets = rows.iter().map(|row| row.get::<AssetId>(1));
        let assets = assets.collect::<Result<BTreeSet<_>, _>>()?;
        let assets: Vec<AssetId> = assets.into_iter().collect();
        let seen = self.find_assets(actor, &assets).await?;
        let mut said: BTreeMap<ClaimBatchId, (Said, BTreeSet<(AssetId, String)>)> = BTreeMap::new();
        for row in &rows {
            let asset: AssetId = row.get(1)?;
            if seen.binary_search_by_key(&asset, |asset| asset.id).is_err() {
                continue;
            }
            let statement = claim::read_statement(row, 3)?;
            let (what, name) = kind_of(&statement, row.get(5)?);
            let id: ClaimBatchId = row.get(0)?;
            let new = || (Said::new(id, what), BTreeSet::new());
            let (said, faces) = said.entry(id).or_insert_with(new);
            // Whoever names faces puts them together, too.
            if rank(what) > rank(said.what) {
                said.what = what;
            }
            said.name = said.name.take().or(name);
            said.made_at_ms = row.get(6)?;
            said.is_undone = row.get(7)?;
            faces.insert((asset, row.get(2)?));
        }
        let said = said.into_values().rev().map(|(said, faces)| Said {
            count: faces.len(),
            ..said
        });
        Ok(said.collect())
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
        let (_, faces) = self.with_words(family, found).await?;
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

    /// Faces with what people say of them, beside where they are seen.
    async fn with_words(
        &self,
        family: FamilyId,
        mut found: Vec<(Gathered, Glimpse)>,
    ) -> Result<(Vec<Glimpse>, Vec<Gathered>), DbError> {
        found.sort_by_key(|(face, _)| face.id);
        let claims = claim::list_about_faces(self, family).await?;
        let mut within: HashMap<AssetId, Vec<usize>> = HashMap::new();
        for (at, (face, _)) in found.iter().enumerate() {
            within.entry(face.asset).or_default().push(at);
        }
        for (asset, claims) in &claims {
            let Some(places) = within.get(asset) else {
                continue;
            };
            let glimpses: Vec<Glimpse> = places.iter().map(|at| found[*at].1).collect();
            let words = FaceWord::list(&glimpses, claims);
            for (at, word) in places.iter().zip(words) {
                found[*at].0.word = word;
            }
        }
        Ok(found.into_iter().map(|(face, seen)| (seen, face)).unzip())
    }
}

/// Faces by whose they are.
#[must_use]
pub fn seen_of(portraits: Vec<Portrait>, are_aside: bool) -> Vec<Seen> {
    let mut seen: BTreeMap<(bool, String, Option<FaceId>), Seen> = BTreeMap::new();
    for portrait in portraits {
        let whose = &portrait.whose;
        if whose.aside.is_some() != are_aside {
            continue;
        }
        let name = whose.name.clone();
        let folded = name.as_deref().map(text::fold).unwrap_or_default();
        let group = whose.group;
        let key = (name.is_none(), folded, name.is_none().then_some(group));
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

/// What is to be claimed of which face, and whether it is denied.
type Stated<'a> = (&'a Portrait, Statement, bool);

/// What saying something of faces claims of each.
fn claims_of<'a>(
    all: &'a [Portrait],
    of: &[&'a Portrait],
    saying: &Saying,
) -> Result<Vec<Stated<'a>>, DbError> {
    let stated = |kind, words: &str| {
        let value = ClaimValue::Text(words.to_owned());
        Statement::new(kind, value).map_err(|error| DbError::Refused(error.to_string()))
    };
    let Some(first) = of.first() else {
        return Ok(Vec::new());
    };
    let each = |statements: &[(Statement, bool)]| -> Vec<Stated<'a>> {
        let of = of.iter();
        of.flat_map(|face| {
            statements
                .iter()
                .map(move |(it, not)| (*face, it.clone(), *not))
        })
        .collect()
    };
    let new = || clock::new_id::<FaceId>().to_string();
    Ok(match saying {
        Saying::Name(name) => {
            let name = name.trim();
            let folded = text::fold(name);
            let is_so = |it: &&Portrait| {
                let known = it.whose.name.as_deref().filter(|_| it.whose.is_said);
                known.is_some_and(|known| text::fold(known) == folded)
            };
            // Who is known already is one group; else a whole group keeps its own, and a part of one gets another.
            let known = all.iter().find(is_so).map(|it| it.whose.group.to_string());
            let own = all.iter().filter(|it| it.whose.group == first.whose.group);
            let is_whole = own.clone().all(|it| of.iter().any(|face| face.id == it.id));
            let whole = is_whole.then(|| first.whose.group.to_string());
            let group = known.or(whole).unwrap_or_else(new);
            each(&[
                (stated(ClaimKind::Shown, name)?, false),
                (stated(ClaimKind::Group, &group)?, false),
            ])
        }
        Saying::NotName(name) => each(&[
            (stated(ClaimKind::Shown, name.trim())?, true),
            (stated(ClaimKind::Group, &new())?, false),
        ]),
        Saying::Same(group) => {
            let statement = stated(ClaimKind::Group, &group.to_string())?;
            let others = all.iter().filter(|it| it.whose.group == *group);
            let others: Vec<&Portrait> = others.collect();
            if others.is_empty() {
                return Err(DbError::not_found("group", group));
            }
            let both = of.iter().copied().chain(others);
            let both: BTreeMap<FaceId, &Portrait> = both.map(|it| (it.id, it)).collect();
            let name = only_name(both.values().copied())?;
            let name = name.map(|name| stated(ClaimKind::Shown, name));
            let name = name.transpose()?;
            let mut stated_all = Vec::new();
            for face in both.into_values() {
                stated_all.push((face, statement.clone(), false));
                // Who is the same as somebody with a name has it, too.
                let named = name.clone().filter(|_| face.whose.name.is_none());
                stated_all.extend(named.map(|named| (face, named, false)));
            }
            stated_all
        }
        Saying::NotSame(group) => {
            let mut stated_all = each(&[(stated(ClaimKind::Group, &group.to_string())?, true)]);
            // Those that were in it are put together elsewhere.
            let elsewhere = stated(ClaimKind::Group, &new())?;
            let within = of.iter().filter(|face| face.whose.group == *group);
            stated_all.extend(within.map(|face| (*face, elsewhere.clone(), false)));
            stated_all
        }
        Saying::Apart => {
            let mut stated_all = each(&[(stated(ClaimKind::Group, &new())?, false)]);
            for face in of.iter().copied() {
                if let Some(name) = &face.whose.name {
                    stated_all.push((face, stated(ClaimKind::Shown, name)?, true));
                }
            }
            stated_all
        }
        Saying::Aside(aside) => each(&[(stated(ClaimKind::Aside, aside.as_str())?, false)]),
        Saying::Back => {
            let mut stated_all = Vec::new();
            for word in Aside::WORDS {
                stated_all.extend(each(&[(stated(ClaimKind::Aside, word)?, true)]));
            }
            stated_all
        }
    })
}

/// The name that people say of faces, if there is one. Two people are not made one by the way.
fn only_name<'a>(faces: impl Iterator<Item = &'a Portrait>) -> Result<Option<&'a str>, DbError> {
    let said = faces.filter(|face| face.whose.is_said);
    let mut names = said.filter_map(|face| face.whose.name.as_deref());
    let Some(name) = names.next() else {
        return Ok(None);
    };
    match names.find(|other| text::fold(other) != text::fold(name)) {
        Some(other) => Err(DbError::Refused(format!(
            "these faces have two names, {name} and {other}: if that is one person, give them one of these names"
        ))),
        None => Ok(Some(name)),
    }
}

/// What a claim about a face says, with the name that it is about.
fn kind_of(statement: &Statement, is_negation: bool) -> (SaidKind, Option<String>) {
    let text = match statement.value() {
        ClaimValue::Text(text) => text.as_str(),
        _ => "",
    };
    match (statement.kind(), is_negation) {
        (ClaimKind::Shown, false) => (SaidKind::Name, Some(text.to_owned())),
        (ClaimKind::Shown, true) => (SaidKind::NotName, Some(text.to_owned())),
        (ClaimKind::Aside, true) => (SaidKind::Back, None),
        (ClaimKind::Aside, false) if text == Aside::NoFace.as_str() => (SaidKind::NoFace, None),
        (ClaimKind::Aside, false) => (SaidKind::Stranger, None),
        (_, true) => (SaidKind::NotSame, None),
        (_, false) => (SaidKind::Same, None),
    }
}

/// What tells more of what was said at once.
const fn rank(what: SaidKind) -> u8 {
    match what {
        SaidKind::Same => 0,
        SaidKind::NotSame => 1,
        _ => 2,
    }
}

impl Said {
    const fn new(id: ClaimBatchId, what: SaidKind) -> Self {
        Self {
            id,
            what,
            name: None,
            count: 0,
            made_at_ms: 0,
            is_undone: false,
        }
    }
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
