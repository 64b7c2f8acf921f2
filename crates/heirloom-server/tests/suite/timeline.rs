//! The timeline over HTTP. What is counted how is the catalogue's to test; here it is that it comes out.

use serde_json::{Value as Json, json};

use crate::harness::{Home, on_both_engines};

fn counts(timeline: &Json) -> Vec<(String, i64)> {
    let buckets = timeline["buckets"].as_array().unwrap().iter();
    buckets
        .map(|bucket| {
            let name = bucket["bucket"].as_str().unwrap().to_owned();
            (name, bucket["count"].as_i64().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn the_timeline_says_how_much_there_is_and_shows_any_part_of_it() {
    on_both_engines(async |home| {
        home.scanned().await;
        let timeline = home.get("/api/v1/timeline").await.json();
        let expected = [("1980-08", 1), ("1974-07", 1), ("undated", 2)];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(counts(&timeline), expected);
        assert_eq!(timeline["count"], 4);
        let images = home.get("/api/v1/timeline?q=type:image").await.json();
        assert_eq!(counts(&images)[2], ("undated".to_owned(), 1));
        let named = home.get("/api/v1/timeline?q=strand").await.json();
        assert_eq!(counts(&named), [("1974-07".to_owned(), 1)]);

        let listed = home.get("/api/v1/assets").await.json();
        let listed = listed["items"].as_array().unwrap();
        for (offset, asset) in [(0, &listed[2]), (1, &listed[3])] {
            let path = format!("/api/v1/timeline/undated?offset={offset}&limit=1");
            let part = home.get(&path).await.json();
            assert_eq!(part["items"], json!([asset]));
            let path = format!(
                "/api/v1/timeline/position?asset={}",
                asset["id"].as_str().unwrap()
            );
            let position = home.get(&path).await.json();
            assert_eq!(position, json!({ "bucket": "undated", "offset": offset }));
        }
        let empty = home.get("/api/v1/timeline/1953%2F..").await;
        assert_eq!(empty.json(), json!({ "items": [], "buckets": [] }));

        // Months with a picture each come together.
        let path = "/api/v1/timeline/1974-07?run_on=true&limit=2";
        let part = home.get(path).await.json();
        assert_eq!(part["items"], json!([listed[1], listed[2]]));
        let expected = [("1974-07", 1), ("undated", 1)];
        assert_eq!(
            counts(&part),
            expected.map(|(name, count)| (name.to_owned(), count))
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_no_part_of_a_timeline_is_said_to_be_none() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let strand = home.asset("Strand.jpg").await;
    let elsewhere = format!("/api/v1/timeline/position?asset={strand}&q=type:audio");
    let nowhere = json!({ "bucket": null, "offset": null });
    assert_eq!(home.get(&elsewhere).await.json(), nowhere);
    let cases = [
        ("/api/v1/timeline/1974-13".to_owned(), 404, "not_found"),
        ("/api/v1/timeline/soon".to_owned(), 404, "not_found"),
        (
            "/api/v1/timeline/undated?limit=501".to_owned(),
            400,
            "invalid_request",
        ),
        (
            "/api/v1/timeline?q=nosuch:field".to_owned(),
            400,
            "invalid_query",
        ),
        (
            "/api/v1/timeline/position?asset=nobody".to_owned(),
            404,
            "not_found",
        ),
    ];
    for (path, status, code) in cases {
        home.get(&path).await.assert_problem(status, code);
    }
}

#[tokio::test]
async fn a_list_says_what_an_asset_looks_like_once_it_is_drawn() {
    on_both_engines(async |home| {
        home.scanned().await;
        let strand = home.asset("Strand.jpg").await;
        let look = async || {
            let asset = home.get(&format!("/api/v1/assets/{strand}")).await.json();
            let bucket = home.get("/api/v1/timeline/1974-07").await.json();
            assert_eq!(bucket["items"][0]["look"], asset["look"]);
            asset["look"].clone()
        };
        assert_eq!(look().await, Json::Null);
        let run = home
            .post("/api/v1/runs", &json!({ "pipeline": "prepare" }))
            .await;
        assert_eq!(home.wait(&run.json()).await["state"], "done");
        let look = look().await;
        assert!(look["width"].as_i64() > Some(0) && look["height"].as_i64() > Some(0));
        assert!(look["thumbhash"].as_str().unwrap().len() >= 10, "{look}");
        assert_eq!(look["renditions"], json!(["grid", "screen"]));
        assert_eq!(look["page"], Json::Null);
        for kind in look["renditions"].as_array().unwrap() {
            let path = format!(
                "/api/v1/assets/{strand}/renditions/{}",
                kind.as_str().unwrap()
            );
            assert_eq!(home.get(&path).await.status, 200);
        }
    })
    .await;
}
