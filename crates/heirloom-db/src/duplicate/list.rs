//! Groups of pictures of which one is enough: what belongs together as machines see it and people say it, what is
//! suggested, and what people decide.
//!
//! What people decide are claims that are made at once, so it is taken back as any other batch of claims is, and all is as
//! it was. Nothing is removed: what is not kept is rated as rejected.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use heirloom_core::{
    Actor, AssetId, ClaimBatchId, FamilyId, Subject,
    claim::{Claim, ClaimKind, ClaimValue, Statement, resolve},
    duplicate::{Contender, Group, Likeness, Pair, Quality, Reason, choose, gather},
    permission::Action,
};
use serde_json::json;

use crate::{
    Db, DbError,
    asset::{Asset, AssetState},
    audit,
    claim::{self, BatchPage, NewClaim},
    clock,
    location::AssetLocation,
    sql::statements,
    value::{Value, args},
};

/// Where claims have it from that were made here.
const SOURCE: &str = "duplicates";
/// So many pairs are denied at once.
const MOST_APART: usize = 2_000;

statements! {
    // What belongs together anyway, a picture with its RAW or with what it was edited to, is no copy.
    LIST_PAIRS = "SELECT p.asset_id, p.other_id, p.why, p.likeness FROM alike p
          JOIN asset a ON a.id = p.asset_id
        WHERE a.family_id = $1 AND NOT EXISTS (SELECT 1 FROM stack_member m
          JOIN stack s ON s.id = m.stack_id JOIN stack_member o ON o.stack_id = s.id
          WHERE m.asset_id = p.asset_id AND o.asset_id = p.other_id AND s.kind <> 'burst')";
    // What the camera itself says is one burst.
    LIST_BURSTS = "SELECT s.cover_asset_id, m.asset_id FROM stack s JOIN stack_member m ON m.stack_id = s.id
        WHERE s.family_id = $1 AND s.kind = 'burst' AND m.asset_id <> s.cover_asset_id";
    LIST_SAME = "SELECT subject_id, value, is_negation, made_at_ms, id FROM claim
        WHERE family_id = $1 AND kind = 'same' AND undone_at_ms IS NULL";
    LIST_COPIES = "SELECT l.asset_id FROM asset_location l JOIN asset a ON a.id = l.asset_id
        WHERE a.family_id = $1 AND l.gone_at_ms IS NULL GROUP BY l.asset_id HAVING COUNT(*) > 1";
    LIST_SEEN = "SELECT id, audience_id FROM asset
        WHERE family_id = $1 AND deleted_at_ms IS NULL AND state <> 'replaced' AND id IN ({list})";
    LIST_QUALITIES = "SELECT asset_id, sharpness, clipped FROM asset_traits WHERE asset_id IN ({list})";
    LIST_BATCHES = "SELECT DISTINCT c.batch_id FROM claim c
        WHERE c.family_id = $1 AND c.source = 'duplicates' AND c.batch_id < $2
          AND EXISTS (SELECT 1 FROM asset a WHERE a.id = c.subject_id AND a.audience_id IN ({list}))
        ORDER BY c.batch_id DESC LIMIT $3";
    LIST_DECIDED = "SELECT batch_id, subject_id, kind, value, made_at_ms, undone_at_ms IS NOT NULL FROM claim
        WHERE family_id = $1 AND source = 'duplicates' AND batch_id IN ({list})";
}

/// Which groups are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Those that are together for this alone.
    pub why: Option<Likeness>,
    /// Those of which one is left that was not rejected; else all others.
    pub is_decided: bool,
    /// Those that stand after the group of that id.
    pub after: Option<AssetId>,
}

/// A page of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicatesPage {
    /// The groups.
    pub groups: Vec<Duplicates>,
    /// The group after which the next page begins; `None` on the last.
    pub next: Option<AssetId>,
}

/// Pictures of which one is enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    /// The group.
    pub group: Group,
    /// Its members, in the order in which they came.
    pub members: Vec<Member>,
    /// Which to keep and what speaks for it, where there is something to choose.
    pub choice: Option<(AssetId, Vec<Reason>)>,
}

/// A picture of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The picture.
    pub asset: Asset,
    /// Where it is, as far as the actor may know.
    pub places: Vec<AssetLocation>,
    /// How good it is, where that was measured.
    pub quality: Option<Quality>,
    /// How people rate it: -1 rejected, 0 not at all, 1 to 5 stars.
    pub rating: i64,
}

