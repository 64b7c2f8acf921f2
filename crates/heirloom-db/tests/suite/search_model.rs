//! Search against a reading of every asset, one after the other: the same finds in the same order,
//! on both engines, whoever asks and however long the pages are.

use std::collections::BTreeSet;

use heirloom_core::{
    Actor, AssetId, AudienceId, Edtf, MediaKind,
    claim::ClaimKind,
    query::{DateRange, Matcher, Query, State, Term, TextField},
    role::Role,
    tag::Noun,
    text::Phrase,
};
use heirloom_db::{DbError, Engine, archive::Archive, search::Field};
use proptest::{prelude::*, sample::select};

use crate::harness::{Chance, File, OPERATOR, Store, asset_of, file, home, member, runtime};

/// More than one statement looks at, and more than are few.
const ASSETS: u64 = 2_800;

const WORDS: [&str; 24] = [
    "beach",
    "Beach",
    "bees",
    "be",
    "Oma",
    "oma",
    "Opa",
    "Müller",
    "muller",
    "Straße",
    "strasse",
    "海",
    "海の日",
    "2041",
    "204",
    "été",
    "a",
    "photo",
    "Photograph",
    "sand",
    "Sandburg",
    "New",
    "York",
    "ꞵ",
];
const DATES: [&str; 16] = [
    "1974",
    "1974-05",
    "1974-05-01",
    "1974-05-01T10:00:00",
    "1974-05-01T10:00:00Z",
    "197X",
    "19XX",
    "1942~",
    "1942/1950",
    "1940/..",
    "../1974",
    "1990-12-31",
    "2003-08-15T23:59:59",
    "2019-02",
    "1969-12-31T23:59:59",
    "1970-01-01",
];
const FOLDERS: [&str; 5] = ["", "2019", "2019/New York", "scans/oma", "a/b/sand"];

/// What a reading of the asset finds.
struct Known {
    id: AssetId,
    timeline_key: i64,
    texts: Vec<(Field, String)>,
    kind: MediaKind,
    date: Option<Edtf>,
    archive: usize,
    audience: AudienceId,
    is_deleted: bool,
    state: &'static str,
}

struct World {
    store: Store,
    audiences: Vec<AudienceId>,
    assets: Vec<Known>,
}

impl Chance {
    fn text(&mut self) -> String {
        let words = 1 + self.below(3);
        let words: Vec<&str> = (0..words).map(|_| WORDS[self.below(WORDS.len())]).collect();
        words.join([" ", "_", ", "][self.below(3)])
    }
}

fn draw(number: u64, chance: &mut Chance) -> (File, Known) {
    let name = format!("{} {number}.jpg", chance.text());
    let folder = FOLDERS[chance.below(FOLDERS.len())];
    let kind = MediaKind::ALL[chance.below(5)];
    let mut file = file(&name).in_folder(folder).of_kind(kind);
    let mut texts = vec![(Field::Name, name), (Field::Folder, folder.to_owned())];
    for (kind, field) in [
        (ClaimKind::Title, Field::Title),
        (ClaimKind::Caption, Field::Caption),
        (ClaimKind::Person, Field::Person),
        (ClaimKind::Person, Field::Person),
        (ClaimKind::Place, Field::Place),
        (ClaimKind::CameraMake, Field::Camera),
        (ClaimKind::CameraModel, Field::Camera),
        (ClaimKind::Tag, Field::Tag),
        (ClaimKind::Tag, Field::Tag),
        (ClaimKind::Author, Field::Author),
    ] {
        if chance.below(5) == 0 {
            let text = chance.text();
            file = file.says(kind, &text);
            // A tag of the vocabulary is found in every language.
            let noun = (kind == ClaimKind::Tag)
                .then(|| Noun::find(&text))
                .flatten();
            let names = noun.into_iter().flat_map(Noun::names);
            texts.extend(names.map(|name| (field, name.to_owned())));
            texts.push((field, text));
        }
    }
    let date = (chance.below(6) > 0).then(|| DATES[chance.below(DATES.len())]);
    if let Some(date) = date {
        file = file.dated(date);
    }
    let known = Known {
        id: uuid::Uuid::nil().into(),
        timeline_key: 0,
        texts,
        kind,
        date: date.map(|date| date.parse().unwrap()),
        archive: 0,
        audience: uuid::Uuid::nil().into(),
        is_deleted: chance.below(20) == 0,
        state: ["missing", "replaced", "present"][chance.below(20).min(2)],
    };
    (file, known)
}

