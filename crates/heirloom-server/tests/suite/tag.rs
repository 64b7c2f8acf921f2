//! Tags over HTTP: who may see, give and deny them, in which languages they are told, and how they are taken back.

use heirloom_core::{Actor, AudienceId, audience::Sight, role::Role};
use heirloom_server::{Door, Router, router};
use serde_json::{Value as Json, json};

use crate::harness::{Home, ask, on_both_engines};

async fn somebody(home: &Home, role: Role, audiences: &[AudienceId]) -> Router {
    let actor = Actor::Member {
        account_id: uuid::Uuid::now_v7().into(),
        family_id: home.family().await.id,
        role,
        sight: Sight::Audiences(audiences.to_vec()),
    };
    router(home.library.clone(), Door::Known(actor))
}

/// What an asset is tagged with, and whether that is denied.
async fn tags(home: &Home, asset: &str) -> Vec<(String, bool)> {
    let tags = home.get(&format!("/api/v1/assets/{asset}/tags")).await;
    let tags = tags.json();
    let tags = tags["items"].as_array().unwrap().iter();
    let told = tags.map(|tag| {
        let word = tag["tag"].as_str().unwrap().to_owned();
        (word, tag["is_denied"] == true)
    });
    told.collect()
}

#[tokio::test]
async fn a_tag_is_given_denied_and_taken_back() {
    on_both_engines(async |home: Home| {
        home.scanned().await;
        let asset = home.asset("Strand.jpg").await;
        let claims = format!("/api/v1/assets/{asset}/claims");
        assert_eq!(tags(&home, &asset).await, []);
        let new = json!({ "kind": "tag", "value": "Hund" });
        let made = home.post(&claims, &new).await.json();
        let told = home.get(&format!("/api/v1/assets/{asset}/tags")).await;
        let told = told.json()["items"][0].clone();
        assert_eq!(
            (&told["by"], &told["model"], &told["claim_id"]),
            (&json!("person"), &Json::Null, &made["id"])
        );
        // A noun that machines know is one in each language.
        assert_eq!(told["names"], json!({ "en": "dog", "de": "Hund" }));
        let no = json!({ "kind": "tag", "value": "Hund", "is_negation": true });
        let denied = home.post(&claims, &no).await.json();
        assert_eq!(tags(&home, &asset).await, [("Hund".to_owned(), true)]);
        for (claim, left) in [(&denied, vec![("Hund".to_owned(), false)]), (&made, vec![])] {
            let undo = format!("{claims}/{}/undo", claim["id"].as_str().unwrap());
            assert_eq!(home.post(&undo, &json!({})).await.status, 200);
            assert_eq!(tags(&home, &asset).await, left);
        }
    })
    .await;
}

#[tokio::test]
async fn tags_are_for_those_who_may_see_what_has_them() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let asset = home.asset("Strand.jpg").await;
    let (path, claims) = (
        format!("/api/v1/assets/{asset}/tags"),
        format!("/api/v1/assets/{asset}/claims"),
    );
    let new = json!({ "kind": "tag", "value": "sea" });
    let audience = home.family().await.audience_id;
    for (role, status) in [(Role::Viewer, 403), (Role::Member, 201)] {
        let router = somebody(&home, role, &[audience]).await;
        assert_eq!(ask(&router, "GET", &path, &[], None).await.status, 200);
        let made = ask(&router, "POST", &claims, &[], Some(&new)).await;
        assert_eq!(made.status, status, "{}", made.text());
    }
    let other = somebody(&home, Role::Owner, &[]).await;
    let hidden = ask(&other, "GET", &path, &[], None).await;
    hidden.assert_problem(404, "not_found");
    for value in [json!(""), json!("  "), json!(7), json!("a\u{0}b")] {
        let new = json!({ "kind": "tag", "value": value });
        let refused = home.post(&claims, &new).await;
        assert!((400..500).contains(&refused.status), "{}", refused.text());
    }
    let missing = "/api/v1/assets/01890000-0000-7000-8000-000000000000/tags";
    home.get(missing).await.assert_problem(404, "not_found");
}