/// Something that people decided of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// All claims that were made with it.
    pub id: ClaimBatchId,
    /// What was decided.
    pub what: Decided,
    /// Of how many pictures: those that were rejected, or those that are not the same as others.
    pub count: usize,
    /// When.
    pub made_at_ms: i64,
    /// Whether it was taken back.
    pub is_undone: bool,
}

/// What can be decided of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// That one is kept and the others are rejected.
    Kept,
    /// That some are not the same as the others.
    Parted,
}

impl Db {
    /// Groups of pictures that the actor may see, those first that began last.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_duplicates(
        &self,
        actor: &Actor,
        family: FamilyId,
        asked: Asked,
        limit: usize,
    ) -> Result<DuplicatesPage, DbError> {
        let groups = self.list_groups(actor, family).await?;
        let asked_for = groups.into_iter().rev().filter(|group| {
            asked.after.is_none_or(|after| group.id < after)
                && asked.why.is_none_or(|why| group.why == why)
        });
        let asked_for: Vec<Group> = asked_for.collect();
        let rejected = self.list_rejected(&asked_for).await?;
        let mut page = asked_for.into_iter().filter(|group| {
            let left = group.members.iter().filter(|it| !rejected.contains(it));
            (group.members.len() > 1 && left.count() <= 1) == asked.is_decided
        });
        let groups: Vec<Group> = page.by_ref().take(limit).collect();
        let next = page.next().and(groups.last()).map(|group| group.id);
        let mut duplicates = self.describe_groups(actor, groups).await?;
        // Of some, others may not know that they are anywhere else.
        duplicates.retain(|it| it.members.len() > 1 || it.members[0].places.len() > 1);
        Ok(DuplicatesPage {
            groups: duplicates,
            next,
        })
    }

    /// One group.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`], and what the engine says.
    pub async fn get_duplicates(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: AssetId,
    ) -> Result<Duplicates, DbError> {
        let group = self.get_group(actor, family, id).await?;
        let described = self.describe_groups(actor, vec![group]).await?;
        described.into_iter().next().ok_or_else(|| no_group(id))
    }

    /// Keeps one of a group, or the one that is suggested: the others are rated as rejected, and it is not. Nothing is
    /// removed.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`]; [`DbError::Refused`] where there is nothing to choose, or all of it was
    /// said before.
    pub async fn keep_duplicate(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: AssetId,
        kept: Option<AssetId>,
    ) -> Result<Decision, DbError> {
        actor.require(Action::MakeClaim, family)?;
        let Duplicates {
            members, choice, ..
        } = self.get_duplicates(actor, family, id).await?;
        let kept = kept.or(choice.map(|(kept, _)| kept)).ok_or_else(|| {
            DbError::Refused("it is one original, and nothing is to be chosen".to_owned())
        })?;
        if !members.iter().any(|member| member.asset.id == kept) {
            return Err(DbError::not_found("picture in the group", kept));
        }
        let rated = members.iter().filter_map(|member| {
            let (own, is_kept) = (member.asset.id, member.asset.id == kept);
            let rating = match (is_kept, member.rating) {
                (true, -1) => 0,
                (false, 0..) => -1,
                _ => return None,
            };
            Some((own, ClaimKind::Rating, ClaimValue::Number(rating), false))
        });
        self.decide(actor, family, rated.collect(), Decided::Kept)
            .await
    }

    /// Says that some of a group, or without any all of it, are not the same as its others.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`]; [`DbError::Refused`] where there are too many, or it was said before.
    pub async fn part_duplicates(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: AssetId,
        apart: &[AssetId],
    ) -> Result<Decision, DbError> {
        actor.require(Action::MakeClaim, family)?;
        let group = self.get_group(actor, family, id).await?;
        let members: BTreeSet<AssetId> = group.members.iter().copied().collect();
        if let Some(missing) = apart.iter().find(|id| !members.contains(id)) {
            return Err(DbError::not_found("picture in the group", missing));
        }
        let apart = match apart {
            [] => members.clone(),
            some => some.iter().copied().collect(),
        };
        let is_all = apart.len() == members.len();
        let mut denied = Vec::new();
        for one in &apart {
            let others = members.iter().filter(|other| match is_all {
                true => *other > one,
                false => !apart.contains(other),
            });
            denied.extend(others.map(|other| {
                let value = ClaimValue::Text(other.to_string());
                (*one, ClaimKind::Same, value, true)
            }));
        }
        if denied.len() > MOST_APART {
            return Err(DbError::Refused(
                "too many pictures would be told apart at once: name a few of them".to_owned(),
            ));
        }
        self.decide(actor, family, denied, Decided::Parted).await
    }

    /// What was decided of groups, as far as the actor may see their pictures, the last first; from what was decided before
    /// `before`.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_decisions(
        &self,
        actor: &Actor,
        family: FamilyId,
        before: Option<ClaimBatchId>,
        limit: usize,
    ) -> Result<BatchPage<Decision>, DbError> {
        let asked = (before, limit);
        let page = claim::list_batches(self, actor, family, LIST_BATCHES, asked).await?;
        let list = page.items.into_iter().map(Value::from).collect();
        let rows = self.fetch_list(LIST_DECIDED, args![family], list).await?;
        let assets = rows.iter().map(|row| row.get::<AssetId>(1));
        let assets = assets.collect::<Result<BTreeSet<_>, _>>()?;
        let seen = self.list_seen_of(actor, family, assets).await?;
        let mut decisions: BTreeMap<ClaimBatchId, (Decision, HashSet<AssetId>)> = BTreeMap::new();
        for row in &rows {
            let (id, asset): (ClaimBatchId, AssetId) = (row.get(0)?, row.get(1)?);
            if !seen.contains(&asset) {
                continue;
            }
            let statement = claim::read_statement(row, 2)?;
            let new = Decision {
                id,
                what: Decided::Kept,
                count: 0,
                made_at_ms: row.get(4)?,
                is_undone: true,
            };
            let (decision, of) = decisions.entry(id).or_insert((new, HashSet::new()));
            // What was taken back by somebody who may not see all of it holds for the rest.
            decision.is_undone &= row.get::<bool>(5)?;
            if statement.kind() == ClaimKind::Same {
                decision.what = Decided::Parted;
            }
            // What is kept although it was rejected is not one of those that are rejected.
            if *statement.value() != ClaimValue::Number(0) {
                of.insert(asset);
            }
        }
        let decisions = decisions.into_values().rev();
        let items = decisions.map(|(decision, of)| Decision {
            count: of.len(),
            ..decision
        });
        Ok(BatchPage {
            items: items.collect(),
            next: page.next,
        })
    }

    /// Says all of this at once.
    async fn decide(
        &self,
        actor: &Actor,
        family: FamilyId,
        said: Vec<(AssetId, ClaimKind, ClaimValue, bool)>,
        what: Decided,
    ) -> Result<Decision, DbError> {
        let nobody = || DbError::Refused("nobody knows who says this".to_owned());
        let author = claim::author(actor).ok_or_else(nobody)?;
        let is_rejected = |value: &ClaimValue| *value != ClaimValue::Number(0);
        let counted = said.iter().filter(|(_, _, value, _)| is_rejected(value));
        let counted: HashSet<AssetId> = counted.map(|(asset, ..)| *asset).collect();
        if said.is_empty() {
            return Err(DbError::Refused("this was decided before".to_owned()));
        }
        let about: HashSet<AssetId> = said.iter().map(|(asset, ..)| *asset).collect();
        let said = said.into_iter().map(|(asset, kind, value, is_negation)| {
            let statement = Statement::new(kind, value);
            let claim = NewClaim {
                statement: statement.map_err(|error| DbError::Refused(error.to_string()))?,
                is_negation,
                source: SOURCE.to_owned(),
                confidence: 1.0,
            };
            Ok((Subject::asset(asset), claim))
        });
        let said = said.collect::<Result<_, DbError>>()?;
        let id = clock::new_id();
        let mut tx = self.begin().await?;
        let made_at_ms = claim::add_batch(&mut tx, family, author, id, said).await?;
        let action = match what {
            Decided::Kept => "duplicate.keep",
            Decided::Parted => "duplicate.part",
        };
        let details = json!({ "batch": id, "assets": about.len() });
        audit::add(&mut tx, family, actor, action, details).await?;
        tx.commit().await?;
        Ok(Decision {
            id,
            what,
            count: counted.len(),
            made_at_ms,
            is_undone: false,
        })
    }

    async fn get_group(
        &self,
        actor: &Actor,
        family: FamilyId,
        id: AssetId,
    ) -> Result<Group, DbError> {
        let mut groups = self.list_groups(actor, family).await?.into_iter();
        let found = groups.find(|group| group.id == id);
        found.ok_or_else(|| no_group(id))
    }

    /// All groups, in the order of their ids, as far as the actor may see what is in them.
    async fn list_groups(&self, actor: &Actor, family: FamilyId) -> Result<Vec<Group>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let mut pairs = Vec::new();
        for row in self.fetch(LIST_PAIRS, args![family]).await? {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "was a f32 when it was stored"
            )]
            pairs.push(Pair {
                one: row.get(0)?,
                other: row.get(1)?,
                why: row.word(2, "a likeness", Likeness::from_word)?,
                likeness: row.get::<f64>(3)? as f32,
            });
        }
        for row in self.fetch(LIST_BURSTS, args![family]).await? {
            pairs.push(Pair {
                one: row.get(0)?,
                other: row.get(1)?,
                why: Likeness::Burst,
                likeness: 1.0,
            });
        }
        let mut apart = Vec::new();
        for ((one, other), is_denied) in self.list_said(family).await? {
            if is_denied {
                apart.push((one, other));
            } else {
                pairs.push(Pair {
                    one,
                    other,
                    why: Likeness::Near,
                    likeness: 1.0,
                });
            }
        }
        let copies = self.fetch(LIST_COPIES, args![family]).await?;
        let copies = copies.iter().map(|row| row.get::<AssetId>(0));
        let copies = copies.collect::<Result<BTreeSet<_>, _>>()?;
        let asked = pairs.iter().flat_map(|pair| [pair.one, pair.other]);
        let asked = asked.chain(copies.iter().copied()).collect();
        let seen = self.list_seen_of(actor, family, asked).await?;
        pairs.retain(|pair| seen.contains(&pair.one) && seen.contains(&pair.other));
        let mut groups = gather(pairs, &apart);
        let grouped: HashSet<AssetId> = groups
            .iter()
            .flat_map(|group| group.members.iter().copied())
            .collect();
        let alone = copies.into_iter();
        let alone = alone.filter(|id| seen.contains(id) && !grouped.contains(id));
        groups.extend(alone.map(|id| Group {
            id,
            why: Likeness::Copies,
            members: vec![id],
        }));
        groups.sort_by_key(|group| group.id);
        Ok(groups)
    }

    /// Of which two people say that they show the same, or (`true`) that they do not: whatever was said last.
    async fn list_said(
        &self,
        family: FamilyId,
    ) -> Result<BTreeMap<(AssetId, AssetId), bool>, DbError> {
        let mut said: BTreeMap<(AssetId, AssetId), ((i64, heirloom_core::ClaimId), bool)> =
            BTreeMap::new();
        for row in self.fetch(LIST_SAME, args![family]).await? {
            let one: AssetId = row.get(0)?;
            let value: String = row.get(1)?;
            let Ok(other) = value.trim_matches('"').parse::<AssetId>() else {
                continue;
            };
            let (is_negation, at) = (row.get(2)?, (row.get(3)?, row.get(4)?));
            let new = (at, is_negation);
            let known = said.entry((one.min(other), one.max(other))).or_insert(new);
            *known = (*known).max(new);
        }
        let said = said.into_iter();
        Ok(said
            .map(|(pair, (_, is_denied))| (pair, is_denied))
            .collect())
    }

    /// Which of these assets the actor may see and are listed.
    async fn list_seen_of(
        &self,
        actor: &Actor,
        family: FamilyId,
        ids: BTreeSet<AssetId>,
    ) -> Result<HashSet<AssetId>, DbError> {
        let (list, sight) = (ids.into_iter().map(Value::from), actor.sight(family));
        let mut seen = HashSet::new();
        for row in self
            .fetch_list(LIST_SEEN, args![family], list.collect())
            .await?
        {
            if sight.includes(row.get(1)?) {
                seen.insert(row.get(0)?);
            }
        }
        Ok(seen)
    }

    /// Those of these assets that the actor may see and that are listed, with all there is about them.
    async fn find_seen(
        &self,
        actor: &Actor,
        ids: BTreeSet<AssetId>,
    ) -> Result<HashMap<AssetId, Asset>, DbError> {
        let ids: Vec<AssetId> = ids.into_iter().collect();
        let mut seen = self.find_assets(actor, &ids).await?;
        seen.retain(|it| it.deleted_at_ms.is_none() && it.state != AssetState::Replaced);
        Ok(seen.into_iter().map(|it| (it.id, it)).collect())
    }

    async fn list_rejected(&self, groups: &[Group]) -> Result<HashSet<AssetId>, DbError> {
        let several = groups.iter().filter(|group| group.members.len() > 1);
        let ids = several.flat_map(|group| &group.members);
        let ids = ids.map(|id| Value::from(*id)).collect();
        let claims = claim::list_ratings(self, ids).await?;
        let rejected = claims.into_iter();
        let rejected = rejected.filter(|(_, claims)| rating_of(claims) < 0);
        Ok(rejected.map(|(id, _)| id).collect())
    }

    async fn describe_groups(
        &self,
        actor: &Actor,
        groups: Vec<Group>,
    ) -> Result<Vec<Duplicates>, DbError> {
        let ids = groups.iter().flat_map(|group| group.members.clone());
        let mut assets = self.find_seen(actor, ids.collect()).await?;
        let all: Vec<Asset> = assets.values().cloned().collect();
        let ids: Vec<AssetId> = all.iter().map(|asset| asset.id).collect();
        let mut places = self.list_locations_of(actor, &all).await?;
        let claims = claim::list_all(self, &ids).await?;
        let list = ids.iter().map(|id| Value::from(*id)).collect();
        let mut qualities = HashMap::new();
        for row in self.fetch_list(LIST_QUALITIES, args![], list).await? {
            let numbers: (Option<f64>, Option<f64>) = (row.get(1)?, row.get(2)?);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "was a f32 when it was stored"
            )]
            let quality = numbers
                .0
                .zip(numbers.1)
                .map(|(sharpness, clipped)| Quality {
                    sharpness: sharpness as f32,
                    clipped: clipped as f32,
                });
            qualities.insert(row.get::<AssetId>(0)?, quality);
        }
        let mut described = Vec::with_capacity(groups.len());
        for group in groups {
            let mut members = Vec::with_capacity(group.members.len());
            let mut contenders = Vec::with_capacity(group.members.len());
            for id in &group.members {
                // Between two statements somebody may have taken it away.
                let Some(asset) = assets.remove(id) else {
                    continue;
                };
                let own = claims.get(id).map_or(&[][..], Vec::as_slice);
                let mut places = places.remove(id).unwrap_or_default();
                places.retain(|place| place.gone_at_ms.is_none());
                let member = Member {
                    places,
                    quality: qualities.get(id).copied().flatten(),
                    rating: rating_of(own),
                    asset,
                };
                contenders.push(contender(&member, own));
                members.push(member);
            }
            let choice = choose(group.why, &contenders).filter(|_| members.len() > 1);
            described.push(Duplicates {
                group,
                members,
                choice,
            });
        }
        described.retain(|it| !it.members.is_empty());
        Ok(described)
    }
}

/// What a picture has for itself.
fn contender(member: &Member, claims: &[Claim]) -> Contender {
    /// What the bytes say, and not what the file is called.
    const STATED: f32 = 0.6;
    let asset = &member.asset;
    let side = |side: Option<i64>| side.unwrap_or_default().unsigned_abs();
    let says = |kind| {
        let believed = resolve(kind, claims).believed;
        believed.iter().any(|it| it.confidence >= STATED)
    };
    Contender {
        id: asset.id,
        pixels: side(asset.width) * side(asset.height),
        size_bytes: asset.size_bytes.unsigned_abs(),
        is_from_camera: says(ClaimKind::CameraModel),
        is_dated: says(ClaimKind::Date),
        is_placed: says(ClaimKind::Position),
        quality: member.quality,
        rating: member.rating,
        is_cover: asset.name.to_lowercase().contains("_cover"),
    }
}

fn rating_of(claims: &[Claim]) -> i64 {
    let believed = resolve(ClaimKind::Rating, claims).believed;
    match believed.first().map(|claim| claim.statement.value()) {
        Some(ClaimValue::Number(rating)) => *rating,
        _ => 0,
    }
}

fn no_group(id: AssetId) -> DbError {
    DbError::not_found("group of duplicates", id)
}
