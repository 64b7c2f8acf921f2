//! Collections over HTTP. What is in which is the catalogue's to test; here it is that it comes out, and
//! for whom.

use heirloom_core::{Actor, AudienceId, audience::Sight, role::Role};
use heirloom_db::collection::NewCollection;
use heirloom_server::{Door, Router, router};
use serde_json::{Value as Json, json};

use crate::harness::{Home, ask, on_both_engines};

const COLLECTIONS: &str = "/api/v1/collections";

fn path(collection: &Json) -> String {
    format!("{COLLECTIONS}/{}", collection["id"].as_str().unwrap())
}

fn names(page: &Json) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

/// Makes a collection and gives it.
async fn make(home: &Home, new: &Json) -> Json {
    let made = home.post(COLLECTIONS, new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

/// What somebody gets who sees these audiences.
async fn as_somebody(home: &Home, role: Role, audiences: &[AudienceId]) -> Router {
    let actor = Actor::Member {
        account_id: uuid::Uuid::now_v7().into(),
        family_id: home.family().await.id,
        role,
        sight: Sight::Audiences(audiences.to_vec()),
    };
    router(home.library.clone(), Door::Known(actor))
}

#[tokio::test]
async fn an_album_is_made_filled_put_in_order_and_frozen() {
    on_both_engines(async |home| {
        home.scanned().await;
        let strand = home.asset("Strand.jpg").await;
        let duene = home.asset("Düne.jpg").await;
        let sound = home.asset("Oma erzählt.wav").await;
        let new = json!({ "name": " Am Meer ", "description": "1974", "assets": [strand] });
        let album = make(&home, &new).await;
        assert_eq!(
            (album["name"].as_str(), album["count"].as_i64()),
            (Some("Am Meer"), Some(1))
        );
        assert_eq!(album["cover"]["name"], "Strand.jpg");
        assert_eq!(album["is_dynamic"], false);
        let at = path(&album);
        let members = format!("{at}/assets");

        let added = home
            .post(&members, &json!({ "assets": [duene, strand, sound] }))
            .await
            .json();
        assert_eq!(
            (added["changed"].as_i64(), added["count"].as_i64()),
            (Some(2), Some(3))
        );
        let mut order = Vec::new();
        let mut next = format!("{members}?limit=2");
        loop {
            let page = home.get(&next).await.json();
            order.extend(names(&page).into_iter().map(str::to_owned));
            let Some(after) = page["next"].as_str() else {
                break;
            };
            next = format!("{members}?limit=2&after={after}");
        }
        assert_eq!(order, ["Strand.jpg", "Düne.jpg", "Oma erzählt.wav"]);

        let to_front = json!({ "asset_id": sound, "before_asset_id": strand });
        home.post(&format!("{members}/move"), &to_front).await;
        let to_end = json!({ "asset_id": strand, "before_asset_id": null });
        let moved = home.post(&format!("{members}/move"), &to_end).await;
        assert_eq!(moved.json()["cover"]["name"], "Oma erzählt.wav");
        let removed = home
            .post(&format!("{members}/remove"), &json!({ "assets": [duene] }))
            .await;
        assert_eq!(removed.json()["changed"], 1);
        assert_eq!(
            names(&home.get(&members).await.json()),
            ["Oma erzählt.wav", "Strand.jpg"]
        );
        let found = home
            .get("/api/v1/search?q=in:%22am%20meer%22%20type:image")
            .await;
        assert_eq!(names(&found.json()), ["Strand.jpg"]);

        let frozen = home
            .ask("POST", &format!("{at}/freeze"), &[], None)
            .await
            .json();
        assert!(frozen["frozen_at_ms"].is_i64(), "{frozen}");
        for (what, body) in [
            ("", json!({ "assets": [duene] })),
            ("/remove", json!({ "assets": [strand] })),
            ("/move", to_end),
        ] {
            let refused = home.post(&format!("{members}{what}"), &body).await;
            let problem = refused.assert_problem(409, "refused");
            assert!(
                problem["detail"].as_str().unwrap().contains("is frozen"),
                "{problem}"
            );
        }
        assert_eq!(
            home.get(&members).await.json()["items"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn a_saved_search_is_changed_frozen_and_says_where_it_came_from() {
    on_both_engines(async |home| {
        home.scanned().await;
        let saved = make(
            &home,
            &json!({ "name": "Canon", "query": "camera:canon  strand" }),
        )
        .await;
        assert_eq!(
            saved["query"], "camera:canon strand",
            "as it was understood"
        );
        assert_eq!(
            (saved["is_dynamic"].as_bool(), saved["count"].as_i64()),
            (Some(true), Some(1))
        );
        let at = path(&saved);
        let strand = home.asset("Strand.jpg").await;
        home.post(&format!("{at}/assets"), &json!({ "assets": [strand] }))
            .await
            .assert_problem(409, "refused");
        let patch = json!({ "query": "camera:canon" });
        let patched = home
            .ask("PATCH", &at, &[("if-match", "\"1\"")], Some(&patch))
            .await;
        assert_eq!(patched.json()["count"], 2);
        home.ask("PATCH", &at, &[("if-match", "\"1\"")], Some(&patch))
            .await
            .assert_problem(412, "version_conflict");
        let page = home.get(&format!("{at}/assets?limit=1")).await.json();
        assert_eq!(names(&page), ["Düne.jpg"]);
        let next = format!(
            "{at}/assets?limit=1&after={}",
            page["next"].as_str().unwrap()
        );
        assert_eq!(names(&home.get(&next).await.json()), ["Strand.jpg"]);

        let tag = patched.header("etag").to_owned();
        let freeze = format!("{at}/freeze");
        let frozen = home
            .ask("POST", &freeze, &[("if-match", &tag)], None)
            .await
            .json();
        assert_eq!(
            (frozen["is_dynamic"].as_bool(), frozen["query"].as_str()),
            (Some(false), Some("camera:canon"))
        );
        // A place in what the search found is none in what it has become.
        home.get(&next).await.assert_problem(400, "invalid_cursor");
        let duene = home.asset("Düne.jpg").await;
        let no = json!({ "kind": "camera_make", "value": "Canon", "is_negation": true });
        home.post(&format!("/api/v1/assets/{duene}/claims"), &no)
            .await;
        assert_eq!(home.get(&at).await.json()["count"], 2);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_collection_comes_back_and_the_same_key_makes_one() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let new = json!({ "name": "Album" });
    let key = [("idempotency-key", "a-key")];
    let first = home.ask("POST", COLLECTIONS, &key, Some(&new)).await;
    let again = home.ask("POST", COLLECTIONS, &key, Some(&new)).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    home.ask("POST", COLLECTIONS, &key, Some(&json!({ "name": "Other" })))
        .await
        .assert_problem(422, "idempotency_key_reused");
    let at = path(&first.json());
    let deleted = home.ask("DELETE", &at, &[], None).await.json();
    assert!(deleted["deleted_at_ms"].is_i64());
    let list = async |parameters: &str| {
        let list = home.get(&format!("{COLLECTIONS}{parameters}")).await.json();
        names(&list)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (list("").await, list("?deleted=true").await),
        (vec![], vec!["Album".to_owned()])
    );
    home.ask("POST", &format!("{at}/restore"), &[], None).await;
    assert_eq!(list("").await, ["Album"]);
    let too_many: Vec<String> = (0..5_001)
        .map(|_| uuid::Uuid::now_v7().to_string())
        .collect();
    home.post(&format!("{at}/assets"), &json!({ "assets": too_many }))
        .await
        .assert_problem(400, "invalid_request");
    home.post(&format!("{at}/assets"), &json!({ "assets": [] }))
        .await
        .assert_problem(400, "invalid_request");
    let audit = home.db().await;
    let family = home.family().await.id;
    assert!(
        audit
            .check_audit(&Actor::Operator, family)
            .await
            .unwrap()
            .unwrap()
            >= 4
    );
    audit.close().await;
}

#[tokio::test]
async fn a_guest_looks_and_somebody_of_another_audience_learns_nothing() {
    on_both_engines(async |home| {
        home.scanned().await;
        let family = home.family().await;
        let strand = home.asset("Strand.jpg").await;
        let album = make(&home, &json!({ "name": "Album", "assets": [strand] })).await;
        let db = home.db().await;
        let parents = db
            .create_audience(&Actor::Operator, family.id, "parents")
            .await
            .unwrap();
        let hidden = NewCollection {
            name: "Gifts".to_owned(),
            description: String::new(),
            query: None,
            audience_id: parents,
            assets: vec![strand.parse().unwrap()],
        };
        let hidden = db
            .create_collection_once(&Actor::Operator, family.id, hidden, None)
            .await
            .unwrap();
        db.close().await;
        let hidden = format!("{COLLECTIONS}/{}", hidden.id);
        let asks = |body: Json| Some(body);
        let changes = |at: &str| {
            [
                ("PATCH", at.to_owned(), asks(json!({ "name": "Mine" }))),
                ("DELETE", at.to_owned(), None),
                ("POST", format!("{at}/restore"), None),
                ("POST", format!("{at}/freeze"), None),
                (
                    "POST",
                    format!("{at}/assets"),
                    asks(json!({ "assets": [strand] })),
                ),
                (
                    "POST",
                    format!("{at}/assets/remove"),
                    asks(json!({ "assets": [strand] })),
                ),
                (
                    "POST",
                    format!("{at}/assets/move"),
                    asks(json!({ "asset_id": strand })),
                ),
            ]
        };
        let guest = as_somebody(&home, Role::Viewer, &[family.audience_id]).await;
        let list = ask(&guest, "GET", COLLECTIONS, &[], None).await.json();
        assert_eq!(names(&list), ["Album"], "what is hidden is in no list");
        let seen = ask(&guest, "GET", &path(&album), &[], None).await.json();
        assert_eq!(seen["count"], 1);
        for (method, at, body) in changes(&path(&album)) {
            let refused = ask(&guest, method, &at, &[], body.as_ref()).await;
            refused.assert_problem(403, "denied");
        }
        let new = json!({ "name": "Mine" });
        ask(&guest, "POST", COLLECTIONS, &[], Some(&new))
            .await
            .assert_problem(403, "denied");

        // An owner who is not among the parents knows of nothing.
        let owner = as_somebody(&home, Role::Owner, &[family.audience_id]).await;
        for at in [hidden.clone(), format!("{hidden}/assets")] {
            ask(&owner, "GET", &at, &[], None)
                .await
                .assert_problem(404, "not_found");
        }
        for (method, at, body) in changes(&hidden) {
            let refused = ask(&owner, method, &at, &[], body.as_ref()).await;
            refused.assert_problem(404, "not_found");
        }
        let search = "/api/v1/search?q=in:gifts";
        ask(&owner, "GET", search, &[], None)
            .await
            .assert_problem(404, "not_found");
        assert_eq!(names(&home.get(search).await.json()), ["Strand.jpg"]);
        // And to somebody who sees the collection but not what is in it, nothing is in it.
        let other = as_somebody(&home, Role::Member, &[parents]).await;
        let seen = ask(&other, "GET", &hidden, &[], None).await.json();
        assert_eq!(
            (seen["count"].as_i64(), &seen["cover"]),
            (Some(0), &Json::Null)
        );
        let members = ask(&other, "GET", &format!("{hidden}/assets"), &[], None)
            .await
            .json();
        assert_eq!(names(&members), Vec::<&str>::new());
    })
    .await;
}
