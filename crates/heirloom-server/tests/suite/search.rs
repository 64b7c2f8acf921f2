//! Searching over HTTP. What is found how is the catalogue's to test; here it is that it comes out.

use heirloom_core::{Actor, AudienceId, audience::Sight, role::Role};
use heirloom_db::family::Family;
use heirloom_server::{Door, router};
use serde_json::{Value as Json, json};

use crate::harness::{Answer, Home, ask, on_both_engines};

fn names(page: &Json) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_search_finds_and_says_why() {
    on_both_engines(async |home| {
        home.scanned().await;
        let cases: [(&str, &[&str]); 7] = [
            ("strand", &["Strand.jpg"]),
            ("DUNE", &["Düne.jpg"]),
            ("meer%20type:image", &["Düne.jpg", "Strand.jpg"]),
            ("date:1974..1976", &["Strand.jpg"]),
            ("camera:canon%20-strand", &["Düne.jpg"]),
            ("type:audio", &["Oma erzählt.wav"]),
            ("nothing", &[]),
        ];
        for (query, found) in cases {
            let page = home.get(&format!("/api/v1/search?q={query}")).await;
            assert_eq!(page.status, 200, "{}", page.text());
            assert_eq!(names(&page.json()), found, "{query}");
        }
        let page = home.get("/api/v1/search?q=stra*%20!!!").await.json();
        assert_eq!(page["query"], "stra*");
        assert_eq!(page["ignored"][0]["text"], "!!!");
        let found = &page["items"][0];
        assert_eq!(found["place"]["path"], "Am Meer/Strand.jpg");
        let why = &found["matches"][0];
        assert_eq!(why["field"], "name");
        let (text, highlight) = (why["text"].as_str().unwrap(), &why["highlights"][0]);
        let at = |name: &str| usize::try_from(highlight[name].as_u64().unwrap()).unwrap();
        assert_eq!(&text[at("start")..at("end")], "Strand");
    })
    .await;
}

