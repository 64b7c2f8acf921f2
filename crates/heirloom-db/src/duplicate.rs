//! Pictures that there are several of: what each is told from others by, and which belong together.
//!
//! What is known of a picture is a copy of what an artifact says, kept beside it by `keep` alone and gone with it. Each picture
//! is compared once, with those whose fingerprints are nearly its own and with those that its camera took about then; what
//! belongs together is kept as pairs. Groups follow from these and from what people say, each time they are asked for
//! ([`list`]).

pub mod list;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heirloom_core::{
    ArtifactId, AssetId, ContentHash, FamilyId,
    duplicate::{
        BURST_S, Candidate, Index, Likeness, Miniature, Prints, SAME_MOMENT, SAME_PICTURE, Traits,
        likeness,
    },
};
use serde_json::Value as Json;

use crate::{
    Db, DbError, Tx,
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// What a picture is told from others by: the kind of artifact that says it.
pub const TRAITS: &str = "traits";

statements! {
    ADD = "INSERT INTO asset_traits (asset_id, artifact_id, prints, exact_hash, sharpness, clipped, is_compared)
        VALUES ($1, $2, $3, $4, $5, $6, FALSE)";
    DELETE = "DELETE FROM asset_traits WHERE asset_id = $1";
    HAS_NEW = "SELECT 1 FROM asset_traits t JOIN asset a ON a.id = t.asset_id
        WHERE NOT t.is_compared AND a.family_id = $1 LIMIT 1";
    LIST_ALL = "SELECT t.asset_id, t.artifact_id, t.prints, t.exact_hash, t.is_compared,
          CASE WHEN a.date_from_s = a.date_until_s THEN a.date_from_s END
        FROM asset_traits t JOIN asset a ON a.id = t.asset_id WHERE a.family_id = $1 ORDER BY t.asset_id";
    LIST_MINIATURES = "SELECT subject_id, payload FROM artifact WHERE id IN ({list})";
    LIST_CAMERAS = "SELECT subject_id, value FROM claim
        WHERE subject_id IN ({list}) AND kind IN ('camera_make', 'camera_model') AND undone_at_ms IS NULL
          AND NOT is_negation";
    ADD_PAIRS = "INSERT INTO alike (asset_id, other_id, why, likeness) VALUES {rows}
        ON CONFLICT (asset_id, other_id) DO NOTHING";
    SET_COMPARED = "UPDATE asset_traits SET is_compared = TRUE WHERE asset_id IN ({list})";
}

/// How many values an `ADD_PAIRS` row has.
const COLUMNS: usize = 4;
/// So many pairs are looked at at once: their miniatures are in memory together.
const AT_ONCE: usize = 2_000;
/// Of a burst, each picture is compared with so many that were taken after it.
const NEIGHBOURS: usize = 6;

/// A picture that is compared.
struct Known {
    asset: AssetId,
    artifact: ArtifactId,
    prints: Option<Prints>,
    exact_hash: Option<ContentHash>,
    is_compared: bool,
    /// The second in which it was taken, where that is known.
    taken_s: Option<i64>,
}

/// Two pictures, by their places among all, that are to be compared as a candidate says.
type Compared = (usize, usize, u8, (usize, usize));

/// What belongs together: why, and how alike they are.
type Pairs = BTreeMap<(AssetId, AssetId), (Likeness, f32)>;

impl Db {
    /// Compares pictures that were drawn since the last time with all others. Gives how many pairs belong together that
    /// were not known before.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn compare_pictures(&self, family: FamilyId) -> Result<usize, DbError> {
        let new = self.fetch_optional(HAS_NEW, args![family]).await?;
        if new.is_none() {
            return Ok(0);
        }
        let rows = self.fetch(LIST_ALL, args![family]).await?;
        let known = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // A library has many: nobody else waits for that.
        let finding = move || (could_be_same(&known), known);
        let found = tokio::task::spawn_blocking(finding).await;
        let (mut compared, known) =
            found.map_err(|error| DbError::Unavailable(error.to_string()))?;
        let bursts = could_be_burst(&known);
        compared.extend(bursts.iter().map(|(one, other)| (*one, *other, 0, (0, 0))));
        let moments = Moments::new(self, &known, &compared).await?;
        let mut pairs = same_hash(&known);
        for some in compared.chunks(AT_ONCE) {
            let miniatures = self.list_miniatures(&known, some).await?;
            for (one, other, turn, (part, other_part)) in some {
                let [one, other] = [&known[*one], &known[*other]];
                let seen = miniatures.get(&one.asset).zip(miniatures.get(&other.asset));
                let Some((mine, others)) = seen else { continue };
                let like = likeness(&mine.part(*part), *turn, &others.part(*other_part));
                let is_moment = moments.is_one(one, other);
                let why = match like {
                    like if like >= SAME_PICTURE && !is_moment => Likeness::Near,
                    like if like >= SAME_MOMENT && is_moment => Likeness::Burst,
                    _ => continue,
                };
                let pair = (one.asset.min(other.asset), one.asset.max(other.asset));
                let known = pairs.entry(pair).or_insert((why, like));
                // The very same picture stays that.
                if known.0 != Likeness::Exact && like > known.1 {
                    *known = (why, like);
                }
            }
        }
        let new = known.iter().filter(|it| !it.is_compared);
        let new: Vec<Value> = new.map(|it| Value::from(it.asset)).collect();
        let rows = pairs.iter().map(|((one, other), (why, likeness))| {
            args![*one, *other, why.as_str(), f64::from(*likeness)]
        });
        let mut tx = self.begin().await?;
        tx.execute_rows(ADD_PAIRS, COLUMNS, rows.collect()).await?;
        tx.execute_list(SET_COMPARED, args![], new).await?;
        tx.commit().await?;
        Ok(pairs.len())
    }

    /// The miniatures of those that are compared.
    async fn list_miniatures(
        &self,
        known: &[Known],
        compared: &[Compared],
    ) -> Result<HashMap<AssetId, Miniature>, DbError> {
        let of = compared.iter().flat_map(|(one, other, ..)| [one, other]);
        let of: BTreeSet<ArtifactId> = of.map(|at| known[*at].artifact).collect();
        let list = of.into_iter().map(Value::from).collect();
        let mut miniatures = HashMap::new();
        for row in self.fetch_list(LIST_MINIATURES, args![], list).await? {
            let payload: Option<String> = row.get(1)?;
            let traits = payload.and_then(|text| serde_json::from_str::<Traits>(&text).ok());
            if let Some(miniature) = traits.and_then(|traits| traits.miniature) {
                miniatures.insert(row.get(0)?, miniature);
            }
        }
        Ok(miniatures)
    }
}

