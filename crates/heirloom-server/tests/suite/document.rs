//! Documents over HTTP: their pages can be looked at, their text read, and they are found by it.

use std::fs;

use heirloom_testing::media::media;
use serde_json::{Value as Json, json};

use crate::harness::{Home, on_both_engines};

/// A library of documents that has been prepared; gives the run.
async fn prepared(home: &Home) -> Json {
    let root = home.folder.path().join("Papers");
    fs::create_dir(&root).unwrap();
    for (from, to) in [
        ("documents/letter.pdf", "letter.pdf"),
        ("documents/letter.docx", "letter.docx"),
        ("documents/letter_1252.txt", "letter.txt"),
        ("malformed/pp_r2-user-password.pdf", "locked.pdf"),
        ("malformed/omp_invalid.pdf", "broken.pdf"),
        (
            "sample/1944 letters/1944-03-12 Anna to Karl.tif",
            "three pages.tif",
        ),
        ("pictures/lzw.tif", "one page.tif"),
    ] {
        fs::copy(media(from), root.join(to)).unwrap();
    }
    let archive = home
        .post("/api/v1/archives", &json!({ "path": root }))
        .await
        .json();
    let path = format!("/api/v1/archives/{}/scans", archive["id"].as_str().unwrap());
    let scan = home.post(&path, &json!({})).await.json();
    let scan = home.wait(&scan).await;
    home.wait(&json!({ "id": scan["next_run_id"] })).await
}

async fn artifacts(home: &Home, name: &str) -> Vec<Json> {
    let asset = home.asset(name).await;
    let detail = home.get(&format!("/api/v1/assets/{asset}")).await.json();
    detail["artifacts"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_can_be_looked_at_page_by_page_and_are_found_by_their_text() {
    on_both_engines(async |home| {
        let run = prepared(&home).await;
        assert_eq!(run["state"], "done", "{run}");
        let steps = run["steps"].as_array().unwrap();
        let counts = |name: &str| {
            let step = steps.iter().find(|step| step["step"] == name).unwrap();
            ["done", "skipped", "failed"].map(|state| step[state].as_i64().unwrap())
        };
        // Of three PDF and two TIFF; of five documents.
        assert_eq!(
            (counts("pages"), counts("text")),
            ([3, 1, 1], [3, 1, 1]),
            "{run}"
        );

        let letter = home.asset("letter.pdf").await;
        let look = |part: &'static str| format!("/api/v1/assets/{letter}/renditions/{part}");
        for part in ["grid", "grid?page=1", "grid?page=2", "screen?page=2"] {
            let answer = home.get(&look(part)).await;
            assert_eq!(answer.status, 200, "{part}");
            assert!(answer.body.len() > 100, "{part}");
        }
        assert_eq!(home.get(&look("screen?page=3")).await.status, 404);
        assert_eq!(
            home.get(&look("screen")).await.header("content-type"),
            "image/jpeg"
        );
        let pages = home.get(&look("pages")).await.json();
        assert_eq!(pages, json!({ "count": 2, "drawn": 2, "problems": [] }));
        let text = home.get(&look("text")).await.json();
        assert_eq!(
            text["pages"][1],
            json!({ "page": 2, "text": "Seite zwei" }),
            "{text}"
        );
        let whole = home.get(&look("grid")).await.body;
        assert_eq!(whole, home.get(&look("grid?page=1")).await.body);

        let tiff = home.asset("three pages.tif").await;
        let third = home
            .get(&format!("/api/v1/assets/{tiff}/renditions/full?page=3"))
            .await;
        assert_eq!(
            (third.status, third.header("content-type")),
            (200, "image/jpeg")
        );
        let single = artifacts(&home, "one page.tif").await;
        assert!(
            single.iter().all(|artifact| artifact["part"] == ""),
            "{single:?}"
        );
        assert!(single.iter().any(|artifact| artifact["kind"] == "pages"));

        let cases: [(&str, &[&str]); 3] = [
            (
                "apfel%20grussen",
                &["letter.docx", "letter.pdf", "letter.txt"],
            ),
            ("achtzig", &["letter.docx", "letter.txt"]),
            ("%22seite%20zwei%22", &["letter.pdf"]),
        ];
        for (query, names) in cases {
            let page = home.get(&format!("/api/v1/search?q={query}")).await.json();
            let items = page["items"].as_array().unwrap();
            let mut found: Vec<&str> = items
                .iter()
                .map(|item| item["name"].as_str().unwrap())
                .collect();
            found.sort_unstable();
            assert_eq!(found, names, "{query}");
            assert_eq!(items[0]["matches"][0]["field"], "text");
        }

        // What cannot be opened says why.
        let path = format!(
            "/api/v1/runs/{}/units?limit=100",
            run["id"].as_str().unwrap()
        );
        let units = home.get(&path).await.json();
        let reason = |name: &str| {
            let mut units = units["items"].as_array().unwrap().iter();
            let unit = units.find(|unit| unit["asset_name"] == name).unwrap();
            unit["error"].as_str().unwrap().to_owned()
        };
        assert!(
            reason("locked.pdf").contains("locked with a password"),
            "{}",
            reason("locked.pdf")
        );
        assert!(
            reason("broken.pdf").contains("damaged"),
            "{}",
            reason("broken.pdf")
        );
    })
    .await;
}
