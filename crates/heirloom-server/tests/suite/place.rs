//! Places and the map over HTTP, with names that follow from positions.

use std::fs;

use heirloom_core::{Actor, audience::Sight, role::Role};
use heirloom_server::{Door, router};
use heirloom_testing::jpeg::{self, Options};
use serde_json::{Value as Json, json};

use crate::harness::{Home, ask, on_both_engines};

const FILES: [(&str, Option<(f64, f64)>); 7] = [
    ("gate.jpg", Some((52.5163, 13.3777))),
    ("tower.jpg", Some((52.5208, 13.4094))),
    ("sanssouci.jpg", Some((52.4042, 13.0385))),
    ("suva.jpg", Some((-18.1416, 178.4419))),
    ("apia.jpg", Some((-13.8333, -171.7667))),
    ("at sea.jpg", Some((30.0, -40.0))),
    ("somewhere.jpg", None),
];

impl Home {
    /// A library with photographs that know where they were taken, prepared.
    async fn travelled(&self) {
        let root = self.folder.path().join("Travels");
        fs::create_dir_all(&root).unwrap();
        for (seed, (name, position)) in (0..).zip(FILES) {
            let options = Options {
                position,
                ..Options::default()
            };
            fs::write(root.join(name), jpeg::tiny(seed, &options)).unwrap();
        }
        self.scan(&root).await;
        let run = self
            .post("/api/v1/runs", &json!({ "pipeline": "prepare" }))
            .await;
        assert_eq!(run.status, 201, "{}", run.text());
        self.wait(&run.json()).await;
    }

    async fn say(&self, name: &str, kind: &str, value: Json) -> (String, String) {
        let id = self.asset(name).await;
        let path = format!("/api/v1/assets/{id}/claims");
        let made = self
            .post(&path, &json!({ "kind": kind, "value": value }))
            .await;
        assert_eq!(made.status, 201, "{}", made.text());
        (path, made.json()["id"].as_str().unwrap().to_owned())
    }

    /// Each entry as `DE 3`.
    async fn places(&self, query: &str) -> Vec<String> {
        let places = self.get(&format!("/api/v1/places{query}")).await.json();
        let items = places["items"].as_array().unwrap();
        let called = |item: &Json| {
            let names =
                ["name", "region", "country"].map(|name| item[name].as_str().map(str::to_owned));
            names.into_iter().flatten().next().unwrap_or_default()
        };
        items
            .iter()
            .map(|item| format!("{} {}", called(item), item["assets"]))
            .collect()
    }

    async fn found(&self, path: &str) -> Vec<String> {
        let page = self.get(path).await.json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        let mut names: Vec<String> = items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }
}

/// How many assets the clusters of a part of the map have.
fn sizes(map: &Json) -> Vec<u64> {
    let clusters = map["clusters"]
        .as_array()
        .unwrap_or_else(|| panic!("{map}"));
    let mut sizes: Vec<u64> = clusters
        .iter()
        .map(|it| it["assets"].as_u64().unwrap())
        .collect();
    sizes.sort_unstable();
    sizes
}