/// Those of which one at least is new and whose fingerprints are nearly the same.
fn could_be_same(known: &[Known]) -> Vec<Compared> {
    let told: Vec<(usize, Prints)> = (known.iter().enumerate())
        .filter_map(|(at, it)| Some((at, it.prints?)))
        .collect();
    let prints: Vec<Prints> = told.iter().map(|(_, prints)| *prints).collect();
    let index = Index::new(&prints);
    let new = (0..told.len()).filter(|at| !known[told[*at].0].is_compared);
    new.flat_map(|at| index.candidates(at))
        // Two that are new find each other.
        .filter(|it| it.other < it.one || known[told[it.other].0].is_compared)
        .map(|it: Candidate| (told[it.one].0, told[it.other].0, it.turn, it.parts))
        .collect()
}

/// Those of which one at least is new and that were taken within seconds.
fn could_be_burst(known: &[Known]) -> Vec<(usize, usize)> {
    let dated = known
        .iter()
        .enumerate()
        .filter(|(_, it)| it.prints.is_some());
    let mut dated: Vec<(i64, usize)> = dated
        .filter_map(|(at, it)| Some((it.taken_s?, at)))
        .collect();
    dated.sort_unstable();
    let mut found = Vec::new();
    for (place, (second, one)) in dated.iter().enumerate() {
        let after = dated[place + 1..].iter().take(NEIGHBOURS);
        let after = after.take_while(|(other, _)| other - second <= BURST_S);
        let is_new =
            |(_, other): &&(i64, usize)| !known[*one].is_compared || !known[*other].is_compared;
        found.extend(after.filter(is_new).map(|(_, other)| (*one, *other)));
    }
    found
}

