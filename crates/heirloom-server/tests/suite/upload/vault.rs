//! Files that are handed over again: known ones, hidden ones, purged ones, and damaged ones that heal.

use std::fs;

use serde_json::{Value as Json, json};

use super::{UPLOADS, hash, photo};
use crate::harness::{Home, on_both_engines};

#[tokio::test]
async fn the_same_file_is_one_original_however_often_it_is_handed_over() {
    on_both_engines(async |home| {
        home.scanned().await;
        let beach = fs::read(home.pictures().join("Am Meer/Strand.jpg")).unwrap();
        let id = home.asset("Strand.jpg").await;
        let known = home.known(&[hash(&beach), hash(b"new")]).await;
        assert_eq!(
            known,
            json!([{ "content_hash": hash(&beach), "asset_id": id, "upload": null }])
        );
        // Whoever does not ask sends it, and it is kept in the vault as well.
        for (name, places) in [("Beach.jpg", 2), ("Beach.jpg", 2), ("Sylt.jpg", 3)] {
            let upload = home.hand_over(name, &beach).await;
            assert_eq!(
                (&upload["outcome"], &upload["asset_id"]),
                (&json!("known"), &json!(id))
            );
            let detail = home.get(&format!("/api/v1/assets/{id}")).await.json();
            assert_eq!(
                detail["locations"].as_array().unwrap().len(),
                places,
                "{name}"
            );
        }
        // Both come at once, and are one.
        let bytes = photo(30);
        let (one, other) = tokio::join!(
            home.hand_over("a.jpg", &bytes),
            home.hand_over("b.jpg", &bytes)
        );
        assert_eq!(one["asset_id"], other["asset_id"]);
        let mut outcomes = [
            one["outcome"].as_str().unwrap(),
            other["outcome"].as_str().unwrap(),
        ];
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["added", "known"]);
        // The disk with the folder is gone; the vault has it still.
        fs::remove_dir_all(home.folder.path().join("Pictures")).unwrap();
        let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
        assert!(original.body == beach);
        let report = home.fsck(false).await;
        assert_eq!(report["faults"], 0, "{report}");
    })
    .await;
}

#[tokio::test]
async fn what_was_hidden_or_purged_comes_back_when_it_is_handed_over_again() {
    on_both_engines(async |home| {
        let bytes = photo(40);
        let first = home.hand_over("Oma.jpg", &bytes).await;
        let id = first["asset_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/assets/{id}");
        assert_eq!(home.ask("DELETE", &path, &[], None).await.status, 200);
        assert_eq!(home.known(&[hash(&bytes)]).await, json!([]), "it is hidden");
        let back = home.hand_over("Oma.jpg", &bytes).await;
        assert_eq!(
            (&back["outcome"], &back["asset_id"]),
            (&json!("returned"), &json!(id))
        );
        assert_eq!(home.get(&path).await.json()["deleted_at_ms"], Json::Null);
        assert_eq!(home.asset("Oma.jpg").await, id);

        assert_eq!(home.ask("DELETE", &path, &[], None).await.status, 200);
        assert!(home.blob(&hash(&bytes)).exists());
        let purged = home.post(&format!("{path}/purge"), &json!({})).await;
        assert_eq!(purged.json()["blobs"], 1, "{}", purged.text());
        assert!(
            !home.blob(&hash(&bytes)).exists(),
            "a purge removes its bytes"
        );
        let address = format!("{UPLOADS}/{}", first["id"].as_str().unwrap());
        home.get(&address).await.assert_problem(404, "not_found");

        let new = home.hand_over("Oma.jpg", &bytes).await;
        assert_eq!(new["outcome"], "added");
        assert_ne!(new["asset_id"], json!(id));
        let report = home.fsck(false).await;
        assert_eq!(report["faults"], 0, "{report}");
    })
    .await;
}

#[tokio::test]
async fn bytes_that_another_original_needs_survive_a_purge() {
    on_both_engines(async |home| {
        let kept = home.hand_over("kept.jpg", &photo(41)).await;
        let gone = home.hand_over("gone.jpg", &photo(42)).await;
        let path = format!("/api/v1/assets/{}", gone["asset_id"].as_str().unwrap());
        home.ask("DELETE", &path, &[], None).await;
        home.post(&format!("{path}/purge"), &json!({})).await;
        let id = kept["asset_id"].as_str().unwrap();
        let original = home.get(&format!("/api/v1/assets/{id}/original")).await;
        assert!(original.body == photo(41));
        // A check that removes what nobody refers to leaves it alone.
        let report = home.fsck(true).await;
        assert_eq!(
            (&report["faults"], &report["removed"]),
            (&json!(0), &json!(0)),
            "{report}"
        );
        assert!(home.blob(&hash(&photo(41))).exists());
    })
    .await;
}

