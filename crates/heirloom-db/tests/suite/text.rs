//! What stands in documents: found from the transaction on that stores it, and gone with it.

use std::collections::BTreeSet;

use heirloom_core::{
    AssetId, MediaKind, Strip, Subject,
    claim::ClaimKind::{self, Caption},
    reading::{Corners, Spot},
    run::RunEvent,
};
use heirloom_db::{
    artifact::{Derived, NewArtifact, Part, Payload, Recipe, artifact_key},
    claim::NewClaim,
    plan::{Aim, Parameters, Wanted},
    search::Field,
    text::Text,
    unit::{Ended, Outcome},
    workpiece::Workpiece,
};
use serde_json::{Value as Json, json};

use crate::harness::{OPERATOR, Store, claim, file, on_both_engines};

impl Store {
    /// Has a version of a tool read these words in an asset.
    async fn read(&self, asset: AssetId, version: i64, words: &str) {
        let text = Text::written(words.to_owned());
        self.find_in(asset, (version, ""), text).await;
    }

    /// Has a version of a tool, with a model, find this text in an asset.
    pub(crate) async fn find_in(&self, asset: AssetId, made_by: (i64, &str), text: Text) {
        let tool = if text.times.is_empty() {
            "text"
        } else {
            "transcript"
        };
        let payload = Payload::Text {
            json: Some(json!({ "pages": [{ "text": text.words }] })),
            blob: None,
            text,
        };
        self.derive(asset, tool, made_by, payload, Vec::new()).await;
    }

    /// Has a tool of that name make something of an asset.
    pub(crate) async fn derive(
        &self,
        asset: AssetId,
        tool: &'static str,
        (version, model): (i64, &str),
        payload: Payload,
        claims: Vec<NewClaim>,
    ) {
        let run = self
            .db
            .create_deriving_run(
                OPERATOR,
                self.family_id(),
                "prepare",
                &Parameters::default(),
                &[tool],
            )
            .await
            .unwrap();
        self.db
            .advance_run(OPERATOR, run.id, RunEvent::Start, None)
            .await
            .unwrap();
        let wanted = |asset: &Workpiece, _: &Parameters| {
            let recipe = Recipe {
                kind: tool,
                part: Part::Whole,
                tool: (tool, version),
                model,
                parameters: &Json::Null,
                inputs: &[asset.content_hash],
            };
            vec![Wanted {
                step: tool,
                tool: (tool, version),
                model: model.to_owned(),
                key: Some(artifact_key(asset.family_id, asset.id, &recipe)),
            }]
        };
        let planned = self.db.plan_run(run.id, 100, Aim::Complete, wanted).await;
        planned.unwrap();
        let ready = self.db.list_ready_units(run.id, tool, 100).await.unwrap();
        let leases = self.db.lease_units(&ready, 60_000).await.unwrap();
        let lease = leases
            .into_iter()
            .find(|lease| lease.asset == asset)
            .unwrap();
        let artifact = NewArtifact {
            kind: tool,
            part: Part::Whole,
            tool,
            tool_version: version,
            model: model.to_owned(),
            parameters: Json::Null,
            is_deterministic: true,
            inputs: vec![self.asset(asset).await.content_hash],
            payload,
        };
        let ended = Ended {
            lease,
            outcome: Outcome::Done(vec![Derived { artifact, claims }]),
            has_crashed: false,
            duration_ms: 1,
            log: None,
            measures: None,
        };
        assert_eq!(self.db.end_units(run.id, &[ended]).await.unwrap(), []);
    }
}

/// Words of 200 ms that begin then.
fn spoken_at(starts_ms: &[u64]) -> Vec<(u64, u64)> {
    let starts_ms = starts_ms.iter();
    starts_ms.map(|start| (*start, start + 200)).collect()
}

