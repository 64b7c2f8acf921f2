//! Collections and bulk claims at the command line.

use crate::harness::{Home, redacted};

#[test]
fn albums_are_made_and_changed_by_their_names() {
    let home = Home::scanned();
    let [strand, duene, sound] =
        ["Strand.jpg", "Düne.jpg", "Oma erzählt.wav"].map(|name| home.asset(name));
    redacted(|| {
        insta::assert_snapshot!(home.done(["collection", "list"]).stdout);
        let create = [
            "collection",
            "create",
            "Am Meer",
            &strand,
            "--description",
            "Summers",
        ];
        insta::assert_snapshot!(home.done(create).stdout);
        let add = ["collection", "add", "am meer", &duene, &strand];
        insta::assert_snapshot!(home.done(add).stdout);
        let search = ["collection", "add", "Am Meer", "--search", "type:audio"];
        insta::assert_snapshot!(home.done(search).stdout);
        let front = ["collection", "move", "Am Meer", &sound, "--before", &strand];
        insta::assert_snapshot!(home.done(front).stdout);
        insta::assert_snapshot!(
            home.done(["collection", "remove", "Am Meer", &duene])
                .stdout
        );
        let saved = ["collection", "create", "Pictures", "--query", "-type:audio"];
        insta::assert_snapshot!(home.done(saved).stdout);
        insta::assert_snapshot!(home.done(["collection", "show", "Pictures"]).stdout);
        insta::assert_snapshot!(
            home.done(["collection", "rename", "Pictures", "Bilder"])
                .stdout
        );
        insta::assert_snapshot!(home.done(["collection", "freeze", "Bilder"]).stdout);
        insta::assert_snapshot!(home.done(["collection", "show", "Am Meer"]).stdout);
        insta::assert_snapshot!(home.done(["collection", "delete", "Bilder"]).stdout);
        insta::assert_snapshot!(home.done(["collection", "list", "--deleted"]).stdout);
        insta::assert_snapshot!(home.done(["collection", "restore", "Bilder"]).stdout);
        insta::assert_snapshot!(home.done(["collection", "list"]).stdout);
    });
    // What is refused, and what is said then.
    let said = home.refused(["collection", "show", "Nowhere"]);
    assert!(
        said.contains("there is no collection \"Nowhere\""),
        "{said}"
    );
    let said = home.heirloom.run(["collection", "add", "Bilder", &sound]);
    let said = said.expect_code(2).stderr;
    assert!(said.contains("\"Bilder\" is frozen"), "{said}");
    let said = home.refused(["collection", "add", "Am Meer", "--search", "nothing"]);
    assert!(said.contains("nothing was found"), "{said}");
    home.refused(["collection", "add", "Am Meer"]);
    home.refused(["collection", "create", "Both", &sound, "--query", "x"]);
    // Two that differ in case alone are told apart by their ids.
    home.done(["collection", "create", "bilder"]);
    let said = home.refused(["collection", "show", "BILDER"]);
    assert!(said.contains("several collections are called"), "{said}");
}

#[test]
fn the_json_of_collections_and_bulk_claims_is_stable() {
    let home = Home::scanned();
    let [strand, duene] = ["Strand.jpg", "Düne.jpg"].map(|name| home.asset(name));
    let json = |arguments: &[&str]| {
        let value = home.json(arguments.iter().copied());
        serde_json::to_string_pretty(&value).unwrap()
    };
    let made = home.json(["collection", "create", "Am Meer", &strand]);
    let id = made["id"].as_str().unwrap();
    redacted(|| {
        insta::assert_snapshot!(json(&["collection", "list"]));
        insta::assert_snapshot!(json(&["collection", "show", id]));
        insta::assert_snapshot!(json(&["collection", "add", id, &duene]));
        insta::assert_snapshot!(json(&["collection", "freeze", id]));
    });
    let many = [
        "claim",
        "make-many",
        "date",
        "1953~",
        &strand,
        &duene,
        "--source",
        "box 7",
    ];
    let batch = home.json(many)["id"].as_str().unwrap().to_owned();
    assert_eq!(
        home.json(["search", "date:1953"])["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    redacted(|| {
        insta::assert_snapshot!(json(&["claim", "undo-many", &batch]));
        insta::assert_snapshot!(json(&["claim", "redo-many", &batch]));
    });
}

#[test]
fn a_place_is_put_on_the_map_with_its_name() {
    let home = Home::scanned();
    let found = home.json(["place", "find", "paris, texas"]);
    assert_eq!(found["items"][0]["country"], "US", "{found}");
    let (strand, duene) = (home.asset("Strand.jpg"), home.asset("Düne.jpg"));
    home.done(["claim", "make", &duene, "position", "54.9,8.3"]);
    let on_map = |place: &'static str| {
        let words = [
            "claim",
            "make-many",
            "place",
            place,
            &strand,
            &duene,
            "--on-map",
        ];
        home.json(words)
    };
    let said = on_map("bremerh");
    // Where the dune is was known.
    assert_eq!(
        (
            &said["known"]["name"],
            &said["place"]["value"],
            &said["place"]["asset_count"],
            &said["position"]["asset_count"]
        ),
        (
            &"Bremerhaven".into(),
            &"Bremerhaven".into(),
            &2.into(),
            &1.into()
        ),
        "{said}"
    );
    assert!(on_map("Bremen")["position"].is_null(), "both have one");
    let refused = home.refused([
        "claim",
        "make-many",
        "place",
        "Gibtesnirgends",
        &strand,
        "--on-map",
    ]);
    assert!(refused.contains("is called"), "{refused}");
    let places = home.done(["place", "list", "--country", "DE"]);
    assert!(places.stdout.contains("Bremen"), "{places:?}");
}

#[test]
fn the_same_is_said_of_all_that_a_search_finds_and_taken_back() {
    let home = Home::scanned();
    let said = home.done([
        "claim",
        "make-many",
        "tag",
        "box 7",
        "--search",
        "type:image",
    ]);
    redacted(|| insta::assert_snapshot!(said.stdout));
    assert_eq!(
        home.json(["search", "tag:box"])["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let batch = said.stdout.split("undo-many ").nth(1).unwrap();
    let batch = batch.split('`').next().unwrap();
    redacted(|| insta::assert_snapshot!(home.done(["claim", "undo-many", batch]).stdout));
    assert_eq!(
        home.json(["search", "tag:box"])["items"],
        serde_json::json!([])
    );
    let unknown = "01a1fd5a-0000-7000-8000-000000000000";
    let strand = home.asset("Strand.jpg");
    let refused = home
        .heirloom
        .run(["claim", "make-many", "tag", "x", &strand, unknown]);
    let said = refused.expect_code(2).stderr;
    assert!(
        said.contains(&format!("there is no asset {unknown}")),
        "{said}"
    );
    home.refused(["claim", "make-many", "tag", "x"]);
}