async fn build(store: Store) -> World {
    let mut chance = Chance(7);
    let mut audiences = vec![store.family.audience_id];
    for name in ["parents", "children"] {
        audiences.push(
            store
                .db
                .create_audience(OPERATOR, store.family_id(), name)
                .await
                .unwrap(),
        );
    }
    let mut archives: Vec<Archive> = vec![store.archive.clone()];
    for (name, audience) in [("Attic", 1), ("Zweite", 2)] {
        let family = heirloom_db::family::Family {
            audience_id: audiences[audience],
            ..store.family.clone()
        };
        archives.push(
            store
                .db
                .create_archive(OPERATOR, &family, name, "/x")
                .await
                .unwrap(),
        );
    }
    let mut assets = Vec::new();
    for from in (0..ASSETS).step_by(100) {
        let archive = [0, 0, 1, 2][chance.below(4)];
        let (mut files, mut drawn) = (Vec::new(), Vec::new());
        for number in from..from + 100 {
            let (file, known) = draw(number, &mut chance);
            files.push(file);
            drawn.push(Known {
                archive,
                audience: audiences[archive],
                ..known
            });
        }
        let recorded = store.record_in(&archives[archive], files).await;
        for (recorded, known) in recorded.iter().zip(drawn) {
            let id = asset_of(recorded);
            let timeline_key = store.asset(id).await.timeline_key;
            assets.push(Known {
                id,
                timeline_key,
                ..known
            });
        }
    }
    let mut changes = String::new();
    for known in &assets {
        let id = store.literal(known.id.uuid());
        if known.is_deleted {
            changes += &format!("UPDATE asset SET deleted_at_ms = 1 WHERE id = {id};\n");
        }
        if known.state != "present" {
            changes += &format!(
                "UPDATE asset SET state = '{}' WHERE id = {id};\n",
                known.state
            );
        }
    }
    store.sql(&changes).await;
    store.db.rebuild_search(OPERATOR).await.unwrap();
    World {
        store,
        audiences,
        assets,
    }
}

/// What the archives are called, folded. The first is the whole family's, the others have an audience each.
const ARCHIVES: [&str; 3] = ["photos", "attic", "zweite"];

impl Known {
    fn has(&self, phrase: &Phrase, fields: &[Field]) -> bool {
        let mut texts = self
            .texts
            .iter()
            .filter(|(field, _)| fields.is_empty() || fields.contains(field));
        texts.any(|(_, text)| phrase.is_in(text))
    }

    fn matches(&self, matcher: &Matcher) -> bool {
        match matcher {
            Matcher::Words(phrase) => self.has(phrase, &[]),
            Matcher::Field { field, phrase } => self.has(
                phrase,
                &[match field {
                    TextField::Person => Field::Person,
                    TextField::Place => Field::Place,
                    TextField::Camera => Field::Camera,
                    TextField::Tag => Field::Tag,
                }],
            ),
            Matcher::Kind(kinds) => kinds.contains(&self.kind),
            Matcher::Date(range) => self.date.is_some_and(|date| {
                let (from, until) = date.interval();
                from.is_none_or(|from| range.until().is_none_or(|end| from <= end))
                    && until.is_none_or(|until| range.from().is_none_or(|begin| until >= begin))
            }),
            Matcher::Undated => self.date.is_none(),
            Matcher::Archive(name) => ARCHIVES[self.archive] == name.to_lowercase(),
            Matcher::Is(State::Missing) => self.state == "missing",
            Matcher::Is(State::Replaced) => self.state == "replaced",
            Matcher::Is(State::Deleted) => self.is_deleted,
            Matcher::Collection(_) | Matcher::Like(_) | Matcher::Shows(_) => {
                unreachable!("not asked here")
            }
        }
    }

