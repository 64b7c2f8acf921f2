//! What is offered while somebody types: names of what they may see, the commonest first.

use heirloom_core::{
    Actor,
    audience::Sight,
    claim::ClaimKind::{CameraMake, CameraModel, Person, Place, Position, Tag},
    query::{Caret, Language},
    role::Role,
};
use heirloom_db::family::Family;

use crate::{
    harness::{File, OPERATOR, Store, asset_of, file, member, on_both_engines},
    places::{BERLIN, POTSDAM},
};

impl Store {
    /// What is offered at the end of a text: each as it would be written, with how many have it.
    async fn offered_to(&self, actor: &Actor, text: &str, language: Language) -> Vec<String> {
        let caret = Caret::of(text, text.len()).unwrap();
        let found = self
            .db
            .suggest(actor, self.family_id(), &caret, language, 20)
            .await
            .unwrap();
        let lines = found.into_iter().map(|suggestion| {
            let assets = suggestion.assets.map(|assets| format!(" {assets}"));
            suggestion.text + &assets.unwrap_or_default()
        });
        lines.collect()
    }

    async fn offered(&self, text: &str) -> Vec<String> {
        self.offered_to(OPERATOR, text, Language::English).await
    }

    /// That what is counted is what there is.
    async fn assert_names_exact(&self) {
        let counted = self
            .sql("SELECT field || ' ' || words || ' ' || name || ' ' || assets FROM name_count ORDER BY 1")
            .await;
        let (each, field, words, name) = match self.db.engine() {
            heirloom_db::Engine::Sqlite => (
                "json_each(a.names) n",
                "(n.value ->> 0)",
                "(n.value ->> 1)",
                "(n.value ->> 2)",
            ),
            heirloom_db::Engine::Postgres => (
                "jsonb_array_elements(a.names::jsonb) n",
                "(n ->> 0)",
                "(n ->> 1)",
                "(n ->> 2)",
            ),
        };
        let now = self
            .sql(&format!(
                "SELECT {field} || ' ' || {words} || ' ' || {name} || ' ' || COUNT(*) FROM asset a, {each}
                  WHERE a.deleted_at_ms IS NULL AND a.state <> 'replaced'
                  GROUP BY a.audience_id, {field}, {words}, {name} ORDER BY 1"
            ))
            .await;
        assert_eq!(counted, now);
    }
}

fn tagged(name: &str, tags: &[&str]) -> File {
    let tags = tags.iter();
    tags.fold(file(name), |file, tag| file.says(Tag, tag))
}

