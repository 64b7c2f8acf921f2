//! Originals over HTTP.

use std::{fs, os::unix::fs::MetadataExt as _};

use heirloom_db::{Db, Location};
use heirloom_testing::TreeSnapshot;
use serde_json::json;

use crate::harness::{Answer, Home};

async fn original(home: &Home, name: &str, headers: &[(&str, &str)]) -> Answer {
    let id = home.asset(name).await;
    let path = format!("/api/v1/assets/{id}/original");
    home.ask("GET", &path, headers, None).await
}

#[tokio::test]
async fn an_original_comes_as_it_is_and_is_not_touched() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    let before = TreeSnapshot::of(&root);
    home.scan(&root).await;
    let bytes = fs::read(root.join("Am Meer/Düne.jpg")).unwrap();
    let answer = original(&home, "Düne.jpg", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, bytes);
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert_eq!(answer.header("content-length"), bytes.len().to_string());
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(
        answer.header("content-disposition"),
        "inline; filename*=UTF-8''D%C3%BCne.jpg"
    );
    assert!(answer.header("content-security-policy").contains("sandbox"));
    let hash = heirloom_blobs::hash_of(&bytes);
    assert_eq!(answer.header("etag"), format!("\"{hash}\""));

    let id = home.asset("Düne.jpg").await;
    let head = home
        .ask("HEAD", &format!("/plain/assets/{id}/original"), &[], None)
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), bytes.len().to_string());
    before.assert_same(&TreeSnapshot::of(&root));
}

#[tokio::test]
async fn a_part_of_an_original_comes_when_it_is_asked_for() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    home.scan(&root).await;
    let bytes = fs::read(root.join("Am Meer/Düne.jpg")).unwrap();
    let size = bytes.len();
    let part = original(&home, "Düne.jpg", &[("range", "bytes=10-19")]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &bytes[10..20]));
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{size}"));
    let tail = original(&home, "Düne.jpg", &[("range", "bytes=-5")]).await;
    assert_eq!(
        (tail.status, tail.body.as_slice()),
        (206, &bytes[size - 5..])
    );
    let beyond = original(&home, "Düne.jpg", &[("range", "bytes=999999-")]).await;
    beyond.assert_problem(416, "invalid_range");
    assert_eq!(beyond.header("content-range"), format!("bytes */{size}"));

    let tag = part.header("etag").to_owned();
    let same = [("range", "bytes=0-0"), ("if-range", tag.as_str())];
    assert_eq!(original(&home, "Düne.jpg", &same).await.status, 206);
    let other = [("range", "bytes=0-0"), ("if-range", "\"other\"")];
    assert_eq!(original(&home, "Düne.jpg", &other).await.status, 200);
    let known = original(&home, "Düne.jpg", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(known.header("etag"), tag);
}