#[tokio::test]
async fn what_was_found_comes_page_by_page() {
    on_both_engines(async |home| {
        home.scanned().await;
        let mut all = Vec::new();
        let mut path = "/api/v1/search?q=&limit=3".to_owned();
        loop {
            let page = home.get(&path).await.json();
            all.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("/api/v1/search?q=&limit=3&after={next}");
        }
        assert_eq!(all.len(), 4, "{all:?}");
        assert_eq!(all[..2], ["Düne.jpg", "Strand.jpg"]);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_belongs_to_the_list_and_the_query_that_gave_it() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let cursor = async |path: &str| {
        let page = home.get(path).await.json();
        page["next"].as_str().unwrap().to_owned()
    };
    let listed = cursor("/api/v1/assets?limit=1").await;
    let found = cursor("/api/v1/search?q=type:image&limit=1").await;
    let all = cursor("/api/v1/search?limit=1").await;
    let cases = [
        (format!("/api/v1/assets?after={listed}"), true),
        (format!("/api/v1/search?q=type:image&after={found}"), true),
        (
            format!("/api/v1/search?q=%20type:image%20&after={found}&limit=2"),
            true,
        ),
        (format!("/api/v1/search?after={all}"), true),
        (format!("/api/v1/search?q=type:image&after={listed}"), false),
        (format!("/api/v1/search?after={listed}"), false),
        (format!("/api/v1/search?q=meer&after={found}"), false),
        (format!("/api/v1/search?q=type:image&after={all}"), false),
        (format!("/api/v1/assets?after={found}"), false),
        (format!("/api/v1/runs?after={listed}"), false),
    ];
    for (path, is_place) in cases {
        let answer = home.get(&path).await;
        if is_place {
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let items = answer.json()["items"].as_array().map(Vec::len);
            assert_ne!(items, Some(0), "{path}");
        } else {
            answer.assert_problem(400, "invalid_cursor");
        }
    }
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_refused() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Strand.jpg").await;
    let cases = [
        (
            "GET",
            "/api/v1/assets?afer=c00".to_owned(),
            "It takes: limit, after.",
        ),
        (
            "GET",
            "/api/v1/search?q=a&sort=name".to_owned(),
            "It takes: q, limit, after.",
        ),
        ("GET", format!("/api/v1/assets/{id}?full"), "It takes none."),
        (
            "DELETE",
            format!("/api/v1/assets/{id}?dry%5Frun=1"),
            "It takes none.",
        ),
    ];
    for (method, path, hint) in cases {
        let answer = home.ask(method, &path, &[], None).await;
        let problem = answer.assert_problem(400, "invalid_request");
        assert_eq!(problem["hint"], hint, "{path}");
    }
    let detail = home.get("/api/v1/assets?afer=c00").await.json()["detail"].clone();
    assert_eq!(detail, "\"afer\" is no parameter of this address");
    assert_eq!(home.get("/?q=strand&utm_source=x").await.status, 200);
    home.asset("Strand.jpg").await;
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused_with_what_to_write() {
    let home = Home::on_sqlite().await;
    let cases = [
        ("date:yesterday", 400, "invalid_query"),
        ("kammera:leica", 400, "invalid_query"),
        ("type:", 400, "invalid_query"),
        ("type:picture", 400, "invalid_query"),
        ("archive:nowhere", 404, "not_found"),
        (
            "like:01a1fd5a-0000-7000-8000-000000000000",
            404,
            "not_found",
        ),
    ];
    for (query, status, code) in cases {
        let answer = home.get(&format!("/api/v1/search?q={query}")).await;
        let problem = answer.assert_problem(status, code);
        if code == "invalid_query" {
            assert_eq!(problem["range"].as_array().map(Vec::len), Some(2));
        }
    }
    let misspelt = home.get("/api/v1/search?q=kammera:leica").await.json();
    let hint = misspelt["hint"].as_str().unwrap();
    assert!(hint.contains("Did you mean kamera:?"), "{hint}");
    let long = "a ".repeat(3_000);
    home.get(&format!("/api/v1/search?q={}", long.replace(' ', "+")))
        .await
        .assert_problem(400, "invalid_query");
    home.get("/api/v1/search?q=a&after=zz")
        .await
        .assert_problem(400, "invalid_cursor");
    let page = home.get("/api/v1/search").await.json();
    assert_eq!(page["items"], json!([]));
}

const SUGGESTIONS: &str = "/api/v1/search/suggestions";

/// Kind and text of each suggestion.
fn texts(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let items = answer.json()["items"].as_array().unwrap().clone();
    let text = |item: &Json, name: &str| item[name].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| (text(item, "kind"), text(item, "text")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = expected.iter();
    pairs
        .map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned()))
        .collect()
}

#[tokio::test]
async fn what_is_typed_is_gone_on_with_at_the_caret() {
    on_both_engines(async |home| {
        home.scanned().await;
        let answer = home
            .get(&format!("{SUGGESTIONS}?q=-camera:%C3%A9OS%20meer&at=12"))
            .await
            .json();
        assert_eq!(
            answer,
            json!({
                "items": [{ "kind": "camera", "name": "EOS 70D", "text": "\"EOS 70D\"", "assets": 2 }],
                "replaces": { "start": 8, "end": 12 },
            })
        );
        let cases: [(&str, &[(&str, &str)]); 7] = [
            ("q=cam", &[("field", "camera:")]),
            ("q=date:19", &[("date", "1980"), ("date", "1974")]),
            ("q=can", &[("camera", "camera:Canon")]),
            ("q=pict", &[("archive", "archive:Pictures")]),
            ("q=art:fi&language=de", &[("type", "film")]),
            ("q=k&language=de", &[("field", "kamera:")]),
            ("q=nothing", &[]),
        ];
        for (asked, expected) in cases {
            let answer = home.get(&format!("{SUGGESTIONS}?{asked}")).await;
            assert_eq!(texts(&answer), pairs(expected), "{asked}");
        }
        let few = home.get(&format!("{SUGGESTIONS}?limit=3")).await;
        assert_eq!(texts(&few).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn fields_are_offered_in_the_language_of_the_reader() {
    let home = Home::on_sqlite().await;
    let path = format!("{SUGGESTIONS}?q=o");
    let german = [("accept-language", "fr, de-AT;q=0.9, en;q=0.5")];
    let answer = home.ask("GET", &path, &german, None).await;
    assert_eq!(texts(&answer), pairs(&[("field", "ort:")]));
    // What is asked for outranks what is liked.
    let answer = home
        .ask("GET", &format!("{path}&language=en"), &german, None)
        .await;
    assert_eq!(texts(&answer), pairs(&[("type", "type:other")]));
}

#[tokio::test]
async fn a_question_for_suggestions_that_makes_no_sense_is_refused() {
    let home = Home::on_sqlite().await;
    let long = "a".repeat(2_001);
    let cases = [
        ("limit=0".to_owned(), "1 to 50"),
        ("limit=51".to_owned(), "1 to 50"),
        ("q=%C3%A4&at=1".to_owned(), "byte 1"),
        ("q=a&at=2".to_owned(), "byte 2"),
        ("language=fr".to_owned(), "\"fr\""),
        (format!("q={long}"), "2000 characters"),
        ("q=a&caret=1".to_owned(), "caret"),
    ];
    for (asked, reason) in cases {
        let answer = home.get(&format!("{SUGGESTIONS}?{asked}")).await;
        let problem = answer.assert_problem(400, "invalid_request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{asked}: {detail}");
    }
}

#[tokio::test]
async fn a_guest_is_never_told_of_a_place_that_only_others_may_see() {
    on_both_engines(async |home| {
        home.scanned().await;
        let family = home.family().await;
        let db = home.db().await;
        let parents = db
            .create_audience(&Actor::Operator, family.id, "parents")
            .await
            .unwrap();
        // A folder whose pictures are the parents' alone.
        let secret = home.folder.path().join("Geheim");
        std::fs::create_dir(&secret).unwrap();
        let hidden = Family {
            audience_id: parents,
            ..family.clone()
        };
        let path = secret.to_str().unwrap();
        db.create_archive(&Actor::Operator, &hidden, "Geheim", path)
            .await
            .unwrap();
        db.close().await;
        let picture = home.pictures().join("Am Meer/Strand.jpg");
        let mut bytes = std::fs::read(picture).unwrap();
        bytes.extend(b"another");
        std::fs::write(secret.join("b.jpg"), bytes).unwrap();
        home.scan(&secret).await;
        for (name, place) in [("Strand.jpg", "Bremen"), ("b.jpg", "Brest")] {
            let path = format!("/api/v1/assets/{}/claims", home.asset(name).await);
            let said = home
                .post(&path, &json!({ "kind": "place", "value": place }))
                .await;
            assert_eq!(said.status, 201, "{}", said.text());
        }

        let as_somebody = |audiences: Vec<AudienceId>| {
            let actor = Actor::Member {
                account_id: uuid::Uuid::now_v7().into(),
                family_id: family.id,
                role: Role::Viewer,
                sight: Sight::Audiences(audiences),
            };
            router(home.library.clone(), Door::Known(actor))
        };
        let guest = as_somebody(vec![family.audience_id]);
        let parent = as_somebody(vec![family.audience_id, parents]);
        let told = async |router, asked: &str| {
            let answer = ask(
                router,
                "GET",
                &format!("{SUGGESTIONS}?q={asked}"),
                &[],
                None,
            )
            .await;
            texts(&answer)
        };
        let bremen = ("place", "place:Bremen");
        assert_eq!(told(&guest, "br").await, pairs(&[bremen]));
        assert_eq!(
            told(&parent, "br").await,
            pairs(&[bremen, ("place", "place:Brest")])
        );
        assert_eq!(
            told(&guest, "place:bre").await,
            pairs(&[("place", "Bremen")])
        );
        assert_eq!(told(&guest, "archive:geh").await, pairs(&[]));
        assert_eq!(
            told(&parent, "archive:geh").await,
            pairs(&[("archive", "Geheim")])
        );
        let stranger = router(home.library.clone(), Door::Known(Actor::Stranger));
        ask(&stranger, "GET", &format!("{SUGGESTIONS}?q=br"), &[], None)
            .await
            .assert_problem(401, "unknown_actor");
    })
    .await;
}
