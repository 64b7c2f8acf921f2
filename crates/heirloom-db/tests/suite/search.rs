//! What a query finds, in which order and why.

use heirloom_core::{
    MediaKind,
    claim::ClaimKind::{CameraMake, CameraModel, Caption, Person, Place, Tag, Title},
};
use heirloom_db::{DbError, search::Field};

use crate::harness::{OPERATOR, Store, file, on_both_engines};

/// A small archive in which each query of the table below has its answer.
async fn fill(store: &Store) {
    store
        .record([
            file("IMG_2041.jpg")
                .in_folder("2019/Ostsee")
                .dated("2019-07-14T15:00:00")
                .says(Person, "Anna Müller")
                .says(Place, "Kühlungsborn")
                .says(Tag, "Strand")
                .says(CameraMake, "Leica")
                .says(CameraModel, "M6"),
            file("IMG_2042.jpg")
                .in_folder("2019/Ostsee")
                .dated("2019-07-14T15:00:05")
                .says(Caption, "Anna läuft am Strand entlang")
                .says(CameraMake, "Canon"),
            file("film.mp4").of_kind(MediaKind::Video).dated("2003-05"),
            file("letter.pdf")
                .of_kind(MediaKind::Document)
                .dated("1942~")
                .says(Title, "Brief an Oma")
                .says(Caption, "über den Strand von Rerik"),
            file("tape.mp3")
                .of_kind(MediaKind::Audio)
                .in_folder("tapes"),
            file("wedding.jpg")
                .in_folder("scans/oma")
                .dated("195X")
                .says(Person, "Oma")
                .says(Person, "Opa"),
            file("old.jpg")
                .in_folder("scans")
                .dated("1900/1950")
                .says(Place, "Strandweg, Rerik"),
            file("海の日.jpg").in_folder("scans").dated("../1960"),
        ])
        .await;
    let attic = store
        .db
        .create_archive(OPERATOR, &store.family, "Dachböden", "/attic")
        .await
        .unwrap();
    store
        .record_in(&attic, [file("attic.jpg").dated("1960/..")])
        .await;
}

#[rustfmt::skip]
const CASES: [(&str, &[&str]); 52] = [
    ("", &["IMG_2042.jpg", "IMG_2041.jpg", "film.mp4", "海の日.jpg", "attic.jpg", "wedding.jpg", "letter.pdf", "old.jpg", "tape.mp3"]),
    ("jpg", &["IMG_2042.jpg", "IMG_2041.jpg", "海の日.jpg", "attic.jpg", "wedding.jpg", "old.jpg"]),
    // What is called so comes first, then what mentions it; each newest first.
    ("strand", &["IMG_2041.jpg", "IMG_2042.jpg", "letter.pdf"]),
    ("oma", &["wedding.jpg", "letter.pdf"]),
    ("anna", &["IMG_2041.jpg", "IMG_2042.jpg"]),
    ("strand anna", &["IMG_2041.jpg", "IMG_2042.jpg"]),
    ("strand rerik", &["letter.pdf"]),
    // Spellings.
    ("MÜLLER", &["IMG_2041.jpg"]),
    ("muller", &["IMG_2041.jpg"]),
    ("kuhlungsborn", &["IMG_2041.jpg"]),
    ("海", &["海の日.jpg"]),
    ("海の", &["海の日.jpg"]),
    ("2041", &["IMG_2041.jpg"]),
    ("img_2041.jpg", &["IMG_2041.jpg"]),
    // Phrases and beginnings.
    ("\"am strand\"", &["IMG_2042.jpg"]),
    ("\"strand am\"", &[]),
    ("stra*", &["IMG_2041.jpg", "old.jpg", "IMG_2042.jpg", "letter.pdf"]),
    ("\"am str\"*", &["IMG_2042.jpg"]),
    ("s*", &["IMG_2041.jpg", "old.jpg", "IMG_2042.jpg", "海の日.jpg", "wedding.jpg", "letter.pdf"]),
    ("\"oma wedding\"", &[]),
    // Not.
    ("jpg -strand", &["海の日.jpg", "attic.jpg", "wedding.jpg", "old.jpg"]),
    ("-jpg", &["film.mp4", "letter.pdf", "tape.mp3"]),
    ("-jpg -mp4 -\"an oma\"", &["tape.mp3"]),
    ("-s* -type:video", &["attic.jpg", "tape.mp3"]),
    // Fields.
    ("person:anna", &["IMG_2041.jpg"]),
    ("person:\"anna muller\"", &["IMG_2041.jpg"]),
    ("person:\"muller anna\"", &[]),
    ("person:op*", &["wedding.jpg"]),
    ("person:oma person:opa", &["wedding.jpg"]),
    ("place:rerik", &["old.jpg"]),
    ("place:strand*", &["old.jpg"]),
    ("camera:leica", &["IMG_2041.jpg"]),
    ("camera:m6", &["IMG_2041.jpg"]),
    ("tag:strand", &["IMG_2041.jpg"]),
    ("strand -tag:strand", &["IMG_2042.jpg", "letter.pdf"]),
    // Types.
    ("type:video", &["film.mp4"]),
    ("type:audio,document", &["letter.pdf", "tape.mp3"]),
    ("-type:image", &["film.mp4", "letter.pdf", "tape.mp3"]),
    // Dates by what they may mean.
    ("date:2019", &["IMG_2042.jpg", "IMG_2041.jpg", "attic.jpg"]),
    ("date:2003-05-17", &["film.mp4", "attic.jpg"]),
    ("date:1942", &["海の日.jpg", "letter.pdf", "old.jpg"]),
    ("date:195X", &["海の日.jpg", "wedding.jpg", "old.jpg"]),
    ("date:..1899", &["海の日.jpg"]),
    ("date:2030..", &["attic.jpg"]),
    ("date:none", &["tape.mp3"]),
    ("-date:none strand", &["IMG_2041.jpg", "IMG_2042.jpg", "letter.pdf"]),
    ("-date:1940..2030", &["tape.mp3"]),
    ("date:1900..2030 -date:1950..2010", &["IMG_2042.jpg", "IMG_2041.jpg", "letter.pdf"]),
    ("date:1950..1960 date:1940..1951 jpg", &["海の日.jpg", "wedding.jpg", "old.jpg"]),
    // Archives.
    ("archive:dachboden", &["attic.jpg"]),
    ("-archive:DACHBÖDEN type:image -strand*", &["海の日.jpg", "wedding.jpg"]),
    ("date:none date:1974", &[]),
];