/// The very same pictures of which one at least is new, each with the first of them.
fn same_hash(known: &[Known]) -> Pairs {
    let mut first_of: HashMap<ContentHash, &Known> = HashMap::new();
    let mut pairs = Pairs::new();
    for it in known {
        let Some(hash) = it.exact_hash else { continue };
        let first = *first_of.entry(hash).or_insert(it);
        if first.asset != it.asset && !(first.is_compared && it.is_compared) {
            pairs.insert((first.asset, it.asset), (Likeness::Exact, 1.0));
        }
    }
    pairs
}

/// What camera took which of those that were taken within seconds.
struct Moments(HashMap<AssetId, BTreeSet<String>>);

impl Moments {
    async fn new(db: &Db, known: &[Known], compared: &[Compared]) -> Result<Self, DbError> {
        let mut asked: BTreeSet<AssetId> = BTreeSet::new();
        for (one, other, ..) in compared {
            let [one, other] = [&known[*one], &known[*other]];
            if are_close(one, other) {
                asked.extend([one.asset, other.asset]);
            }
        }
        let list = asked.into_iter().map(Value::from).collect();
        let mut cameras: HashMap<AssetId, BTreeSet<String>> = HashMap::new();
        for row in db.fetch_list(LIST_CAMERAS, args![], list).await? {
            cameras.entry(row.get(0)?).or_default().insert(row.get(1)?);
        }
        Ok(Self(cameras))
    }

    /// Whether one camera took both within seconds, and one after the other: in the same second, what shows the same is
    /// a copy.
    fn is_one(&self, one: &Known, other: &Known) -> bool {
        let camera = self.0.get(&one.asset);
        let is_later = one.taken_s != other.taken_s;
        are_close(one, other) && is_later && camera.is_some() && camera == self.0.get(&other.asset)
    }
}

fn are_close(one: &Known, other: &Known) -> bool {
    let apart_s = one.taken_s.zip(other.taken_s);
    apart_s.is_some_and(|(one, other)| one.abs_diff(other) <= BURST_S.unsigned_abs())
}

/// Keeps what a picture is told from others by, if that is what an artifact says, in the place of what was known before:
/// it is compared anew.
pub(crate) async fn keep(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
    (kind, payload): (&str, Option<&Json>),
) -> Result<(), DbError> {
    let traits = payload.filter(|_| kind == TRAITS);
    let Some(Ok(traits)) = traits.map(<Traits as serde::Deserialize>::deserialize) else {
        return Ok(());
    };
    delete(tx, asset).await?;
    let prints = traits.miniature.map(|miniature| {
        let prints = miniature.prints().into_iter();
        prints.flat_map(u64::to_be_bytes).collect::<Vec<u8>>()
    });
    let quality = traits.quality;
    let values = args![
        asset,
        artifact,
        prints,
        traits.exact_hash,
        quality.map(|it| f64::from(it.sharpness)),
        quality.map(|it| f64::from(it.clipped)),
    ];
    tx.execute(ADD, values).await?;
    Ok(())
}

/// Forgets it.
pub(crate) async fn delete(tx: &mut Tx, asset: AssetId) -> Result<(), DbError> {
    tx.execute(DELETE, args![asset]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Known, DbError> {
    let prints: Option<Vec<u8>> = row.get(2)?;
    Ok(Known {
        asset: row.get(0)?,
        artifact: row.get(1)?,
        prints: prints.as_deref().and_then(read_prints),
        exact_hash: row.get(3)?,
        is_compared: row.get(4)?,
        taken_s: row.get(5)?,
    })
}

fn read_prints(bytes: &[u8]) -> Option<Prints> {
    let prints = bytes.as_chunks::<8>().0.iter();
    let prints: Vec<u64> = prints.map(|bytes| u64::from_be_bytes(*bytes)).collect();
    prints.try_into().ok()
}
