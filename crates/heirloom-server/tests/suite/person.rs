//! Whose faces are in pictures, over HTTP: who may look and say, what cannot be meant, pages, and how all of it is taken
//! back.

use heirloom_core::{
    Actor, Area, AudienceId, ContentHash, MediaKind,
    audience::Sight,
    face::{Face, Faceprint},
    role::Role,
};
use heirloom_db::{
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::Measures,
    record::{FoundFile, ScanBatch},
};
use heirloom_server::{Door, Router, router};
use serde_json::{Value as Json, json};

use crate::harness::{Answer, Home, ask, on_both_engines};

const ANNA: [f32; 3] = [1.0, 0.0, 0.0];
const EMIL: [f32; 3] = [0.0, 1.0, 0.0];
const IDA: [f32; 3] = [0.0, 0.0, 1.0];
const PEOPLE: &str = "/api/v1/people";
const SAID: &str = "/api/v1/people/said";

impl Home {
    /// A library in whose pictures these faces were found, as a run keeps them; gives the pictures.
    async fn with_faces(&self, pictures: &[&[[f32; 3]]]) -> Vec<String> {
        let (db, operator) = (self.db().await, &Actor::Operator);
        let family = db.get_or_create_family("Family").await.unwrap();
        let archive = db.create_archive(operator, &family, "Album", "/album");
        let archive = archive.await.unwrap();
        let nothing = json!({});
        let scan = db.begin_run(operator, family.id, "scan", Some(archive.id), &nothing);
        let scan = scan.await.unwrap().id;
        let folder = db.get_or_create_folder(archive.id, None, "").await.unwrap();
        let files = (0_u8..).zip(pictures).map(|(number, looks)| {
            let content_hash = ContentHash::from_bytes([number; 32]);
            FoundFile {
                folder_id: folder.id,
                folder_path: String::new(),
                name: format!("{number}.jpg"),
                size_bytes: 1_000,
                modified_at_ns: 0,
                changed_at_ns: 0,
                content_hash,
                measures: Measures {
                    kind: MediaKind::Image,
                    media_type: "image/jpeg",
                    width: Some(400),
                    height: Some(300),
                    duration_ms: None,
                },
                derived: vec![found(content_hash, looks)],
                previous: None,
            }
        });
        let batch = ScanBatch {
            files: files.collect(),
            ..ScanBatch::default()
        };
        db.record_batch(&archive, scan, 0, &batch).await.unwrap();
        db.gather_faces(family.id).await.unwrap();
        db.close().await;
        let mut assets = Vec::new();
        for number in 0..pictures.len() {
            assets.push(self.asset(&format!("{number}.jpg")).await);
        }
        assets
    }

    /// What somebody gets who has a role and sees these audiences.
    async fn somebody(&self, role: Role, audiences: &[AudienceId]) -> Router {
        let actor = Actor::Member {
            account_id: uuid::Uuid::now_v7().into(),
            family_id: self.family().await.id,
            role,
            sight: Sight::Audiences(audiences.to_vec()),
        };
        router(self.library.clone(), Door::Known(actor))
    }

    /// Names and how many faces each has.
    async fn people(&self) -> Vec<(Option<String>, u64)> {
        let people = self.get(PEOPLE).await.json();
        let people = people["items"].as_array().unwrap().iter();
        let told = people.map(|one| {
            let name = one["name"].as_str().map(str::to_owned);
            (name, one["face_count"].as_u64().unwrap())
        });
        told.collect()
    }

    async fn groups(&self) -> Vec<Json> {
        let people = self.get(PEOPLE).await.json();
        let people = people["items"].as_array().unwrap().iter();
        people.map(|one| one["group"].clone()).collect()
    }