    /// Whether it is among what such a query looks among.
    fn is_within(&self, query: &Query) -> bool {
        let asks_for = |state| {
            let matcher = Matcher::Is(state);
            query
                .terms
                .iter()
                .any(|term| !term.is_negated && term.matcher == matcher)
        };
        if asks_for(State::Deleted) {
            self.is_deleted
        } else if asks_for(State::Replaced) {
            !self.is_deleted && self.state == "replaced"
        } else {
            !self.is_deleted && self.state != "replaced"
        }
    }

    /// Whether each word of the query is in one of its names.
    fn is_called(&self, query: &Query) -> bool {
        let names = [Field::Title, Field::Person, Field::Place, Field::Tag];
        query
            .phrases()
            .iter()
            .all(|phrase| self.has(phrase, &names))
    }
}

impl World {
    /// Whether a query names an archive that is not there for whoever asks.
    fn names_a_hidden_archive(&self, actor: &Actor, query: &Query) -> bool {
        let sight = actor.sight(self.store.family_id());
        let is_hidden = |name: &String| {
            let at = ARCHIVES
                .iter()
                .position(|known| *known == name.to_lowercase());
            at.is_none_or(|at| !sight.includes(self.audiences[at]))
        };
        query.terms.iter().any(|term| match &term.matcher {
            Matcher::Archive(name) => is_hidden(name),
            _ => false,
        })
    }

    fn read_all(&self, actor: &Actor, query: &Query) -> Vec<AssetId> {
        let sight = actor.sight(self.store.family_id());
        let mut found: Vec<&Known> = self
            .assets
            .iter()
            .filter(|known| sight.includes(known.audience) && known.is_within(query))
            .filter(|known| {
                query
                    .terms
                    .iter()
                    .all(|term| known.matches(&term.matcher) != term.is_negated)
            })
            .collect();
        found.sort_by_key(|known| {
            (
                !known.is_called(query),
                std::cmp::Reverse(known.timeline_key),
            )
        });
        found.into_iter().map(|known| known.id).collect()
    }

    /// What search finds on its first pages, and whether that is all.
    async fn search(&self, actor: &Actor, query: &Query, limit: usize) -> (Vec<AssetId>, bool) {
        let (mut found, mut after) = (Vec::new(), None);
        for _page in 0..4 {
            let page = self
                .store
                .db
                .search(actor, self.store.family_id(), query, after, limit)
                .await
                .unwrap();
            // What words were looked for can be shown wherever something was found.
            let is_explained =
                query.phrases().is_empty() || page.items.iter().all(|hit| !hit.matches.is_empty());
            assert!(is_explained, "{query}");
            found.extend(page.items.into_iter().map(|hit| hit.asset.id));
            after = page.next;
            if after.is_none() {
                return (found, true);
            }
        }
        (found, false)
    }
}

fn phrases() -> impl Strategy<Value = Phrase> {
    let one = select(WORDS.to_vec()).prop_map(str::to_owned);
    let two =
        (select(WORDS.to_vec()), select(WORDS.to_vec())).prop_map(|(a, b)| format!("{a} {b}"));
    let common = select(vec!["jpg", "j", "1", "12", "nowhere"]).prop_map(str::to_owned);
    let text = prop_oneof![4 => one, 2 => two, 2 => common];
    let begun = (text, any::<bool>(), 1..4_usize).prop_map(|(text, is_prefix, chars)| {
        let short: String = text.chars().take(chars).collect();
        Phrase::new(if is_prefix { &short } else { &text }, is_prefix)
    });
    begun.prop_filter_map("words", |phrase| phrase)
}

