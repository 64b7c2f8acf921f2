//! Where assets were made: counted by place and on the map, for whoever may see them.

use heirloom_core::{
    Actor, AssetId,
    claim::ClaimKind::{Place, Position, Title},
    map::{self, LEVELS, View},
    role::Role,
};
use heirloom_db::{
    artifact::{Derived, NewArtifact, Part, Payload},
    claim::NewClaim,
    family::Family,
    place::{PLACE, Placed, Spot, input_of},
};
use serde_json::json;

use crate::harness::{File, OPERATOR, Store, claim, file, member, on_both_engines};

pub(crate) const BERLIN: &str = r#"{"latitude":52.52,"longitude":13.4}"#;
pub(crate) const POTSDAM: &str = r#"{"latitude":52.4,"longitude":13.06}"#;
const SUVA: &str = r#"{"latitude":-18.14,"longitude":178.44}"#;
const SAMOA: &str = r#"{"latitude":-13.83,"longitude":-171.77}"#;

fn at(name: &str, position: &str) -> File {
    file(name).says(Position, position)
}

/// What the tool makes of a position.
fn named(position: &str, name: &str) -> Derived {
    let degrees: serde_json::Value = serde_json::from_str(position).unwrap();
    let degree = |name: &str| degrees[name].as_f64().unwrap();
    let position = map::Position::from_degrees(degree("latitude"), degree("longitude"));
    Derived {
        artifact: NewArtifact {
            kind: PLACE,
            part: Part::Whole,
            tool: PLACE,
            tool_version: 1,
            model: String::new(),
            parameters: serde_json::Value::Null,
            is_deterministic: true,
            inputs: vec![input_of(position)],
            payload: Payload::Json(
                json!({ "country": "DE", "region": "The Mark", "name": name, "words": ["Deutschland"] }),
            ),
        },
        claims: vec![NewClaim {
            confidence: 0.5,
            ..claim(Place, &format!("{name}, The Mark"))
        }],
    }
}

impl Store {
    pub(crate) async fn name(&self, id: AssetId, position: &str, name: &str) {
        let made = vec![(id, named(position, name))];
        self.db.keep_places(self.family_id(), made).await.unwrap();
    }

    /// Every place with its count, as `DE/The Mark/Berlin 2`.
    async fn places(&self, actor: &Actor) -> Vec<String> {
        let (db, family) = (&self.db, self.family_id());
        let mut all = Vec::new();
        for country in db.list_countries(actor, family).await.unwrap() {
            let country = country.at.country;
            for region in db.list_regions(actor, family, &country).await.unwrap() {
                let within = (country.as_str(), region.at.region.as_str());
                for place in db
                    .list_places(actor, family, within, "", 100)
                    .await
                    .unwrap()
                {
                    let Placed {
                        country,
                        region,
                        name,
                    } = place.at;
                    all.push(format!("{country}/{region}/{name} {}", place.assets));
                }
            }
        }
        if let Some(unnamed) = db.count_unnamed(actor, family).await.unwrap() {
            all.push(format!("unnamed {}", unnamed.assets));
        }
        all
    }

    /// The counts of the clusters in a part of the map.
    async fn clusters(&self, actor: &Actor, view: &str, level: u8) -> Vec<i64> {
        let cells = view.parse::<View>().unwrap().cells(level);
        let clusters = self
            .db
            .list_clusters(actor, self.family_id(), &cells)
            .await
            .unwrap();
        let mut counts: Vec<i64> = clusters.iter().map(|cluster| cluster.assets).collect();
        counts.sort_unstable();
        for cluster in clusters {
            let spot = Spot::Cell(cluster.cell);
            let listed = self
                .db
                .list_assets_at(actor, self.family_id(), &spot, None, 100)
                .await;
            assert_eq!(listed.unwrap().items.len() as i64, cluster.assets);
        }
        counts
    }

    async fn listed_at(&self, actor: &Actor, placed: Placed) -> Vec<String> {
        let spot = Spot::Named(placed);
        let page = self
            .db
            .list_assets_at(actor, self.family_id(), &spot, None, 100)
            .await;
        page.unwrap()
            .items
            .into_iter()
            .map(|asset| asset.name)
            .collect()
    }

