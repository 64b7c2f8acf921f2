//! Whatever is typed and whatever stands in files: it is searched or refused, and never an error.

use heirloom_core::{
    claim::ClaimKind::{Caption, Person, Place, Tag, Title},
    query::Query,
};
use heirloom_db::{DbError, Engine};
use proptest::prelude::*;

use crate::harness::{OPERATOR, Store, file, home, on_both_engines, runtime};

/// What means something to one of the two engines, or to SQL.
const HOSTILE: [&str; 28] = [
    "'",
    "\"",
    "''",
    "\\",
    "\\'",
    "';DROP TABLE asset;--",
    "*",
    "^",
    "NEAR(a b)",
    "AND",
    "OR NOT",
    "a AND b",
    "{words}: x",
    "words:x",
    ":*",
    "&",
    "|",
    "!",
    "<->",
    "<2>",
    "(",
    "))",
    "$1",
    "?",
    "/*pg x */",
    "{list}",
    "\u{0}",
    "_shown_x",
];

fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        2 => "\\PC{0,12}",
        1 => any::<String>(),
        2 => proptest::sample::select(vec!["beach", "person:", "-", "\"", "tag:x*", "date:1974", "is:deleted", "type:image"])
            .prop_map(str::to_owned),
    ];
    (proptest::collection::vec(piece, 0..8), any::<bool>())
        .prop_map(|(pieces, spaced)| pieces.join(if spaced { " " } else { "" }))
}

fn nothing_typed_is_an_error(engine: Engine) {
    let (home, location) = home(engine);
    let runtime = runtime();
    let store = runtime.block_on(async {
        let store = Store::open(home, location).await;
        store
            .add(file("beach.jpg").dated("1974").says(Tag, "x"))
            .await;
        store
    });
    proptest!(ProptestConfig::with_cases(400), |(text in typed())| {
        let Ok(query) = text.parse::<Query>() else { return Ok(()) };
        let found = runtime.block_on(store.db.search(OPERATOR, store.family_id(), &query, None, 5));
        // Names of archives and collections may be wrong, and pictures are not compared yet.
        let is_answered = matches!(found, Ok(_) | Err(DbError::NotFound { .. } | DbError::Refused(_)));
        prop_assert!(is_answered, "{:?}: {:?}", text, found);
    });
}

#[test]
fn nothing_typed_is_an_error_on_sqlite() {
    nothing_typed_is_an_error(Engine::Sqlite);
}

#[test]
fn nothing_typed_is_an_error_on_postgres() {
    nothing_typed_is_an_error(Engine::Postgres);
}

on_both_engines! {
    async fn what_stands_in_files_is_found_as_it_is(store: Store) {
        for (at, hostile) in HOSTILE.iter().enumerate() {
            let text = format!("word{at} {}", hostile.replace('\0', " "));
            let name = format!("{at} {}.jpg", hostile.replace(['\0', '/'], " "));
            store.add(file(&name).says(Title, &text).says(Caption, &text).says(Person, &text).says(Tag, &text)).await;
            for query in [format!("word{at}"), format!("person:word{at}"), format!("\"word{at} {}\"", hostile.replace('"', "\"\""))] {
                if let Ok(query) = query.parse::<Query>() {
                    let page = store.db.search(OPERATOR, store.family_id(), &query, None, 5).await.unwrap();
                    assert_eq!(page.items.len(), 1, "{query}");
                }
            }
        }
        assert_eq!(store.list().await.len(), HOSTILE.len());
    }

    async fn a_text_of_any_length_is_stored_and_found(store: Store) {
        // More words than a document holds, more repetitions than PostgreSQL counts, words longer
        // than any, in scripts of two and three bytes a letter.
        let many: String = (0..9_000).map(|n| format!("w{n} ")).collect();
        let long = "ж".repeat(20_000);
        let han = "海".repeat(20_000);
        let again = "echo ".repeat(12_000);
        let mut files = file("long.jpg").says(Title, "first words");
        for text in [&long, &han, &again, &many] {
            files = files.says(Tag, text);
        }
        for number in 0..80 {
            files = files.says(Place, &format!("{number}{}", "x y".repeat(300)));
        }
        store.add(files.says(Caption, &many)).await;
        for query in ["first", "w1", "w8000", "tag:w1", "echo", "\"echo echo\"", "海", "tag:жжж*", "long"] {
            assert_eq!(store.find(query).await, ["long.jpg"], "{query}");
        }
        let id = store.db.list_assets(OPERATOR, store.family_id(), None, 1).await.unwrap().items[0].id;
        store.say(id, Title, "other words").await;
        assert_eq!(store.find("other").await, ["long.jpg"]);
        assert_eq!(store.find("first").await, Vec::<String>::new());
    }

    async fn a_query_of_every_size_is_answered(store: Store) {
        store.add(file("a.jpg")).await;
        let terms = |term: &str, count: usize| vec![term; count].join(" ");
        for query in [
            terms("a", 50),
            terms("-b", 50),
            terms("a*", 50),
            (0..50).map(|n| format!("-date:{} ", 1900 + n)).collect(),
            format!("\"{}\"", terms("a", 900)),
            terms("date:1974..1980", 50),
            "x".repeat(2_000),
        ] {
            let query: Query = query.parse().unwrap();
            store.db.search(OPERATOR, store.family_id(), &query, None, 5).await.unwrap();
        }
    }
}