fn ranges() -> impl Strategy<Value = DateRange> {
    let end = prop_oneof![
        select(DATES.to_vec()).prop_map(|date| date.parse::<Edtf>().unwrap().sort_key()),
        -3_000_000_000_i64..2_000_000_000,
    ];
    let ends = (
        proptest::option::weighted(0.8, end.clone()),
        proptest::option::weighted(0.8, end),
        any::<bool>(),
    );
    ends.prop_filter_map("a range", |(from, until, is_day)| {
        let until = if is_day {
            from.map(|from| from + 86_399)
        } else {
            until
        };
        DateRange::new(from, until).or_else(|| DateRange::new(until, from))
    })
}

fn matchers() -> impl Strategy<Value = Matcher> {
    let field = select(vec![
        TextField::Person,
        TextField::Place,
        TextField::Camera,
        TextField::Tag,
    ]);
    let kinds = proptest::collection::btree_set(select(MediaKind::ALL.to_vec()), 1..4);
    prop_oneof![
        6 => phrases().prop_map(Matcher::Words),
        3 => (field, phrases()).prop_map(|(field, phrase)| Matcher::Field { field, phrase }),
        2 => kinds.prop_map(|kinds: BTreeSet<_>| Matcher::Kind(kinds.into_iter().collect())),
        3 => ranges().prop_map(Matcher::Date),
        1 => Just(Matcher::Undated),
        1 => select(vec!["photos", "Attic", "ZWEITE"]).prop_map(|name| Matcher::Archive(name.to_owned())),
        1 => select(State::ALL.to_vec()).prop_map(Matcher::Is),
    ]
}

fn queries() -> impl Strategy<Value = Query> {
    let term =
        (matchers(), proptest::bool::weighted(0.25)).prop_map(|(matcher, is_negated)| Term {
            is_negated,
            matcher,
        });
    proptest::collection::vec(term, 0..5).prop_map(|terms| Query {
        terms,
        ..Query::default()
    })
}

fn search_finds_what_reading_everything_finds(engine: Engine) {
    let (home, location) = home(engine);
    let runtime = runtime();
    let world = runtime.block_on(async { build(Store::open(home, location).await).await });
    let limits = select(vec![1, 7, 50, 900]);
    let sights = proptest::collection::vec(any::<bool>(), 3);
    proptest!(ProptestConfig::with_cases(300), |(query in queries(), limit in limits, sight in sights)| {
        let audiences: Vec<AudienceId> = world.audiences.iter().zip(&sight)
            .filter_map(|(audience, is_seen)| is_seen.then_some(*audience))
            .collect();
        let actor = member(world.store.family_id(), Role::Viewer, &audiences);
        let actor = if audiences.is_empty() { OPERATOR } else { &actor };
        if world.names_a_hidden_archive(actor, &query) {
            let family = world.store.family_id();
            let refused = runtime.block_on(world.store.db.search(actor, family, &query, None, limit));
            prop_assert!(matches!(refused, Err(DbError::NotFound { .. })), "{query}");
            return Ok(());
        }
        let expected = world.read_all(actor, &query);
        let (found, is_all) = runtime.block_on(world.search(actor, &query, limit));
        prop_assert_eq!(&found[..], expected.get(..found.len()).unwrap_or(&expected), "{}", query);
        prop_assert_eq!(is_all, found.len() == expected.len(), "{}", query);
    });
}

#[test]
fn search_finds_what_reading_everything_finds_on_sqlite() {
    search_finds_what_reading_everything_finds(Engine::Sqlite);
}

#[test]
fn search_finds_what_reading_everything_finds_on_postgres() {
    search_finds_what_reading_everything_finds(Engine::Postgres);
}