#[tokio::test]
async fn a_check_finds_a_damaged_or_missing_original_and_handing_it_over_heals_it() {
    on_both_engines(async |home| {
        let bytes = photo(50);
        let upload = home.hand_over("Oma.jpg", &bytes).await;
        let original = format!(
            "/api/v1/assets/{}/original",
            upload["asset_id"].as_str().unwrap()
        );
        let blob = home.blob(&hash(&bytes));
        let damage = |damaged: &[u8]| {
            fs::remove_file(&blob).unwrap();
            fs::write(&blob, damaged).unwrap();
        };
        let mut flipped = bytes.clone();
        flipped[100] ^= 1;
        for repair in [false, true] {
            damage(&flipped);
            let report = home.fsck(repair).await;
            assert_eq!(
                (&report["faults"], &report["mended"]),
                (&json!(1), &json!(0)),
                "{report}"
            );
            assert_eq!(report["items"][0]["part"], "originals", "{report}");
            let what = report["items"][0]["what"].as_str().unwrap();
            assert!(
                what.contains("\"Oma.jpg\"") && what.contains("damaged"),
                "{what}"
            );
            home.get(&original)
                .await
                .assert_problem(409, "original_damaged");
            assert_eq!(
                home.get("/api/v1/doctor").await.json()["counts"]["damaged"],
                1
            );
            assert_eq!(
                home.known(&[hash(&bytes)]).await,
                json!([]),
                "it is wanted again"
            );
            assert_eq!(home.hand_over("Oma.jpg", &bytes).await["outcome"], "known");
            assert!(home.get(&original).await.body == bytes);
            assert_eq!(home.fsck(false).await["faults"], 0);
        }
        // Missing altogether, and put back by other hands.
        fs::remove_file(&blob).unwrap();
        home.get(&original)
            .await
            .assert_problem(410, "original_gone");
        let report = home.fsck(false).await;
        assert!(
            report["items"][0]["what"]
                .as_str()
                .unwrap()
                .contains("missing"),
            "{report}"
        );
        fs::write(&blob, &bytes).unwrap();
        assert_eq!(home.fsck(false).await["faults"], 0);
        assert!(home.get(&original).await.body == bytes, "it is right again");
        // Cut short, which shows without a check.
        damage(&bytes[..50]);
        assert_eq!(home.get(&original).await.status, 409);
        // A folder archive has it too: that copy makes it good.
        let folder = home.folder.path().join("Copies");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("copy.jpg"), &bytes).unwrap();
        home.scan(&folder).await;
        let report = home.fsck(true).await;
        assert_eq!(
            (&report["faults"], &report["mended"]),
            (&json!(1), &json!(1)),
            "{report}"
        );
        assert!(fs::read(&blob).unwrap() == bytes);
    })
    .await;
}

#[tokio::test]
async fn what_rots_in_the_vault_comes_back_from_the_backup() {
    let home = Home::on_sqlite().await;
    let photos = [photo(50), photo(51), photo(52)];
    for (number, bytes) in photos.iter().enumerate() {
        home.hand_over(&format!("{number}.jpg"), bytes).await;
    }
    let repository = home.folder.path().join("disk/repository");
    let schedule = json!({ "repository": repository });
    let set = home.ask("PUT", "/api/v1/backup-schedule", &[], Some(&schedule));
    assert_eq!(set.await.status, 200);
    home.library.keep_backup_schedule().await;
    while home.library.is_backing_up() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // One has a wrong byte, one is cut off, one is not there, and then the backup is not to be had either.
    let damage = |bytes: &[u8]| {
        let mut flipped = bytes.to_vec();
        flipped[100] ^= 1;
        [Some(flipped), Some(bytes[..bytes.len() / 2].to_vec()), None]
    };
    let away = home.folder.path().join("disk-away");
    for is_away in [false, true] {
        if is_away {
            fs::rename(home.folder.path().join("disk"), &away).unwrap();
        }
        for (number, bytes) in photos.iter().enumerate() {
            let blob = home.blob(&hash(bytes));
            fs::remove_file(&blob).unwrap();
            if let Some(wrong) = &damage(bytes)[number] {
                fs::write(&blob, wrong).unwrap();
            }
        }
        let report = home.fsck(true).await;
        let (mended, how) = match is_away {
            false => (3, "It was restored from the backup."),
            true => (0, "No other copy of it is known"),
        };
        assert_eq!(
            (&report["faults"], &report["mended"]),
            (&json!(3), &json!(mended)),
            "{report}"
        );
        let items = report["items"].as_array().unwrap();
        let says = |item: &Json| item["what"].as_str().unwrap().contains(how);
        assert!(items.iter().all(says), "{report}");
        for bytes in &photos {
            let blob = fs::read(home.blob(&hash(bytes)));
            assert_eq!(blob.is_ok_and(|blob| blob == *bytes), !is_away);
        }
    }
    // The disk is back.
    fs::rename(&away, home.folder.path().join("disk")).unwrap();
    assert_eq!(home.fsck(true).await["mended"], 3);
    assert_eq!(home.fsck(false).await["faults"], 0);
}