on_both_engines! {
    async fn queries_find_what_they_say(store: Store) {
        fill(&store).await;
        for (query, names) in CASES {
            assert_eq!(store.find(query).await, names, "{query}");
        }
        store.db.rebuild_search(OPERATOR).await.unwrap();
        for (query, names) in CASES {
            assert_eq!(store.find(query).await, names, "{query}, after the index was made anew");
        }
    }

    async fn a_find_says_why(store: Store) {
        fill(&store).await;
        let why = |query: &'static str| {
            let store = &store;
            async move {
                let page = store.search_as(OPERATOR, query).await.unwrap();
                let matches = page.items[0].matches.iter().map(|found| {
                    let marked = found.snippet.highlights.iter().map(|range| &found.snippet.text[range.clone()]);
                    (found.field, marked.map(str::to_owned).collect::<Vec<_>>())
                });
                matches.collect::<Vec<_>>()
            }
        };
        let marked = |field, words: &[&str]| (field, words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(why("muller").await, [marked(Field::Person, &["Müller"])]);
        assert_eq!(why("ostsee strand").await, [marked(Field::Caption, &["Strand"]), marked(Field::Folder, &["Ostsee"])]);
        assert_eq!(why("\"am stra\"*").await, [marked(Field::Caption, &["am Strand"])]);
        assert_eq!(why("camera:m6").await, [marked(Field::Camera, &["M6"])]);
        assert_eq!(why("letter").await, [marked(Field::Name, &["letter"])]);
        assert_eq!(why("type:video").await, []);
    }

    async fn what_cannot_be_searched_is_said(store: Store) {
        fill(&store).await;
        let id = store.db.list_assets(OPERATOR, store.family_id(), None, 1).await.unwrap().items[0].id;
        let refusals = [
            ("archive:cellar", "there is no archive cellar"),
            ("in:favourites", "there is no collection favourites"),
            (&format!("like:{id}"), "nobody has looked at the asset"),
        ];
        for (query, message) in refusals {
            let error = store.search_as(OPERATOR, query).await.unwrap_err();
            assert!(matches!(error, DbError::NotFound { .. } | DbError::Refused(_)), "{error:?}");
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }

    async fn collections_are_searched_by_name_and_archives_by_id_as_well(store: Store) {
        fill(&store).await;
        let assets = store.db.list_assets(OPERATOR, store.family_id(), None, 10).await.unwrap().items;
        store.collect("Für Oma", store.family.audience_id, &[assets[0].id, assets[2].id]).await;
        assert_eq!(store.find("in:\"fur oma\"").await, ["IMG_2042.jpg", "film.mp4"]);
        assert_eq!(store.find("in:\"Für Oma\" strand").await, ["IMG_2042.jpg"]);
        assert_eq!(store.find("-in:\"für oma\" strand").await, ["IMG_2041.jpg", "letter.pdf"]);
        let archive = store.archive.id;
        assert_eq!(store.find(&format!("archive:{archive} type:video")).await, ["film.mp4"]);
    }

    async fn a_page_has_at_least_one_find(store: Store) {
        fill(&store).await;
        let query = "jpg".parse().unwrap();
        let page = store.db.search(OPERATOR, store.family_id(), &query, None, 0).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (1, true));
    }
}
