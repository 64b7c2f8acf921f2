//! Two processes at one catalogue.

use std::collections::BTreeSet;

use heirloom_core::{AssetId, claim::ClaimKind};
use heirloom_db::record::ScanBatch;
use serde_json::json;

use crate::harness::{OPERATOR, Store, asset_of, claim, file, on_both_engines};

on_both_engines! {
    async fn two_scans_that_meet_the_same_bytes_make_one_asset_of_them(store: Store) {
        let other = store.open_again().await;
        let backup = other.create_archive(OPERATOR, &store.family, "backup", "/backup").await.unwrap();
        let run = other.begin_run(OPERATOR, store.family_id(), "scan", Some(backup.id), &json!({})).await.unwrap();
        let here = store.folder(store.archive.id, "").await;
        let there = other.get_or_create_folder(backup.id, None, "").await.unwrap().id;
        // The same 120 contents in opposite orders, and a few of their own.
        let found = |folder, is_backup: bool| {
            let mut files: Vec<_> = (0..120)
                .map(|n| file(&format!("{n}.jpg")).of_content(&format!("shared {n}")))
                .collect();
            files.extend((0..30).map(|n| file(&format!("own{n}.jpg")).of_content(&format!("{is_backup} {n}"))));
            if is_backup {
                files.reverse();
            }
            files.into_iter().map(|file| file.found_in(folder)).collect::<Vec<_>>()
        };
        let (mine, theirs) = (found(here, false), found(there, true));
        let scan_mine = async {
            let mut recorded = Vec::new();
            for files in mine.chunks(10) {
                let batch = ScanBatch { files: files.to_vec(), ..ScanBatch::default() };
                recorded.extend(store.db.record_batch(&store.archive, store.run, 0, &batch).await.unwrap());
            }
            recorded
        };
        let scan_theirs = async {
            let mut recorded = Vec::new();
            for files in theirs.chunks(10) {
                let batch = ScanBatch { files: files.to_vec(), ..ScanBatch::default() };
                recorded.extend(other.record_batch(&backup, run.id, 0, &batch).await.unwrap());
            }
            recorded
        };
        let (mine, mut theirs) = tokio::join!(scan_mine, scan_theirs);
        theirs.reverse();
        let ids = |recorded: &[_]| -> Vec<AssetId> { recorded.iter().map(asset_of).collect() };
        assert_eq!(ids(&mine)[..120], ids(&theirs)[..120]);
        let all: BTreeSet<AssetId> = ids(&mine).into_iter().chain(ids(&theirs)).collect();
        assert_eq!(all.len(), 180);
        let page = store.db.list_assets(OPERATOR, store.family_id(), None, 1000).await.unwrap();
        assert_eq!(page.items.len(), 180);
        let query = "jpg archive:backup archive:photos".parse().unwrap();
        let page = other.search(OPERATOR, store.family_id(), &query, None, 1000).await.unwrap();
        assert_eq!(page.items.len(), 120, "each of the shared is found in both");
        other.close().await;
    }

    async fn what_two_people_say_at_once_is_all_kept_and_found(store: Store) {
        let other = store.open_again().await;
        let id = store.add(file("oma.jpg")).await;
        let mine = async {
            for n in 0..15 {
                store.say(id, ClaimKind::Tag, &format!("mine{n}")).await;
                store.say(id, ClaimKind::Date, &format!("19{}", 50 + n)).await;
            }
        };
        let theirs = async {
            for n in 0..15 {
                other.make_claim(OPERATOR, id, claim(ClaimKind::Tag, &format!("theirs{n}"))).await.unwrap();
                other.make_claim(OPERATOR, id, claim(ClaimKind::Date, &format!("18{}", 50 + n))).await.unwrap();
            }
        };
        tokio::join!(mine, theirs);
        for n in 0..15 {
            assert_eq!(store.find(&format!("tag:mine{n} tag:theirs{n} date:1800..2000")).await, ["oma.jpg"]);
        }
        assert!(store.db.check_search(OPERATOR).await.unwrap().is_sound());
        other.close().await;
    }
}
