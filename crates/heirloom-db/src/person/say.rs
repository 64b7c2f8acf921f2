//! What people say of faces, how it is listed, and what it claims of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use heirloom_core::{
    Actor, AssetId, ClaimBatchId, FaceId, FamilyId, Subject,
    claim::{ClaimKind, ClaimValue, Statement},
    face::Aside,
    permission::Action,
    text,
};
use serde_json::json;

use super::{Portrait, key_of};
use crate::{
    Db, DbError, audit,
    claim::{self, BatchPage, NewClaim},
    clock,
    sql::statements,
    value::{Value, args},
};

/// Of which faces something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// Of these.
    Faces(&'a [FaceId]),
    /// Of all that are those of whoever these groups are: of those who are left out where they are wanted back, else of the
    /// others.
    Groups(&'a [FaceId]),
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
    LIST_BATCHES = "SELECT DISTINCT c.batch_id FROM claim c
        WHERE c.family_id = $1 AND c.subject_kind = 'face' AND c.batch_id < $2
          AND EXISTS (SELECT 1 FROM asset a WHERE a.id = c.subject_id AND a.audience_id IN ({list}))
        ORDER BY c.batch_id DESC LIMIT $3";
    LIST_SAID = "SELECT batch_id, subject_id, subject_part, kind, value, is_negation, made_at_ms, undone_at_ms IS NOT NULL
        FROM claim WHERE family_id = $1 AND subject_kind = 'face' AND batch_id IN ({list})";
}

impl Db {
    /// Says something of faces, all of which have to be there and the actor's to see. It is taken back, and held to again,
    /// as any [batch of claims](Self::undo_claims) is.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`]; [`DbError::Refused`] without any face, for what is no name, or for what
    /// would be said of somebody and themselves.
    pub async fn say_of_faces(
        &self,
        actor: &Actor,
        family: FamilyId,
        of: Of<'_>,
        saying: &Saying,
    ) -> Result<Said, DbError> {
        actor.require(Action::MakeClaim, family)?;
        let author = claim::author(actor)
            .ok_or_else(|| DbError::Refused("nobody knows who says this".to_owned()))?;
        let portraits = self.list_portraits(actor, family).await?;
        let of = match of {
            Of::Faces(faces) => these(&portraits, faces)?,
            Of::Groups(groups) => those_of(&portraits, groups, saying)?,
        };
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
        let details = json!({ "batch": id, "faces": of.len() });
        audit::add(&mut tx, family, actor, "face.say", details).await?;
        tx.commit().await?;
        let said = self.describe_said(actor, family, &[id]).await?;
        let said = said.into_iter().next();
        said.ok_or_else(|| DbError::not_found("claim batch", id))
    }

    /// What was said of faces, as far as the actor may see them, the last first; from what was said before `before`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_said_of_faces(
        &self,
        actor: &Actor,
        family: FamilyId,
        before: Option<ClaimBatchId>,
        limit: usize,
    ) -> Result<BatchPage<Said>, DbError> {
        let asked = (before, limit);
        let page = claim::list_batches(self, actor, family, LIST_BATCHES, asked).await?;
        Ok(BatchPage {
            items: self.describe_said(actor, family, &page.items).await?,
            next: page.next,
        })
    }

    /// What was said at these times, the last first.
    async fn describe_said(
        &self,
        actor: &Actor,
        family: FamilyId,
        batches: &[ClaimBatchId],
    ) -> Result<Vec<Said>, DbError> {
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
            // What was taken back by somebody who may not see all of it holds for the rest.
            said.is_undone &= row.get::<bool>(7)?;
            faces.insert((asset, row.get(2)?));
        }
        let said = said.into_values().rev().map(|(said, faces)| Said {
            count: faces.len(),
            ..said
        });
        Ok(said.collect())
    }
}

/// These faces, in their order.
fn these<'a>(all: &'a [Portrait], faces: &[FaceId]) -> Result<Vec<&'a Portrait>, DbError> {
    let known: HashMap<FaceId, &Portrait> = all.iter().map(|it| (it.id, it)).collect();
    let chosen: BTreeSet<FaceId> = faces.iter().copied().collect();
    let found = chosen.iter().map(|face| {
        let found = known.get(face).copied();
        found.ok_or_else(|| DbError::not_found("face", face))
    });
    found.collect()
}

/// The faces of whoever these groups are, as far as something is said of them.
fn those_of<'a>(
    all: &'a [Portrait],
    groups: &[FaceId],
    saying: &Saying,
) -> Result<Vec<&'a Portrait>, DbError> {
    let are_aside = *saying == Saying::Back;
    let within = |it: &&Portrait| it.whose.aside.is_some() == are_aside;
    let within: Vec<&Portrait> = all.iter().filter(within).collect();
    let mut first = BTreeMap::new();
    for face in &within {
        let group = first.entry(key_of(face)).or_insert(face.whose.group);
        *group = face.whose.group.min(*group);
    }
    for group in groups {
        if !first.values().any(|first| first == group) {
            return Err(DbError::not_found("group of faces", group));
        }
    }
    first.retain(|_, first| groups.contains(first));
    // Who gives somebody another name says nothing of faces of which it is only asked whether they are theirs.
    let is_name = matches!(saying, Saying::Name(_));
    let is_meant = |it: &&Portrait| !is_name || it.whose.is_said || it.whose.name.is_none();
    let faces = within.into_iter().filter(is_meant);
    Ok(faces.filter(|it| first.contains_key(&key_of(it))).collect())
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
            let own: Vec<&Portrait> = own.collect();
            let is_whole = are_all_of(&own, of);
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
                return Err(DbError::not_found("group of faces", group));
            }
            let are_all_in = of.iter().all(|face| face.whose.group == *group);
            if are_all_in && are_all_of(&others, of) {
                let why = "these faces are one person's already";
                return Err(DbError::Refused(why.to_owned()));
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
            let others: Vec<&Portrait> = all.iter().filter(|it| it.whose.group == *group).collect();
            if others.is_empty() {
                return Err(DbError::not_found("group of faces", group));
            }
            if are_all_of(&others, of) {
                let why = "nobody is another person than themselves";
                return Err(DbError::Refused(why.to_owned()));
            }
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

/// Whether each of some faces is among others.
fn are_all_of(some: &[&Portrait], others: &[&Portrait]) -> bool {
    let others: HashSet<FaceId> = others.iter().map(|face| face.id).collect();
    some.iter().all(|face| others.contains(&face.id))
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
            is_undone: true,
        }
    }
}