#[tokio::test]
async fn positions_are_named_and_listed_by_country_region_and_place() {
    on_both_engines(async |home| {
        home.travelled().await;
        assert_eq!(home.places("").await, ["DE 3", "FJ 1", "WS 1"]);
        let places = home.get("/api/v1/places").await.json();
        assert_eq!(places["unnamed"]["assets"], 1);
        assert_eq!(places["items"][0]["region"], json!(null));
        assert!(places["items"][0]["cover_asset_id"].is_string());
        assert_eq!(
            home.places("?country=DE").await,
            ["Brandenburg 1", "State of Berlin 2"]
        );
        assert_eq!(
            home.places("?country=DE&region=Brandenburg").await,
            ["Potsdam 1"]
        );
        let berlin = "country=DE&region=State%20of%20Berlin";
        assert_eq!(home.places(&format!("?{berlin}")).await, ["Berlin 2"]);
        let path = format!("/api/v1/places/assets?{berlin}&name=Berlin");
        assert_eq!(home.found(&path).await, ["gate.jpg", "tower.jpg"]);
        assert_eq!(
            home.found("/api/v1/places/assets?country=none").await,
            ["at sea.jpg"]
        );
        for query in ["place:berlin", "place:\"State of Berlin\""] {
            let path = format!(
                "/api/v1/search?q={}",
                query.replace(' ', "%20").replace('"', "%22")
            );
            assert_eq!(
                home.found(&path).await,
                ["gate.jpg", "tower.jpg"],
                "{query}"
            );
        }
        let path = "/api/v1/search?q=place:deutschland";
        assert_eq!(
            home.found(path).await,
            ["gate.jpg", "sanssouci.jpg", "tower.jpg"]
        );
        for found in home.get(path).await.json()["items"].as_array().unwrap() {
            let why = &found["matches"][0];
            assert_eq!(why["field"], "place", "{found}");
            assert!(
                why["text"].as_str().unwrap().ends_with("Deutschland"),
                "{found}"
            );
        }
        // It is said where the name is from.
        let id = home.asset("gate.jpg").await;
        let asset = home.get(&format!("/api/v1/assets/{id}")).await.json();
        let facts = asset["facts"].as_array().unwrap();
        let place = facts.iter().find(|fact| fact["kind"] == "place").unwrap();
        assert_eq!(place["believed"][0]["value"], "Berlin, State of Berlin");
        let source = place["believed"][0]["source"].as_str().unwrap();
        assert!(source.starts_with("position:52.516"), "{source}");
    })
    .await;
}