    /// What is counted, and what it would be if it were counted now.
    async fn assert_exact(&self) {
        let counted = self
            .sql("SELECT level || ' ' || cell || ' ' || assets || ' ' || latitude_sum || ' ' || longitude_sum
                FROM map_cell UNION ALL SELECT country || region || place || assets FROM place_count ORDER BY 1")
            .await;
        let there = "FROM asset, map_level WHERE map_cell IS NOT NULL AND deleted_at_ms IS NULL AND state <> 'replaced'";
        let now = self
            .sql(&format!(
                "SELECT level || ' ' || (map_cell / map_level.width) || ' ' || COUNT(*) || ' ' || SUM(latitude_e7)
                    || ' ' || SUM(longitude_e7) {there} GROUP BY audience_id, level, map_cell / map_level.width
                 UNION ALL SELECT country || region || place || COUNT(*) FROM asset WHERE place IS NOT NULL
                    AND deleted_at_ms IS NULL AND state <> 'replaced' GROUP BY audience_id, country, region, place
                 ORDER BY 1"
            ))
            .await;
        assert_eq!(counted, now);
    }
}

fn mark(name: &str) -> Placed {
    Placed {
        country: "DE".to_owned(),
        region: "The Mark".to_owned(),
        name: name.to_owned(),
    }
}

on_both_engines! {
    async fn a_position_is_counted_on_the_map_and_named_where_it_is(store: Store) {
        let first = store.add(at("a.jpg", BERLIN).dated("2001")).await;
        let second = store.add(at("b.jpg", BERLIN).dated("2002")).await;
        store.add(at("c.jpg", POTSDAM)).await;
        store.add(file("d.jpg").says(Place, "Oma's garden")).await;
        store.add(file("e.jpg")).await;
        assert_eq!(store.places(OPERATOR).await, ["//Oma's garden 1", "unnamed 3"]);
        for id in [first, second] {
            store.name(id, BERLIN, "Berlin").await;
        }
        assert_eq!(store.places(OPERATOR).await, ["//Oma's garden 1", "DE/The Mark/Berlin 2", "unnamed 1"]);
        assert_eq!(store.listed_at(OPERATOR, mark("Berlin")).await, ["b.jpg", "a.jpg"]);
        assert_eq!(store.listed_at(OPERATOR, Placed::default()).await, ["c.jpg"]);
        for query in ["place:berlin", "place:\"the mark\"", "place:deutschland"] {
            assert_eq!(store.find(query).await, ["b.jpg", "a.jpg"], "{query}");
        }
        for level in LEVELS {
            let counts = store.clusters(OPERATOR, "12,52,14,53", level).await;
            assert_eq!(counts.iter().sum::<i64>(), 3, "{level}");
        }
        assert_eq!(store.clusters(OPERATOR, "12,52,14,53", 10).await, [1, 2]);
        assert_eq!(store.clusters(OPERATOR, "-10,52,0,53", 10).await, Vec::<i64>::new());
        store.assert_exact().await;
    }

    async fn a_name_never_outlives_the_position_that_it_is_the_name_of(store: Store) {
        let id = store.add(at("a.jpg", BERLIN)).await;
        store.name(id, BERLIN, "Berlin").await;
        let correction = store.say(id, Position, POTSDAM).await;
        assert_eq!(store.places(OPERATOR).await, ["unnamed 1"]);
        assert_eq!(store.find("place:berlin").await, Vec::<String>::new());
        let claims = store.db.list_claims(OPERATOR, id).await.unwrap();
        assert!(claims.iter().all(|claim| claim.statement.kind() != Place));
        // Somebody was slow: what is made of the old position comes too late.
        store.name(id, BERLIN, "Berlin").await;
        assert_eq!(store.places(OPERATOR).await, ["unnamed 1"]);
        store.name(id, POTSDAM, "Potsdam").await;
        assert_eq!(store.places(OPERATOR).await, ["DE/The Mark/Potsdam 1"]);
        assert_eq!(store.find("place:potsdam").await, ["a.jpg"]);
        store.db.undo_claim(OPERATOR, id, correction.id, true).await.unwrap();
        assert_eq!(store.places(OPERATOR).await, ["unnamed 1"]);
        store.name(id, BERLIN, "Berlin").await;
        store.name(id, BERLIN, "Berlin").await;
        assert_eq!(store.places(OPERATOR).await, ["DE/The Mark/Berlin 1"]);
        store.deny(id, Position, BERLIN).await;
        assert_eq!(store.places(OPERATOR).await, Vec::<String>::new());
        store.assert_exact().await;
    }

    async fn what_people_call_a_place_stands_where_its_position_is(store: Store) {
        let id = store.add(at("a.jpg", BERLIN)).await;
        store.name(id, BERLIN, "Berlin").await;
        let said = store.say(id, Place, "Oma's garden").await;
        assert_eq!(store.places(OPERATOR).await, ["DE/The Mark/Oma's garden 1"]);
        assert_eq!(store.find("place:garden place:berlin").await, ["a.jpg"]);
        store.db.undo_claim(OPERATOR, id, said.id, true).await.unwrap();
        store.deny(id, Place, "Berlin, The Mark").await;
        assert_eq!(store.places(OPERATOR).await, ["unnamed 1"]);
        let long = "ß".repeat(10_000);
        store.say(id, Place, &long).await;
        let places = store.places(OPERATOR).await;
        assert!(places[0].starts_with("DE/The Mark/ßß") && places[0].len() < 500);
    }

    async fn what_is_hidden_or_replaced_does_not_count(store: Store) {
        let ids = [store.add(at("a.jpg", BERLIN)).await, store.add(at("b.jpg", BERLIN)).await];
        store.db.delete_asset(OPERATOR, ids[0], None, true).await.unwrap();
        assert_eq!(store.places(OPERATOR).await, ["unnamed 1"]);
        assert_eq!(store.clusters(OPERATOR, "12,52,14,53", 12).await, [1]);
        store.db.delete_asset(OPERATOR, ids[0], None, false).await.unwrap();
        assert_eq!(store.clusters(OPERATOR, "12,52,14,53", 12).await, [2]);
        store.assert_exact().await;
        store.db.delete_asset(OPERATOR, ids[0], None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, ids[0]).await.unwrap();
        store.say(ids[1], Title, "Another").await;
        assert_eq!(store.clusters(OPERATOR, "12,52,14,53", 12).await, [1]);
        store.db.delete_asset(OPERATOR, ids[1], None, true).await.unwrap();
        assert_eq!(store.places(OPERATOR).await, Vec::<String>::new());
        assert_eq!(store.clusters(OPERATOR, "-180,-90,180,90", 2).await, Vec::<i64>::new());
        store.assert_exact().await;
        assert_eq!(store.sql("SELECT '' || COUNT(*) FROM map_cell").await, ["0"]);
    }

    async fn nobody_learns_of_places_that_they_may_not_see(store: Store) {
        store.add(at("a.jpg", BERLIN)).await;
        let hidden = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let family = Family { audience_id: hidden, ..store.family.clone() };
        let archive = store.db.create_archive(OPERATOR, &family, "secret", "/secret").await.unwrap();
        for recorded in store.record_in(&archive, [at("b.jpg", BERLIN), at("c.jpg", POTSDAM)]).await {
            store.name(crate::harness::asset_of(&recorded), POTSDAM, "Potsdam").await;
        }
        let child = member(store.family_id(), Role::Member, &[store.family.audience_id]);
        let parent = member(store.family_id(), Role::Member, &[store.family.audience_id, hidden]);
        assert_eq!(store.places(&child).await, ["unnamed 1"]);
        assert_eq!(store.clusters(&child, "12,52,14,53", 14).await, [1]);
        assert_eq!(store.listed_at(&child, mark("Potsdam")).await, Vec::<String>::new());
        assert_eq!(store.places(&parent).await, ["DE/The Mark/Potsdam 1", "unnamed 2"]);
        assert_eq!(store.clusters(&parent, "12,52,14,53", 14).await, [1, 2]);
        assert!(store.db.list_countries(&Actor::Stranger, store.family_id()).await.is_err());
        assert!(store.db.list_clusters(&Actor::Stranger, store.family_id(), &[]).await.is_err());
        let spot = Spot::Named(mark("Potsdam"));
        let listed = store.db.list_assets_at(&Actor::Stranger, store.family_id(), &spot, None, 1).await;
        assert!(listed.is_err());
    }

    async fn a_view_across_the_date_line_has_both_sides(store: Store) {
        store.add(at("a.jpg", SUVA)).await;
        store.add(at("b.jpg", SAMOA)).await;
        store.add(at("c.jpg", BERLIN)).await;
        for level in [2, 4, 6] {
            let counts = store.clusters(OPERATOR, "170,-30,-165,0", level).await;
            assert_eq!(counts.iter().sum::<i64>(), 2, "{level}");
        }
    }

    async fn whatever_changes_the_counts_stay_exact(store: Store) {
        let mut ids = Vec::new();
        for number in 0..12 {
            let position = format!(r#"{{"latitude":{},"longitude":{}}}"#, 50 + number % 3, 10 + number % 4);
            ids.push(store.add(at(&format!("{number}.jpg"), &position)).await);
        }
        for step in 0..60_usize {
            // A walk that repeats neither asset nor deed too soon.
            let id = ids[step * 7 % 12];
            match step % 5 {
                0 | 3 => {
                    let position = format!(r#"{{"latitude":{},"longitude":-{}}}"#, step % 7, step % 11);
                    store.say(id, Position, &position).await;
                }
                1 => {
                    let is_deleted = store.asset(id).await.deleted_at_ms.is_none();
                    store.db.delete_asset(OPERATOR, id, None, is_deleted).await.unwrap();
                }
                2 => {
                    store.say(id, Place, ["Home", "Away"][step % 2]).await;
                }
                _ => {
                    let files = [file(&format!("more {step}.jpg")).of_content(&format!("{step}"))];
                    store.record(files).await;
                }
            }
        }
        store.assert_exact().await;
        store.db.rebuild_search(OPERATOR).await.unwrap();
        store.assert_exact().await;
    }
}