#[tokio::test]
async fn what_could_run_in_a_browser_is_only_for_saving() {
    let home = Home::on_sqlite().await;
    let root = home.folder.path().join("Papers");
    fs::create_dir(&root).unwrap();
    let files = [
        (
            "a.svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        ),
        (
            "b.html",
            "<!doctype html><html><body><script>alert(1)</script></body></html>",
        ),
        ("c.txt", "Guten Tag"),
        ("d.pdf", "%PDF-1.4\n%%EOF\n"),
        (
            "e.jpg",
            "<!doctype html><html><body>no picture</body></html>",
        ),
        ("f.bin", "\u{1}\u{2}"),
    ];
    for (name, text) in files {
        fs::write(root.join(name), text).unwrap();
    }
    home.scan(&root).await;
    for (name, _) in files {
        let answer = original(&home, name, &[]).await;
        assert_eq!(answer.status, 200, "{name}");
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment;"),
            "{name}: {disposition}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("sandbox"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn another_file_in_its_place_is_never_given_for_the_original() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    home.scan(&root).await;
    let file = root.join("Am Meer/Düne.jpg");
    let bytes = fs::read(&file).unwrap();

    fs::write(&file, "something else").unwrap();
    let problem = original(&home, "Düne.jpg", &[]).await;
    assert!(problem.assert_problem(409, "original_changed")["hint"].is_string());
    fs::remove_file(&file).unwrap();
    let secret = home.folder.path().join("secret.txt");
    fs::write(&secret, &bytes).unwrap();
    std::os::unix::fs::symlink(&secret, &file).unwrap();
    let answer = original(&home, "Düne.jpg", &[]).await;
    assert!(
        (400..500).contains(&answer.status),
        "a link was followed: {answer:?}"
    );
    fs::remove_file(&file).unwrap();
    original(&home, "Düne.jpg", &[])
        .await
        .assert_problem(410, "original_gone");

    // A copy of it elsewhere in the archive will do.
    fs::write(root.join("copy.jpg"), &bytes).unwrap();
    home.scan(&root).await;
    assert_eq!(original(&home, "copy.jpg", &[]).await.body, bytes);
}

#[tokio::test]
async fn damaged_bytes_are_never_given_for_the_original_unless_they_are_asked_for() {
    let home = Home::on_sqlite().await;
    let root = home.pictures();
    let file = root.join("Am Meer/Düne.jpg");
    let bytes = fs::read(&file).unwrap();
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    home.scan(&root).await;
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&file, &damaged).unwrap();
    let handle = fs::File::options().write(true).open(&file).unwrap();
    handle.set_modified(modified).unwrap();
    let metadata = fs::metadata(&file).unwrap();
    let changed_at_ns = metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec();
    let catalogue = Location::File(home.folder.path().join("data/catalogue.db"));
    let db = Db::open(&catalogue).await.unwrap();
    db.set_changed_at("Düne.jpg", changed_at_ns).await.unwrap();
    db.close().await;
    home.post("/api/v1/fsck", &json!({ "originals": true }))
        .await;
    home.scan(&root).await;

    let problem = original(&home, "Düne.jpg", &[]).await;
    let problem = problem.assert_problem(409, "original_damaged");
    assert!(
        problem["hint"].as_str().unwrap().contains("?damaged=true"),
        "{problem}"
    );
    let id = home.asset("Düne.jpg").await;
    let path = format!("/api/v1/assets/{id}");
    // Whoever comes back is told of it.
    let mut events = home.listen("/api/v1/events", Some("0")).await;
    let told = events
        .wait_for(|data| data["damaged_at_ms"].is_i64())
        .await
        .data;
    assert_eq!(
        (&told["asset_id"], &told["path"], &told["copies"]),
        (&json!(id), &json!("Am Meer/Düne.jpg"), &json!(0))
    );
    let scrub = home.get("/api/v1/scrub").await.json();
    assert_eq!(scrub["damaged"], json!([told]));
    let given = home.get(&format!("{path}/original?damaged=true")).await;
    assert_eq!((given.status, given.body), (200, damaged));
    assert!(
        !given.headers.contains_key("etag"),
        "it is not what the tag names"
    );
    let detail = home.get(&path).await.json();
    assert!(detail["locations"][0]["damaged_at_ms"].is_i64(), "{detail}");
    let doctor = home.get("/api/v1/doctor").await.json();
    assert_eq!(
        (&doctor["counts"]["damaged"], &doctor["is_well"]),
        (&json!(1), &json!(false))
    );

    // A sound copy of it is given instead.
    fs::write(root.join("copy.jpg"), &bytes).unwrap();
    home.scan(&root).await;
    let given = home.get(&format!("{path}/original?damaged=true")).await;
    assert_eq!((given.status, given.body), (200, bytes));
    assert!(given.headers.contains_key("etag"));
}

#[tokio::test]
async fn what_is_deleted_can_still_be_opened_and_what_is_purged_cannot() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Düne.jpg").await;
    let path = format!("/api/v1/assets/{id}");
    home.ask("DELETE", &path, &[], None).await;
    assert_eq!(home.get(&format!("{path}/original")).await.status, 200);
    home.post(&format!("{path}/purge"), &json!({})).await;
    home.get(&format!("{path}/original"))
        .await
        .assert_problem(404, "not_found");
}