#[tokio::test]
async fn a_name_comes_from_whoever_told_the_position() {
    on_both_engines(async |home| {
        home.travelled().await;
        let detail = format!("/api/v1/assets/{}", home.asset("gate.jpg").await);
        let lineage = async |kind: &str| {
            let detail = home.get(&detail).await.json();
            let artifacts = detail["artifacts"].as_array().unwrap();
            let of_kind = artifacts.iter().filter(|made| made["kind"] == kind);
            let newest = of_kind.max_by_key(|made| made["id"].as_str()).unwrap();
            let path = format!(
                "/api/v1/artifacts/{}/lineage",
                newest["id"].as_str().unwrap()
            );
            home.get(&path).await.json()
        };
        let (metadata, place) = (lineage("metadata").await, lineage("place").await);
        let input = &place["inputs"][0];
        assert_eq!(
            (&input["source"], &input["name"]),
            (&json!("artifact"), &metadata["artifact"]["id"]),
            "{place}"
        );
        assert_eq!(metadata["derived"][0]["id"], place["artifact"]["id"]);
        let position = json!({ "latitude": 53.8662, "longitude": 10.6798 });
        home.say("gate.jpg", "position", position).await;
        let said = lineage("place").await;
        assert_ne!(said["artifact"]["id"], place["artifact"]["id"]);
        assert_eq!(said["inputs"][0]["source"], "said", "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_region_and_a_town_are_found_and_offered_by_their_german_names() {
    on_both_engines(async |home| {
        home.travelled().await;
        let munich = json!({ "latitude": 48.1371, "longitude": 11.5754 });
        home.say("suva.jpg", "position", munich).await;
        for name in ["bavaria", "bayern", "munich", "m%C3%BCnchen"] {
            let path = format!("/api/v1/search?q=place:{name}");
            assert_eq!(home.found(&path).await, ["suva.jpg"], "{name}");
        }
        let offered = home
            .get("/api/v1/search/suggestions?q=ort:bay&language=de")
            .await
            .json();
        assert_eq!(offered["items"][0]["name"], "Bayern", "{offered}");
        assert_eq!(home.places("?country=DE&region=Bavaria").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_name_follows_a_position_that_is_corrected_and_one_that_is_taken_back() {
    on_both_engines(async |home| {
        home.travelled().await;
        let position = json!({ "latitude": 53.8662, "longitude": 10.6798 });
        let (path, claim) = home.say("gate.jpg", "position", position).await;
        assert_eq!(
            home.places("?country=DE&region=Schleswig-Holstein").await,
            ["Lübeck 1"]
        );
        assert_eq!(
            home.found("/api/v1/search?q=place:berlin").await,
            ["tower.jpg"]
        );
        assert_eq!(
            home.found("/api/v1/search?q=place:l%C3%BCbeck").await,
            ["gate.jpg"]
        );
        let undone = home
            .post(&format!("{path}/{claim}/undo"), &Json::Null)
            .await;
        assert_eq!(undone.status, 200, "{}", undone.text());
        assert_eq!(
            home.places("?country=DE").await,
            ["Brandenburg 1", "State of Berlin 2"]
        );
        let redone = home
            .post(&format!("{path}/{claim}/redo"), &Json::Null)
            .await;
        assert_eq!(redone.status, 200, "{}", redone.text());
        assert_eq!(
            home.found("/api/v1/search?q=place:l%C3%BCbeck").await,
            ["gate.jpg"]
        );
        // Far from everything there is no name, and none is left over.
        let sea = json!({ "latitude": 0.0, "longitude": -30.0 });
        home.say("gate.jpg", "position", sea).await;
        assert_eq!(
            home.found("/api/v1/places/assets?country=none").await,
            ["at sea.jpg", "gate.jpg"]
        );
        assert_eq!(
            home.found("/api/v1/search?q=place:l%C3%BCbeck").await,
            Vec::<String>::new()
        );
        // What is there already is not made again.
        let run = home
            .post("/api/v1/runs", &json!({ "pipeline": "prepare" }))
            .await;
        let run = home.wait(&run.json()).await;
        let steps = run["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["step"] == "place").unwrap();
        assert_eq!(
            (&step["present"], &step["done"]),
            (&json!(6), &json!(0)),
            "{step}"
        );
        let again = home
            .post("/api/v1/runs", &json!({ "pipeline": "rebuild" }))
            .await;
        home.wait(&again.json()).await;
        assert_eq!(
            home.places("?country=DE").await,
            ["Brandenburg 1", "State of Berlin 1"]
        );
    })
    .await;
}

#[tokio::test]
async fn what_people_call_a_place_comes_before_what_is_nearest() {
    let home = Home::on_sqlite().await;
    home.travelled().await;
    home.say("gate.jpg", "place", json!("Opa's gate")).await;
    home.say("somewhere.jpg", "place", json!("Oma's garden"))
        .await;
    assert_eq!(home.places("").await, [" 1", "DE 3", "FJ 1", "WS 1"]);
    let berlin = "?country=DE&region=State%20of%20Berlin";
    assert_eq!(home.places(berlin).await, ["Berlin 1", "Opa's gate 1"]);
    assert_eq!(home.places("?country=none").await, ["Oma's garden 1"]);
    let path = "/api/v1/places/assets?country=none&name=Oma's%20garden";
    assert_eq!(home.found(path).await, ["somewhere.jpg"]);
    // Its position is still in Berlin.
    assert_eq!(
        home.found("/api/v1/search?q=place:berlin").await,
        ["gate.jpg", "tower.jpg"]
    );
    let first = home
        .get(&format!("/api/v1/places{berlin}&limit=1"))
        .await
        .json();
    let next = first["next"].as_str().unwrap();
    let second = home
        .get(&format!("/api/v1/places{berlin}&limit=1&after={next}"))
        .await
        .json();
    assert_eq!(second["items"][0]["name"], "Opa's gate");
    assert_eq!(second["next"], json!(null));
    let other = format!("/api/v1/places?country=none&after={next}");
    home.get(&other).await.assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_part_of_the_map_has_clusters_and_each_opens() {
    on_both_engines(async |home| {
        home.travelled().await;
        let map = async |query: &str| home.get(&format!("/api/v1/map?{query}")).await.json();
        assert_eq!(
            sizes(&map("box=-180,-90,180,90&zoom=0").await)
                .iter()
                .sum::<u64>(),
            6
        );
        assert_eq!(sizes(&map("box=12,52,14,53&zoom=1").await), [3]);
        let near = map("box=12,52,14,53&zoom=7").await;
        assert_eq!(sizes(&near), [1, 2]);
        // Across the date line both sides are one view, and what lies between is not in it.
        assert_eq!(sizes(&map("box=170,-30,-165,0&zoom=3").await), [1, 1]);
        assert_eq!(
            sizes(&map("box=-165,-30,170,0&zoom=3").await),
            Vec::<u64>::new()
        );
        assert_eq!(sizes(&map("box=-60,10,-20,50&zoom=3").await), [1]);
        for cluster in near["clusters"].as_array().unwrap() {
            let cell = cluster["cell"].as_str().unwrap();
            let names = home
                .found(&format!("/api/v1/places/assets?cell={cell}"))
                .await;
            assert_eq!(names.len() as u64, cluster["assets"].as_u64().unwrap());
            assert_eq!(cluster["country"], "DE");
            assert!(["Berlin", "Potsdam"].contains(&cluster["near"].as_str().unwrap()));
        }
        let sea = map("box=-60,10,-20,50&zoom=3").await;
        assert_eq!(sea["clusters"][0]["near"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn a_cluster_is_called_after_where_most_of_it_is() {
    on_both_engines(async |home| {
        let root = home.folder.path().join("Travels");
        fs::create_dir_all(&root).unwrap();
        let barcelona = (41.3874, 2.1686);
        for (seed, position) in (0..).zip([barcelona, barcelona, (52.5163, 13.3777)]) {
            let options = Options {
                position: Some(position),
                ..Options::default()
            };
            fs::write(root.join(format!("{seed}.jpg")), jpeg::tiny(seed, &options)).unwrap();
        }
        home.scan(&root).await;
        let map = home.get("/api/v1/map?box=-180,-90,180,90&zoom=0").await;
        let clusters = map.json()["clusters"].clone();
        assert_eq!(clusters.as_array().unwrap().len(), 1, "{clusters}");
        // The middle of the three is in France.
        assert_eq!(
            (&clusters[0]["near"], &clusters[0]["country"]),
            (&json!("Barcelona"), &json!("ES")),
            "{clusters}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_place_has_no_cover_before_a_picture_of_it_is_drawn() {
    let home = Home::on_sqlite().await;
    let root = home.folder.path().join("Travels");
    fs::create_dir_all(&root).unwrap();
    let options = Options {
        position: Some((52.5163, 13.3777)),
        ..Options::default()
    };
    fs::write(root.join("gate.jpg"), jpeg::tiny(1, &options)).unwrap();
    home.scan(&root).await;
    let covers = async || {
        let places = home.get("/api/v1/places").await.json();
        let map = home.get("/api/v1/map?box=-180,-90,180,90&zoom=0").await;
        let of_place = match &places["unnamed"] {
            Json::Null => places["items"][0]["cover_asset_id"].clone(),
            unnamed => unnamed["cover_asset_id"].clone(),
        };
        (
            of_place,
            map.json()["clusters"][0]["cover_asset_id"].clone(),
        )
    };
    assert_eq!(covers().await, (Json::Null, Json::Null));
    let prepare = json!({ "pipeline": "prepare" });
    let run = home.post("/api/v1/runs", &prepare).await.json();
    home.wait(&run).await;
    let gate = json!(home.asset("gate.jpg").await);
    assert_eq!(covers().await, (gate.clone(), gate));
}

#[tokio::test]
async fn what_cannot_be_drawn_leaves_the_cover_to_another_picture() {
    on_both_engines(async |home| {
        let root = home.folder.path().join("Travels");
        fs::create_dir_all(&root).unwrap();
        let at = |date: &str| Options {
            position: Some((52.5163, 13.3777)),
            taken: Some(date.to_owned()),
            ..Options::default()
        };
        fs::write(
            root.join("gate.jpg"),
            jpeg::tiny(1, &at("1999:05:01 10:00:00")),
        )
        .unwrap();
        let mut newest = jpeg::tiny(2, &at("2001:05:01 10:00:00"));
        // Everything before the picture itself.
        newest.truncate(
            newest
                .windows(2)
                .rposition(|it| it == [0xff, 0xda])
                .unwrap(),
        );
        fs::write(root.join("newest.jpg"), newest).unwrap();
        home.scan(&root).await;
        let prepare = json!({ "pipeline": "prepare" });
        let run = home.post("/api/v1/runs", &prepare).await.json();
        home.wait(&run).await;
        let (gate, newest) = (home.asset("gate.jpg").await, home.asset("newest.jpg").await);
        for path in ["/api/v1/places", "/api/v1/places?country=DE"] {
            let places = home.get(path).await.json();
            assert_eq!(places["items"][0]["assets"], 2, "{places}");
            assert_eq!(places["items"][0]["cover_asset_id"], gate, "{places}");
        }
        let map = home
            .get("/api/v1/map?box=-180,-90,180,90&zoom=0")
            .await
            .json();
        assert_eq!(map["clusters"][0]["assets"], 2, "{map}");
        assert_eq!(map["clusters"][0]["cover_asset_id"], gate, "{map}");
        for new in [
            json!({ "name": "Travels", "assets": [newest, gate] }),
            json!({ "name": "Pictures", "query": "type:image" }),
        ] {
            let made = home.post("/api/v1/collections", &new).await.json();
            assert_eq!(made["cover"]["name"], "gate.jpg", "{made}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_part_of_the_map_is_refused_with_a_reason() {
    let home = Home::on_sqlite().await;
    let cases = [
        ("map?box=1,2,3&zoom=1", "west,south,east,north"),
        ("map?box=0,2,1,1&zoom=1", "north of its north"),
        ("map?box=0,0,200,1&zoom=1", "180"),
        ("map?box=0,0,1,1&zoom=99", "zoom"),
        ("map?box=0,0,1,1&zoom=-1", "zoom"),
        ("places?region=Berlin", "country"),
        ("places/assets", "which place"),
        ("places/assets?cell=3/1/1", "level/x/y"),
        ("places/assets?cell=8/1/1&country=DE", "which place"),
    ];
    for (path, reason) in cases {
        let answer = home.get(&format!("/api/v1/{path}")).await;
        let problem = answer.assert_problem(400, "invalid_request");
        assert!(
            problem["detail"].as_str().unwrap().contains(reason),
            "{path}: {problem}"
        );
    }
    home.get("/api/v1/map?zoom=1")
        .await
        .assert_problem(400, "invalid_request");
    home.get("/api/v1/map?box=0,0,1,1&zoom=1&colour=red")
        .await
        .assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_member_sees_no_place_of_what_they_may_not_see() {
    let home = Home::on_sqlite().await;
    home.travelled().await;
    let member = Actor::Member {
        account_id: uuid::Uuid::now_v7().into(),
        family_id: home.family().await.id,
        role: Role::Member,
        sight: Sight::Audiences(Vec::new()),
    };
    let router = router(home.library.clone(), Door::Known(member));
    let get = async |path: &str| ask(&router, "GET", path, &[], None).await.json();
    let places = get("/api/v1/places").await;
    assert_eq!(
        (&places["items"], &places["unnamed"]),
        (&json!([]), &json!(null))
    );
    assert_eq!(
        sizes(&get("/api/v1/map?box=-180,-90,180,90&zoom=2").await),
        Vec::<u64>::new()
    );
    let path = "/api/v1/places/assets?country=DE&region=Brandenburg&name=Potsdam";
    assert_eq!(get(path).await["items"], json!([]));
}

#[tokio::test]
async fn a_place_that_somebody_types_has_a_position() {
    on_both_engines(async |home| {
        home.travelled().await;
        let found = home.get("/api/v1/places/known?q=brem&limit=3").await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), 3, "{found}");
        let bremen = &found["items"][0];
        assert_eq!(
            (&bremen["name"], &bremen["country"]),
            (&json!("Bremen"), &json!("DE")),
            "{found}"
        );
        let none = home.get("/api/v1/places/known?q=gibtesnirgends").await;
        assert_eq!(none.json()["items"], json!([]));
        // Who has no position gets this one, and an exact one is not lost to it.
        let (gate, somewhere) = (
            home.asset("gate.jpg").await,
            home.asset("somewhere.jpg").await,
        );
        let mut new = json!({
            "assets": [gate, somewhere], "kind": "position", "only_unplaced": true,
            "value": { "latitude": bremen["latitude"], "longitude": bremen["longitude"] },
        });
        let said = home.post("/api/v1/claims", &new).await;
        assert_eq!((said.status, &said.json()["asset_count"]), (201, &json!(1)));
        let places = home.places("?country=DE&region=Bremen").await;
        assert_eq!(places, ["Bremen 1"]);
        let again = home.post("/api/v1/claims", &new).await;
        again.assert_problem(409, "refused");
        new["kind"] = json!("title");
        new["value"] = json!("Bremen");
        let title = home.post("/api/v1/claims", &new).await;
        title.assert_problem(400, "invalid_request");
    })
    .await;
}