on_both_engines! {
    async fn a_document_is_found_by_what_stands_in_it(store: Store) {
        let letter = store.add(file("letter.pdf").of_kind(MediaKind::Document)).await;
        store.add(file("other.pdf").of_kind(MediaKind::Document)).await;
        assert_eq!(store.find("äpfel").await, Vec::<String>::new());
        store.read(letter, 1, "Liebe Anna,\ndie Äpfel sind reif.\0").await;
        for query in ["äpfel", "apfel*", "\"die Äpfel sind\"", "letter reif"] {
            assert_eq!(store.find(query).await, ["letter.pdf"], "{query}");
        }
        let found = store.search_as(OPERATOR, "reif letter").await.unwrap().items;
        let fields: Vec<Field> = found[0].matches.iter().map(|found| found.field).collect();
        assert_eq!(fields, [Field::Name, Field::Text]);
        assert_eq!(&found[0].matches[1].snippet.text, "Liebe Anna, die Äpfel sind reif.");
    }

    async fn what_people_say_explains_a_find_before_what_a_machine_read(store: Store) {
        let letter = store.add(file("letter.pdf").of_kind(MediaKind::Document)).await;
        store.read(letter, 1, "the apples are ripe").await;
        store.say(letter, Caption, "about apples").await;
        let found = store.search_as(OPERATOR, "apples").await.unwrap().items;
        let fields: Vec<Field> = found[0].matches.iter().map(|found| found.field).collect();
        assert_eq!(fields, [Field::Caption]);
        // The text is found still when its asset's document was made anew.
        assert_eq!(store.find("ripe").await, ["letter.pdf"]);
    }

    async fn a_newer_text_takes_the_place_of_an_older_one_and_the_index_can_be_made_anew(store: Store) {
        let letter = store.add(file("letter.pdf").of_kind(MediaKind::Document)).await;
        store.read(letter, 1, "rotten applcs").await;
        store.read(letter, 2, "rotten apples").await;
        for _ in 0..2 {
            assert_eq!(store.find("applcs").await, Vec::<String>::new());
            assert_eq!(store.find("apples").await, ["letter.pdf"]);
            store.db.rebuild_search(OPERATOR).await.unwrap();
        }
    }

    async fn what_is_said_is_found_with_when_it_is_said(store: Store) {
        let tape = store.add(file("tape.wav").of_kind(MediaKind::Audio)).await;
        let words = "Wir fuhren ans Meer.\nDer Zug kam spät.\n".to_owned();
        let heard = Text { words, times: spoken_at(&[400, 700, 900, 1_200, 5_200, 5_400, 5_600, 5_800]), ..Text::default() };
        store.find_in(tape, (1, "whisper"), heard).await;
        let found = store.search_as(OPERATOR, "zug").await.unwrap().items;
        let found = &found[0].matches[0];
        assert_eq!((found.field, found.at_ms), (Field::Spoken, Some(5_400)));
        assert_eq!(found.snippet.text, "Der Zug kam spät.");
    }

    async fn what_stands_in_a_film_and_what_is_said_in_it_are_found_with_when(store: Store) {
        let film = store.add(file("film.mp4").of_kind(MediaKind::Video)).await;
        let spot = |at_ms| Spot { at_ms: Some(at_ms), corners: Some(Corners::of_rectangle([0.25, 0.25, 0.5, 0.125])), page: None };
        let read = || Text { words: "Summer at the lake\n1962\n".to_owned(), spots: vec![spot(2_000), spot(4_000)], ..Text::default() };
        let heard = || Text { words: "Der Zug kam spät.\n".to_owned(), times: spoken_at(&[5_200, 5_400, 5_600, 5_800]), ..Text::default() };
        store.find_in(film, (1, "ocr"), read()).await;
        store.find_in(film, (2, "whisper"), heard()).await;
        // Either is made anew without the other.
        store.find_in(film, (3, "ocr"), read()).await;
        for _ in 0..2 {
            for (query, field, at_ms) in [("zug", Field::Spoken, 5_400), ("1962", Field::Text, 4_000), ("summer lake", Field::Text, 2_000)] {
                let found = store.search_as(OPERATOR, query).await.unwrap().items;
                let found = &found[0].matches[0];
                assert_eq!((found.field, found.at_ms), (field, Some(at_ms)), "{query}");
            }
            let both = store.search_as(OPERATOR, "zug summer").await.unwrap().items;
            let fields: Vec<Field> = both[0].matches.iter().map(|it| it.field).collect();
            assert_eq!(fields, [Field::Text, Field::Spoken]);
            store.db.rebuild_search(OPERATOR).await.unwrap();
        }
        // What people write down of what nobody heard is found beside what was read.
        let silent = store.add(file("silent.mp4").of_kind(MediaKind::Video)).await;
        store.find_in(silent, (1, "ocr"), read()).await;
        let at = Subject::segment(silent, "0-1400".parse().unwrap());
        store.db.make_claim(OPERATOR, at, claim(ClaimKind::Said, "We saw the harvest.")).await.unwrap();
        assert_eq!(store.find("harvest").await, ["silent.mp4"]);
        assert_eq!(store.find("1962 harvest").await, ["silent.mp4"]);
    }

    async fn what_is_said_is_found_to_its_end(store: Store) {
        let tape = store.add(file("tape.wav").of_kind(MediaKind::Audio)).await;
        let words: Vec<String> = (0..2_000).map(|n| format!("word{n}")).collect();
        let times: Vec<u64> = (0..2_000).map(|n| n * 300).collect();
        let heard = Text { words: words.join(" "), times: spoken_at(&times), ..Text::default() };
        store.find_in(tape, (1, "whisper"), heard).await;
        assert_eq!(store.find("word1999").await, ["tape.wav"]);
    }

    async fn what_is_read_is_found_with_where_it_stands(store: Store) {
        let letter = store.add(file("letter.pdf").of_kind(MediaKind::Document)).await;
        let spot = |page, left| Spot { page: Some(page), corners: Some(Corners::of_rectangle([left, 0.25, 0.5, 0.125])), at_ms: None };
        let read = Text {
            words: "Dear Karl,\nthe ferry runs again\nsince Sunday.\n".to_owned(),
            spots: vec![spot(1, 0.25), spot(1, 0.5), spot(2, 0.125)],
            ..Text::default()
        };
        store.find_in(letter, (1, "ocr"), read).await;
        let found = store.search_as(OPERATOR, "sunday").await.unwrap().items;
        let found = &found[0].matches[0];
        assert_eq!((found.field, found.spot), (Field::Text, Some(spot(2, 0.125))));
        assert_eq!(found.snippet.text, "since Sunday.");
        // What lies across lines is found, and stands in none of them.
        let found = store.search_as(OPERATOR, "\"again since\"").await.unwrap().items;
        assert_eq!((found.len(), found[0].matches[0].spot), (1, None));
    }

    async fn a_correction_is_found_in_the_place_of_what_was_heard_whatever_hears_it(store: Store) {
        let tape = store.add(file("tape.wav").of_kind(MediaKind::Audio)).await;
        let heard = |words: &str, times: &[u64]| Text { words: words.to_owned(), times: spoken_at(times), ..Text::default() };
        let small = heard("We saw the heart wrist.\nIt was late.\n", &[0, 300, 600, 900, 1_200, 3_000, 3_300, 3_600]);
        store.find_in(tape, (1, "small"), small).await;
        let at = Subject::segment(tape, "0-1400".parse().unwrap());
        let said = claim(ClaimKind::Said, "We saw the harvest.");
        let said = store.db.make_claim(OPERATOR, at.clone(), said).await.unwrap();
        let speaker = claim(ClaimKind::Speaker, "Grandmother Lotte");
        store.db.make_claim(OPERATOR, at, speaker).await.unwrap();
        let large = heard("We saw the hard vest.\nIt was late.\n", &[80, 380, 680, 980, 1_280, 3_080, 3_380, 3_680]);
        for (at_ms, better) in [(900, Some(large)), (980, None)] {
            assert_eq!(store.find("heart").await, Vec::<String>::new());
            let found = store.search_as(OPERATOR, "harvest").await.unwrap().items;
            let found = &found[0].matches[0];
            assert_eq!((found.field, found.at_ms), (Field::Spoken, Some(at_ms)));
            assert_eq!(found.snippet.text, "We saw the harvest.");
            assert_eq!(store.find("late").await, ["tape.wav"]);
            assert_eq!(store.find("person:lotte").await, ["tape.wav"]);
            store.db.rebuild_search(OPERATOR).await.unwrap();
            if let Some(better) = better {
                store.find_in(tape, (1, "large"), better).await;
            }
        }
        store.db.undo_claim(OPERATOR, tape, said.id, true).await.unwrap();
        assert_eq!(store.find("harvest").await, Vec::<String>::new());
        assert_eq!(store.find("vest").await, ["tape.wav"]);
    }

    async fn a_stretch_is_only_what_is_said_there(store: Store) {
        let tape = store.add(file("tape.wav").of_kind(MediaKind::Audio)).await;
        let at = Subject::segment(tape, "0-1400".parse().unwrap());
        let refused = store.db.make_claim(OPERATOR, at, claim(Caption, "a harvest")).await;
        assert!(refused.unwrap_err().to_string().contains("a whole original"));
        let refused = store.db.make_claim(OPERATOR, tape, claim(ClaimKind::Said, "Yes.")).await;
        assert!(refused.unwrap_err().to_string().contains("a stretch of a recording"));
    }

    async fn what_people_write_down_is_found_where_nothing_was_heard(store: Store) {
        let tape = store.add(file("tape.wav").of_kind(MediaKind::Audio)).await;
        let at = Subject::segment(tape, "5000-6400".parse().unwrap());
        let said = claim(ClaimKind::Said, "The harvest is in.");
        let said = store.db.make_claim(OPERATOR, at, said).await.unwrap();
        for _ in 0..2 {
            let found = store.search_as(OPERATOR, "harvest").await.unwrap().items;
            let found = &found[0].matches[0];
            assert_eq!(found.field, Field::Spoken);
            assert!(found.at_ms.is_some_and(|at_ms| (5_000..6_400).contains(&at_ms)), "{found:?}");
            store.db.rebuild_search(OPERATOR).await.unwrap();
        }
        store.db.undo_claim(OPERATOR, tape, said.id, true).await.unwrap();
        assert_eq!(store.find("harvest").await, Vec::<String>::new());
    }

    async fn a_correction_of_what_is_written_is_found_with_where_it_stands(store: Store) {
        let letter = store.add(file("letter.pdf").of_kind(MediaKind::Document)).await;
        let row = |number: f32| Corners::of_rectangle([0.125, number / 8.0, 0.5, 0.0625]);
        let spot = |number| Spot { page: Some(2), corners: Some(row(number)), at_ms: None };
        let read = |words: &str| Text {
            words: words.to_owned(),
            spots: vec![spot(1.0), spot(2.0), spot(3.0)],
            ..Text::default()
        };
        store.find_in(letter, (1, "small"), read("Dear Karl,\nthe fery is dan-\ngerous again.\n")).await;
        let strip = |number| Subject::strip(letter, Strip::new(2, row(number)).unwrap());
        let written = claim(ClaimKind::Written, "the ferry is dan-");
        let written = store.db.make_claim(OPERATOR, strip(2.0), written).await.unwrap();
        let added = claim(ClaimKind::Written, "Greetings from Lotte");
        store.db.make_claim(OPERATOR, strip(5.0), added).await.unwrap();
        let better = read("Dear Karl,\nthe furry is dan-\ngerous again!\n");
        for better in [Some(better), None] {
            assert_eq!(store.find("fery").await, Vec::<String>::new());
            for (query, number) in [("\"ferry is dangerous\"", 2.0), ("lotte", 5.0)] {
                let found = store.search_as(OPERATOR, query).await.unwrap().items;
                let found = &found[0].matches[0];
                assert_eq!((found.field, found.spot), (Field::Text, Some(spot(number))), "{query}");
            }
            store.db.rebuild_search(OPERATOR).await.unwrap();
            if let Some(better) = better {
                store.find_in(letter, (1, "large"), better).await;
            }
        }
        store.db.undo_claim(OPERATOR, letter, written.id, true).await.unwrap();
        assert_eq!(store.find("ferry").await, Vec::<String>::new());
        assert_eq!(store.find("furry dangerous").await, ["letter.pdf"]);

        // Where nothing was read, too.
        let other = store.add(file("other.jpg")).await;
        let note = claim(ClaimKind::Written, "Summer of 1921");
        let at = Subject::strip(other, Strip::new(1, row(1.0)).unwrap());
        store.db.make_claim(OPERATOR, at, note).await.unwrap();
        let found = store.search_as(OPERATOR, "\"summer of 1921\"").await.unwrap().items;
        let expected = Spot { page: None, corners: Some(row(1.0)), at_ms: None };
        assert_eq!((found.len(), found[0].matches[0].spot), (1, Some(expected)));
    }

    async fn what_a_better_model_hears_takes_the_place_of_what_was_heard_before(store: Store) {
        let tape = store.add(file("tape.wav").of_kind(MediaKind::Audio)).await;
        let said = |words: &str| Text { words: words.to_owned(), times: spoken_at(&[0, 200, 400, 600, 800]), ..Text::default() };
        store.find_in(tape, (1, "small"), said("tell me of the whether")).await;
        store.find_in(tape, (1, "large"), said("tell me of the weather")).await;
        assert_eq!(store.find("whether").await, Vec::<String>::new());
        assert_eq!(store.find("weather").await, ["tape.wav"]);
        let heard = store.sql("SELECT model_id FROM artifact WHERE kind = 'transcript'").await;
        assert_eq!(heard, ["large"]);
    }

    async fn a_long_text_is_found_by_its_beginning_and_leaves_room_for_names(store: Store) {
        let book = store.add(file("book.pdf").of_kind(MediaKind::Document)).await;
        let words: Vec<String> = (0..100_000).map(|n| format!("w{n}")).collect();
        store.read(book, 1, &words.join(" ")).await;
        assert_eq!(store.find("w3 w15000").await, ["book.pdf"]);
        assert_eq!(store.find("w99999").await, Vec::<String>::new());
        assert_eq!(store.find("book").await, ["book.pdf"]);
    }

    async fn a_purge_forgets_what_stood_in_an_asset(store: Store) {
        let letter = store.add(file("letter.pdf").of_kind(MediaKind::Document)).await;
        store.read(letter, 1, "the apples are ripe").await;
        store.db.delete_asset(OPERATOR, letter, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, letter).await.unwrap();
        let left: BTreeSet<String> =
            store.sql("SELECT words FROM asset_text").await.into_iter().collect();
        assert_eq!(left, BTreeSet::new());
    }
}
