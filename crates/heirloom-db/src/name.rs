//! The names by which assets are asked for: of people, places, cameras and tags.
//!
//! What an asset has of them stands beside it, and triggers count them for each audience (migration 0020), so
//! that what could be typed is looked up in a table of names and never among the assets.

use std::collections::{BTreeMap, HashMap};

use heirloom_core::{
    AssetId,
    claim::{Claim, ClaimKind, believed_texts},
    tag::Noun,
    text::Phrase,
};

use crate::{
    DbError, Tx, claim,
    place::{self, Made, Placed},
    sql::statements,
    value::{Value, args},
};

/// The longest name that is counted, in bytes, as it is written and as its words; an index holds no more. A
/// longer one is found like any other, but nobody is offered it.
const NAME_BYTES: usize = 300;

statements! {
    LIST = "SELECT id, names FROM asset WHERE id IN ({list})";
    STORE = "UPDATE asset SET names = $2 WHERE id = $1";
    LIST_PLACED = "SELECT id, country, region, place FROM asset WHERE id > $1 ORDER BY id LIMIT $2";
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    Person,
    /// A place, and the region that it is in.
    Place,
    /// The country that a place is in, in each language in which it is found, and the German names of the
    /// place and the region.
    Country,
    /// Make or model.
    Camera,
    /// A tag; one of the vocabulary in every language.
    Tag,
}

impl Named {
    /// The word used in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Place => "place",
            Self::Country => "country",
            Self::Camera => "camera",
            Self::Tag => "tag",
        }
    }
}

/// The names of an asset as they are stored: each once, however it is spelt. Nothing where it has none.
pub(crate) fn names_of(
    claims: &[Claim],
    placed: Option<&Placed>,
    made: Option<&Made>,
) -> Option<String> {
    const SAID: [(ClaimKind, Named); 6] = [
        (ClaimKind::Person, Named::Person),
        (ClaimKind::Speaker, Named::Person),
        (ClaimKind::Shown, Named::Person),
        (ClaimKind::CameraMake, Named::Camera),
        (ClaimKind::CameraModel, Named::Camera),
        (ClaimKind::Tag, Named::Tag),
    ];
    let mut names: BTreeMap<(Named, String), &str> = BTreeMap::new();
    let mut add = |named, name| {
        if let Some(words) = words_of(name) {
            names.entry((named, words)).or_insert(name);
        }
    };
    for (kind, named) in SAID {
        // Few assets have claims of every kind.
        if claims.iter().all(|claim| claim.statement.kind() != kind) {
            continue;
        }
        for name in believed_texts(kind, claims) {
            add(named, name);
            if let Some(noun) = Noun::find(name).filter(|_| named == Named::Tag) {
                noun.names().into_iter().for_each(|name| add(named, name));
            }
        }
    }
    if let Some(placed) = placed {
        add(Named::Place, &placed.name);
        add(Named::Place, &placed.region);
    }
    for word in made.map_or(&[][..], Made::other_words) {
        add(Named::Country, word);
    }
    let names: Vec<_> = names
        .iter()
        .map(|((named, words), name)| (named.as_str(), words, name))
        .collect();
    (!names.is_empty()).then(|| serde_json::json!(names).to_string())
}

/// The words of a name, by which it is looked up; nothing for what is not counted.
fn words_of(name: &str) -> Option<String> {
    let is_short = |text: &str| text.len() <= NAME_BYTES;
    if !is_short(name) || name.contains(char::is_control) {
        return None;
    }
    let words = Phrase::new(name, false)?.tokens().join(" ");
    is_short(&words).then_some(words)
}

/// Stores the names of assets, of those that have others than are stored.
pub(crate) async fn store(
    tx: &mut Tx,
    wanted: Vec<(AssetId, Option<String>)>,
) -> Result<(), DbError> {
    let list = wanted.iter().map(|(id, _)| Value::from(*id)).collect();
    let mut stored: HashMap<AssetId, Option<String>> = HashMap::new();
    for row in tx.fetch_list(LIST, args![], list).await? {
        stored.insert(row.get(0)?, row.get(1)?);
    }
    for (id, names) in wanted {
        if stored.get(&id) != Some(&names) {
            tx.execute(STORE, args![id, names]).await?;
        }
    }
    Ok(())
}

/// Stores the names of assets that were there before they were kept: the end of migration 0020.
pub(crate) async fn fill(tx: &mut Tx) -> Result<(), DbError> {
    let mut after = vec![0; 16];
    loop {
        let rows = tx.fetch(LIST_PLACED, args![after, 256_i64]).await?;
        let mut placed: Vec<(AssetId, Option<Placed>)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let name: Option<String> = row.get(3)?;
            let mut at = None;
            if let Some(name) = name {
                at = Some(Placed {
                    country: row.get::<Option<String>>(1)?.unwrap_or_default(),
                    region: row.get::<Option<String>>(2)?.unwrap_or_default(),
                    name,
                });
            }
            placed.push((row.get(0)?, at));
        }
        let ids: Vec<AssetId> = placed.iter().map(|(id, _)| *id).collect();
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = last.as_bytes().to_vec();
        let claims = claim::list_of_assets(tx, &ids).await?;
        let made = place::list_made(tx, &ids).await?;
        let mut wanted = Vec::with_capacity(ids.len());
        for (id, placed) in placed {
            let claims = claims.get(&id).map_or(&[][..], Vec::as_slice);
            let made = made.get(&id).and_then(|made| made.last());
            wanted.push((id, names_of(claims, placed.as_ref(), made)));
        }
        store(tx, wanted).await?;
    }
}