    async fn tell(&self, said: Json) -> Json {
        let made = self.post(SAID, &said).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    async fn undo(&self, said: &Json) -> Answer {
        let id = said["id"].as_str().unwrap();
        let undo = format!("/api/v1/claims/{id}/undo");
        self.post(&undo, &json!({})).await
    }
}

/// What a machine finds in a picture whose faces look like this.
fn found(input: ContentHash, looks: &[[f32; 3]]) -> Derived {
    let places = (0_u8..).map(|at| f64::from(at) * 0.25);
    let faces = looks.iter().zip(places).map(|(look, left)| Face {
        area: Area::new([left, 0.1, 0.2, 0.3]).unwrap(),
        at_ms: None,
        moments: Vec::new(),
        probability: 1.0,
        quality: 0.9,
        landmarks: Vec::new(),
        print: Faceprint::of("eyes", look),
    });
    let faces: Vec<Face> = faces.collect();
    Derived {
        artifact: NewArtifact {
            kind: "faces",
            part: Part::Whole,
            tool: "faces",
            tool_version: 1,
            model: "eyes".to_owned(),
            parameters: Json::Null,
            is_deterministic: false,
            inputs: vec![input],
            payload: Payload::Faces {
                json: Some(json!({ "faces": faces })),
                blob: None,
                faces,
            },
        },
        claims: Vec::new(),
    }
}

fn named(name: &str, faces: u64) -> (Option<String>, u64) {
    (Some(name.to_owned()), faces)
}

#[tokio::test]
async fn somebody_is_named_joined_left_out_and_all_of_it_is_taken_back() {
    on_both_engines(async |home: Home| {
        let pictures = home.with_faces(&[&[ANNA, EMIL], &[ANNA], &[IDA]]).await;
        let before = home.get(PEOPLE).await.json();
        assert_eq!(home.people().await, [(None, 2), (None, 1), (None, 1)]);
        let groups = home.groups().await;
        let name = home
            .tell(json!({ "of": [groups[0]], "what": "name", "name": " Anna " }))
            .await;
        assert_eq!(
            (&name["what"], &name["name"], &name["face_count"]),
            (&json!("name"), &json!("Anna"), &json!(2))
        );
        assert_eq!(home.people().await[0], named("Anna", 2));
        let faces = format!("/api/v1/assets/{}/faces", pictures[0]);
        let seen = home.get(&faces).await.json();
        let names: Vec<_> = (seen["faces"].as_array().unwrap().iter())
            .map(|face| face["whose"]["name"].clone())
            .collect();
        assert_eq!(names, [json!("Anna"), json!(null)]);
        // Three become one at once.
        let same = json!({ "of": [groups[1], groups[2]], "what": "same", "group": groups[0] });
        let same = home.tell(same).await;
        assert_eq!(home.people().await, [named("Anna", 4)]);
        assert_eq!(home.undo(&same).await.status, 200);
        assert_eq!(home.people().await.len(), 3);
        let apart = json!({ "of": [groups[1]], "what": "not_same", "group": groups[2] });
        let apart = home.tell(apart).await;
        let hidden = json!({ "of": [groups[2]], "what": "stranger" });
        let hidden = home.tell(hidden).await;
        assert_eq!(home.people().await.len(), 2);
        let aside = home.get(&format!("{PEOPLE}?aside=true")).await.json();
        assert_eq!(aside["items"][0]["group"], groups[2]);
        let of = groups[2].as_str().unwrap();
        let faces = home.get(&format!("{PEOPLE}/{of}/faces?aside=true")).await;
        assert_eq!(faces.json()["items"][0]["whose"]["aside"], "stranger");
        let said = home.get(SAID).await.json();
        let told: Vec<_> = (said["items"].as_array().unwrap().iter())
            .map(|it| (it["what"].as_str().unwrap(), it["is_undone"] == true))
            .collect();
        // Who is the same as somebody with a name has it: that tells more.
        let all = [
            ("stranger", false),
            ("not_same", false),
            ("name", true),
            ("name", false),
        ];
        assert_eq!(told, all);
        // In any order.
        for said in [&name, &hidden, &apart] {
            assert_eq!(home.undo(said).await.status, 200);
        }
        assert_eq!(home.get(PEOPLE).await.json(), before);
    })
    .await;
}

#[tokio::test]
async fn what_was_said_comes_in_pages_to_its_beginning() {
    let home = Home::on_sqlite().await;
    home.with_faces(&[&[ANNA]]).await;
    let group = home.groups().await.remove(0);
    for number in 0..35 {
        let name = format!("Name {number}");
        home.tell(json!({ "of": [group], "what": "name", "name": name }))
            .await;
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = home.get(&format!("{SAID}?limit=10{after}")).await.json();
        names.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(names.len(), 35);
    assert_eq!(names[34]["name"], "Name 0");
    for said in names.iter().rev() {
        assert_eq!(home.undo(said).await.status, 200);
    }
    assert_eq!(home.people().await, [(None, 1)]);
}

#[tokio::test]
async fn people_come_in_pages_each_of_them_once() {
    let home = Home::on_sqlite().await;
    let somebody = |number: u8| {
        let mut look = [0.0; 3];
        look[usize::from(number / 2)] = if number.is_multiple_of(2) { 1.0 } else { -1.0 };
        look
    };
    // Six people, the first of them in two pictures.
    let looks: Vec<[f32; 3]> = (0..6).chain([0]).map(somebody).collect();
    let pictures: Vec<&[[f32; 3]]> = looks.chunks(1).collect();
    home.with_faces(&pictures).await;
    let groups = home.groups().await;
    for (at, name) in [(4, "Karl"), (2, "anna"), (0, "Ännchen")] {
        home.tell(json!({ "of": [groups[at]], "what": "name", "name": name }))
            .await;
    }
    let all = home.get(PEOPLE).await.json();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = home.get(&format!("{PEOPLE}?limit=2{after}")).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(json!(seen), all["items"]);
    let names: Vec<_> = seen.iter().map(|one| one["name"].clone()).collect();
    let told = [json!("anna"), json!("Ännchen"), json!("Karl")];
    assert_eq!(names[..3], told);
    assert_eq!(names[3..], [Json::Null, Json::Null, Json::Null]);
    let elsewhere = home.get(&format!("{PEOPLE}?aside=true{after}")).await;
    elsewhere.assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn what_cannot_be_meant_of_faces_is_refused() {
    let home = Home::on_sqlite().await;
    let pictures = home.with_faces(&[&[ANNA], &[EMIL]]).await;
    let groups = home.groups().await;
    let (group, other) = (&groups[0], "01890000-0000-7000-8000-000000000000");
    let long = "ä".repeat(201);
    let invalid = [
        json!({ "of": [group], "what": "name" }),
        json!({ "of": [group], "what": "name", "name": "  " }),
        json!({ "of": [group], "what": "name", "name": long }),
        json!({ "of": [group], "what": "not_name", "name": "Anna\nEmil" }),
        json!({ "of": [group], "what": "same" }),
        json!({ "of": [group], "what": "same", "group": group }),
        json!({ "of": [group], "what": "not_same", "group": group }),
        json!({ "of": [group], "faces": [group], "what": "stranger" }),
        json!({ "of": [group], "what": "twin" }),
        json!({ "of": [group], "what": "back", "since": 1 }),
        json!({ "of": "everybody", "what": "stranger" }),
    ];
    for body in invalid {
        let refused = home.post(SAID, &body).await;
        refused.assert_problem(400, "invalid_request");
    }
    let missing = [
        json!({ "of": [other], "what": "stranger" }),
        json!({ "of": [group], "what": "back" }),
        json!({ "of": [group], "what": "same", "group": other }),
        json!({ "of": [group], "what": "not_same", "group": other }),
        json!({ "faces": [other], "what": "no_face" }),
    ];
    for body in missing {
        home.post(SAID, &body)
            .await
            .assert_problem(404, "not_found");
    }
    let nothing = json!({ "what": "stranger" });
    home.post(SAID, &nothing)
        .await
        .assert_problem(409, "refused");
    let longest = "ä".repeat(200);
    home.tell(json!({ "of": [group], "what": "name", "name": longest }))
        .await;
    let faces = format!("{PEOPLE}/{other}/faces");
    for (path, status, code) in [
        (faces.as_str(), 404, "not_found"),
        ("/api/v1/people?aside=perhaps", 400, "invalid_request"),
        ("/api/v1/people/said?limit=0", 400, "invalid_request"),
        ("/api/v1/people/said?after=c00", 400, "invalid_cursor"),
        (
            "/api/v1/duplicates/decisions?after=c00",
            400,
            "invalid_cursor",
        ),
        ("/api/v1/assets/nobody/faces", 404, "not_found"),
    ] {
        home.get(path).await.assert_problem(status, code);
    }
    let runs = home.get("/api/v1/runs?limit=1").await.json();
    if let Some(cursor) = runs["next"].as_str() {
        let path = format!("{SAID}?after={cursor}");
        home.get(&path).await.assert_problem(400, "invalid_cursor");
    }
    let nobody = format!("/api/v1/assets/{other}/faces");
    home.get(&nobody).await.assert_problem(404, "not_found");
    assert_eq!(pictures.len(), 2);
}

#[tokio::test]
async fn each_role_says_what_it_may_of_the_faces_that_it_sees() {
    on_both_engines(async |home: Home| {
        let pictures = home.with_faces(&[&[ANNA], &[EMIL]]).await;
        let groups = home.groups().await;
        let audience = home.family().await.audience_id;
        let said = home
            .tell(json!({ "of": [groups[0]], "what": "name", "name": "Anna" }))
            .await;
        let name = json!({ "of": [groups[1]], "what": "name", "name": "Emil" });
        let undo = format!("/api/v1/claims/{}/undo", said["id"].as_str().unwrap());
        let reset = format!("{PEOPLE}/reset");
        let faces = format!("/api/v1/assets/{}/faces", pictures[0]);
        for (role, may_say) in [
            (Role::Viewer, false),
            (Role::Member, true),
            (Role::Owner, true),
        ] {
            let router = home.somebody(role, &[audience]).await;
            let people = ask(&router, "GET", PEOPLE, &[], None).await.json();
            assert_eq!(people["items"].as_array().unwrap().len(), 2, "{people}");
            assert_eq!(ask(&router, "GET", &faces, &[], None).await.status, 200);
            let told = ask(&router, "POST", SAID, &[], Some(&name)).await;
            if may_say {
                assert_eq!(told.status, 201, "{}", told.text());
                let undo = format!(
                    "/api/v1/claims/{}/undo",
                    told.json()["id"].as_str().unwrap()
                );
                assert_eq!(ask(&router, "POST", &undo, &[], None).await.status, 200);
            } else {
                told.assert_problem(403, "denied");
                let undone = ask(&router, "POST", &undo, &[], None).await;
                undone.assert_problem(403, "denied");
            }
            let forgotten = ask(&router, "POST", &reset, &[], None).await;
            forgotten.assert_problem(403, "denied");
        }
        // Who sees none of the pictures hears of nobody.
        let other = home.somebody(Role::Owner, &[]).await;
        for list in [PEOPLE, SAID] {
            let nothing = ask(&other, "GET", list, &[], None).await.json();
            assert_eq!(nothing["items"], json!([]));
        }
        let hidden = ask(&other, "GET", &faces, &[], None).await;
        hidden.assert_problem(404, "not_found");
        let told = ask(&other, "POST", SAID, &[], Some(&name)).await;
        told.assert_problem(404, "not_found");
        let undone = ask(&other, "POST", &undo, &[], None).await;
        undone.assert_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn machines_results_are_forgotten_and_no_word_of_a_person() {
    on_both_engines(async |home: Home| {
        let pictures = home.with_faces(&[&[ANNA], &[EMIL]]).await;
        let group = home.groups().await.remove(0);
        home.tell(json!({ "of": [group], "what": "name", "name": "Anna" }))
            .await;
        let reset = home.post(&format!("{PEOPLE}/reset"), &json!({})).await;
        assert_eq!(reset.json(), json!({ "asset_count": 2 }));
        assert_eq!(home.people().await, []);
        let faces = format!("/api/v1/assets/{}/faces", pictures[0]);
        home.get(&faces).await.assert_problem(404, "not_found");
        let said = home.get(SAID).await.json();
        assert_eq!(said["items"][0]["name"], "Anna");
        let found = home.get("/api/v1/search?q=person:anna").await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    })
    .await;
}