on_both_engines! {
    async fn names_are_offered_by_their_beginning_the_commonest_first(store: Store) {
        store.record([
            tagged("a.jpg", &["Strand", "strand", "Sommer"]).dated("1974-05").says(CameraMake, "Canon")
                .says(CameraModel, "Canon EOS 5D"),
            tagged("b.jpg", &["Strand"]).dated("1974-07").says(Place, "Bad Städt").says(Person, "Änne Strand"),
            tagged("c.jpg", &["Stadt am Strand", "🎂"]).dated("1981").says(Place, "Bremen").says(Place, "Bremen"),
        ]).await;
        let cases: [(&str, &[&str]); 15] = [
            ("tag:", &["beach 2", "Sommer 1", "\"Stadt am Strand\" 1"]),
            ("tag:st", &["Strand 2", "\"Stadt am Strand\" 1"]),
            ("tag:\"stadt a", &["\"Stadt am Strand\" 1"]),
            ("tag:str", &["Strand 2", "\"Stadt am Strand\" 1"]),
            ("tag:trand", &[]),
            ("place:STAD", &["\"Bad Städt\" 1"]),
            ("place:bre", &["Bremen 1"]),
            ("person:anne", &["\"Änne Strand\" 1"]),
            ("camera:eos", &["\"Canon EOS 5D\" 1"]),
            ("camera:can", &["Canon 1", "\"Canon EOS 5D\" 1"]),
            ("date:19", &["1981 1", "1974 2"]),
            ("date:1974..198", &["1981 1"]),
            ("type:im", &["image 3"]),
            ("is:mi", &["missing"]),
            ("strand", &["tag:Strand 2", "person:\"Änne Strand\" 1", "tag:\"Stadt am Strand\" 1"]),
        ];
        for (typed, expected) in cases {
            assert_eq!(store.offered(typed).await, expected, "{typed}");
        }
        let german = store.offered_to(OPERATOR, "bre", Language::German).await;
        assert_eq!(german, ["ort:Bremen 1"]);
        assert_eq!(store.offered_to(OPERATOR, "art:f", Language::German).await, ["film 0"]);
        // What is offered finds what it says.
        for typed in ["tag:str", "place:sta", "person:a", "camera:e"] {
            for line in store.offered(typed).await {
                let (text, count) = line.rsplit_once(' ').unwrap();
                let field = typed.split(':').next().unwrap();
                let found = store.find(&format!("{field}:{text}")).await;
                assert!(found.len() >= count.parse().unwrap(), "{line}: {found:?}");
            }
        }
        store.assert_names_exact().await;
    }

    async fn archives_and_albums_are_offered_by_name(store: Store) {
        let id = store.add(file("a.jpg")).await;
        for name in ["Sommer an der See", "Winter"] {
            store.collect(name, store.family.audience_id, &[id]).await;
        }
        assert_eq!(store.offered("in:se").await, ["\"Sommer an der See\""]);
        assert_eq!(store.offered("archive:pho").await, ["photos"]);
        assert_eq!(store.offered("wint").await, ["in:Winter"]);
        assert_eq!(store.offered("x -phot").await, ["archive:photos"]);
        let german = store.offered_to(OPERATOR, "wint", Language::German).await;
        assert_eq!(german, ["album:Winter"]);
    }

    async fn a_place_is_offered_with_its_region_and_a_country_when_it_is_typed(store: Store) {
        let ids = [
            store.add(file("a.jpg").says(Position, BERLIN)).await,
            store.add(file("b.jpg").says(Position, POTSDAM)).await,
        ];
        assert_eq!(store.offered("place:").await, Vec::<String>::new());
        store.name(ids[0], BERLIN, "Berlin").await;
        store.name(ids[1], POTSDAM, "Potsdam").await;
        assert_eq!(store.offered("place:").await, ["\"The Mark\" 2", "Berlin 1", "Potsdam 1"]);
        assert_eq!(store.offered("place:deu").await, ["Deutschland 2"]);
        store.say(ids[0], Position, POTSDAM).await;
        assert_eq!(store.offered("place:ber").await, Vec::<String>::new());
        store.name(ids[0], POTSDAM, "Potsdam").await;
        assert_eq!(store.offered("place:po").await, ["Potsdam 2"]);
        store.assert_names_exact().await;
    }

    async fn what_is_no_longer_believed_is_no_longer_offered(store: Store) {
        let id = store.add(tagged("a.jpg", &["Strand"])).await;
        let other = store.add(tagged("b.jpg", &["Strand"])).await;
        let said = store.say(id, Tag, "Sommer").await;
        assert_eq!(store.offered("tag:").await, ["beach 2", "Sommer 1"]);
        store.db.undo_claim(OPERATOR, id, said.id, true).await.unwrap();
        store.deny(id, Tag, "Strand").await;
        assert_eq!(store.offered("tag:").await, ["beach 1"]);
        store.db.delete_asset(OPERATOR, other, None, true).await.unwrap();
        assert_eq!(store.offered("tag:").await, Vec::<String>::new());
        store.db.delete_asset(OPERATOR, other, None, false).await.unwrap();
        assert_eq!(store.offered("tag:").await, ["beach 1"]);
        store.db.delete_asset(OPERATOR, other, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, other).await.unwrap();
        assert_eq!(store.sql("SELECT '' || COUNT(*) FROM name_count").await, ["0"]);
        store.db.rebuild_search(OPERATOR).await.unwrap();
        store.assert_names_exact().await;
    }

    async fn a_guest_is_never_told_of_a_name_that_only_others_may_see(store: Store) {
        store.record([tagged("a.jpg", &["Strand"]).says(Place, "Bremen").says(CameraMake, "Leica").dated("1974")]).await;
        let hidden = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let family = Family { audience_id: hidden, ..store.family.clone() };
        let archive = store.db.create_archive(OPERATOR, &family, "secret", "/secret").await.unwrap();
        let secret = tagged("b.jpg", &["Strand", "Streng geheim"]).says(Place, "Brest").says(Person, "Brigitte")
            .says(CameraMake, "Braun").dated("1999");
        let recorded = store.record_in(&archive, [secret]).await;
        store.collect("Bruder", hidden, &[asset_of(&recorded[0])]).await;
        let child = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        let parent = member(store.family_id(), Role::Member, &[store.family.audience_id, hidden]);
        let cases: [(&str, &[&str], &[&str]); 9] = [
            ("tag:str", &["Strand 1"], &["Strand 2", "\"Streng geheim\" 1"]),
            ("tag:geh", &[], &["\"Streng geheim\" 1"]),
            ("place:br", &["Bremen 1"], &["Bremen 1", "Brest 1"]),
            ("person:", &[], &["Brigitte 1"]),
            ("archive:", &["photos"], &["photos", "secret"]),
            ("in:", &[], &["Bruder"]),
            ("date:1", &["1974 1"], &["1999 1", "1974 1"]),
            ("type:im", &["image 1"], &["image 2"]),
            ("br", &["place:Bremen 1"],
                &["in:Bruder", "person:Brigitte 1", "place:Bremen 1", "place:Brest 1", "camera:Braun 1"]),
        ];
        for (typed, to_child, to_parent) in cases {
            let english = Language::English;
            assert_eq!(store.offered_to(&child, typed, english).await, to_child, "{typed}");
            assert_eq!(store.offered_to(&parent, typed, english).await, to_parent, "{typed}");
        }
        let nobody = Actor::Member {
            account_id: uuid::Uuid::now_v7().into(),
            family_id: store.family_id(),
            role: Role::Viewer,
            sight: Sight::nothing(),
        };
        let nothing: [&str; 0] = [];
        for typed in ["tag:", "place:b", "camera:", "archive:", "in:", "date:1", "br"] {
            assert_eq!(store.offered_to(&nobody, typed, Language::English).await, nothing, "{typed}");
        }
        let caret = Caret::of("tag:", 4).unwrap();
        let refused = store.db.suggest(&Actor::Stranger, store.family_id(), &caret, Language::English, 5).await;
        assert!(refused.is_err());
        store.assert_names_exact().await;
    }

    async fn a_name_without_end_is_found_and_not_offered(store: Store) {
        let long = "ß".repeat(10_000);
        store.add(tagged("a.jpg", &[&long, "straße"])).await;
        assert_eq!(store.offered("tag:s").await, ["straße 1"]);
        store.assert_names_exact().await;
    }
}
