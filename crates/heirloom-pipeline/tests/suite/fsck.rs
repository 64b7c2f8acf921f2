//! Checks that find what is not as it should be, and purges that leave nothing.

use std::{fs, path::PathBuf};

use heirloom_db::{DbError, Engine, artifact::METADATA};
use heirloom_pipeline::{
    fsck::{FsckEvent, FsckOptions, FsckReport, Part, fsck},
    purge::{PurgeError, collect_blobs, purge_assets},
    scan::{ScanOptions, begin_scan},
};
use heirloom_testing::tree::files_below;
use tokio_util::sync::CancellationToken;

use crate::harness::{Home, OPERATOR, on_both_engines, photo, rot, run_on, set_time, xmp};

const QUICK: FsckOptions = FsckOptions {
    read_blobs: false,
    read_originals: false,
    repair: false,
    remove_unreferenced: false,
};
const ALL: FsckOptions = FsckOptions {
    read_blobs: true,
    read_originals: true,
    repair: false,
    remove_unreferenced: false,
};

async fn check(home: &Home, options: FsckOptions) -> (FsckReport, Vec<(Part, String)>) {
    let mut faults = Vec::new();
    let observe = &mut |event: FsckEvent<'_>| {
        if let FsckEvent::Found(fault) = event {
            faults.push((fault.part, fault.what.clone()));
        }
    };
    let cancel = CancellationToken::new();
    let report = fsck(&home.ctx, home.family.id, options, &cancel, observe)
        .await
        .unwrap();
    assert_eq!(report.counts.found, faults.len() as u64);
    (report, faults)
}

/// A photograph that says so much of itself that it lies in a blob.
pub(crate) fn talkative(number: u64) -> Vec<u8> {
    let words = format!("story {number} ").repeat(2000);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xFE];
    bytes.extend(u16::try_from(words.len() + 2).unwrap().to_be_bytes());
    bytes.extend(words.as_bytes());
    bytes.extend(&photo(number)[2..]);
    bytes
}

/// A sidecar of which so much is kept that it lies in a blob.
fn wordy_xmp(words: &str) -> String {
    let rights = format!("<dc:rights>{}</dc:rights><dc:title>", words.repeat(1_000));
    xmp(words).replace("<dc:title>", &rights)
}

/// Where the blobs lie, those that were set aside too.
pub(crate) fn blob_files(home: &Home) -> Vec<PathBuf> {
    let mut found = files_below(&home.ctx.data_folder.join("blobs"));
    found.retain(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.len() >= 60 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    found
}

/// Removes an asset for good.
async fn purge(home: &Home, path: &str) {
    let id = home.asset(path).await.id;
    home.ctx
        .db
        .delete_asset(OPERATOR, id, None, true)
        .await
        .unwrap();
    purge_assets(&home.ctx, &[id]).await.unwrap();
}

on_both_engines! {
    async fn what_is_whole_has_no_faults(home: Home) {
        home.write("a.jpg", talkative(1));
        home.photo("b.jpg", 2);
        home.scan().await;
        let (report, faults) = check(&home, ALL).await;
        assert!(report.is_sound() && faults.is_empty(), "{faults:?}");
        assert_eq!((report.blobs.blobs, report.search.assets, report.originals.len()), (1, 2, 1));
    }

    async fn a_blob_that_rots_or_goes_is_found(home: Home) {
        home.write("a.jpg", talkative(1));
        home.write("b.jpg", talkative(2));
        home.write("c.jpg", talkative(3));
        home.scan().await;
        let files = blob_files(&home);
        assert_eq!(files.len(), 3);
        let mut bytes = fs::read(&files[0]).unwrap();
        bytes[100] ^= 1;
        rewrite(&files[0], &bytes);
        fs::remove_file(&files[1]).unwrap();
        let (report, faults) = check(&home, ALL).await;
        assert_eq!((report.blobs.damaged, report.blobs.missing, faults.len()), (1, 1, 2), "{faults:?}");
        assert!(!report.is_sound());
        let (report, _) = check(&home, QUICK).await;
        assert_eq!((report.blobs.damaged, report.blobs.missing), (0, 1), "lengths alone say less");
    }

    async fn a_blob_that_is_lost_is_made_again_from_what_it_was_made_of(home: Home) {
        home.write("a.jpg", talkative(1));
        home.write("b.jpg", talkative(2));
        home.photo("c.jpg", 3);
        home.write("c.xmp", wordy_xmp("a long story "));
        home.scan().await;
        let before = home.ctx.db.dump_rows().await.unwrap();
        let files = blob_files(&home);
        assert_eq!(files.len(), 3);
        let repair = FsckOptions { repair: true, read_originals: false, ..ALL };
        for lose in [|file: &PathBuf| fs::remove_file(file).unwrap(), |file: &PathBuf| rewrite(file, b"rotten")] {
            files.iter().for_each(lose);
            let (report, faults) = check(&home, repair).await;
            assert!(report.is_sound() && faults.len() == 3, "{faults:?}");
            assert!(faults.iter().all(|(_, what)| what.ends_with("It was made again.")), "{faults:?}");
            assert_eq!(check(&home, ALL).await.1, []);
        }
        assert_eq!(home.ctx.db.dump_rows().await.unwrap(), before);
        // What it was made of has gone, or is another file by now.
        home.remove("a.jpg");
        home.write("b.jpg", talkative(4));
        home.write("c.xmp", xmp("short"));
        files.iter().for_each(|file| fs::remove_file(file).unwrap());
        let (report, faults) = check(&home, repair).await;
        assert_eq!((report.counts.found, report.counts.mended), (3, 0), "{faults:?}");
    }

    async fn what_a_damaged_blob_left_in_quarantine_goes_with_the_purge(home: Home) {
        home.write("a.jpg", talkative(1));
        home.scan().await;
        let mut bytes = fs::read(&blob_files(&home)[0]).unwrap();
        bytes[0] ^= 1;
        rewrite(&blob_files(&home)[0], &bytes);
        let repair = FsckOptions { repair: true, ..ALL };
        let (report, _) = check(&home, repair).await;
        assert!(report.is_sound());
        assert_eq!(blob_files(&home).len(), 2, "made again, and set aside");
        purge(&home, "a.jpg").await;
        assert_eq!(blob_files(&home), Vec::<PathBuf>::new());
    }

    async fn a_blob_that_a_scan_may_be_about_to_refer_to_outlives_a_purge(home: Home) {
        home.write("a.jpg", talkative(1));
        home.scan().await;
        let blob = blob_files(&home);
        for is_needed in [true, false] {
            let name = if is_needed { "b.jpg" } else { "empty" };
            // The same words in another original.
            let bytes = if is_needed { [&talkative(1)[..], b"other bytes"].concat() } else { Vec::new() };
            home.write(name, bytes);
            let archive = home.archive().await;
            let begun = begin_scan(&home.ctx, archive.id, ScanOptions::default()).await.unwrap();
            // As one of its readers does, long before what it read is recorded.
            home.ctx.blobs.put_bytes(fs::read(&blob[0]).unwrap().into()).await.unwrap();
            let name = home.assets().await.swap_remove(0).name;
            purge(&home, &name).await;
            assert_eq!(blob_files(&home), blob, "it is there until the scan is through");
            let hash = home.ctx.db.list_unneeded_blobs(None, 1).await.unwrap()[0].hash;
            assert!(home.ctx.db.find_referenced_blobs(&[hash]).await.unwrap().is_empty(), "nothing leads to it");
            begun.finish(&CancellationToken::new(), &mut |_| {}).await.unwrap();
            assert_eq!(blob_files(&home).len(), usize::from(is_needed));
            assert_eq!(home.ctx.db.list_unneeded_blobs(None, 1).await.unwrap(), []);
            let (report, faults) = check(&home, ALL).await;
            assert!(report.is_sound(), "{faults:?}");
        }
    }

    async fn what_a_killed_purge_or_a_changed_sidecar_left_is_removed_by_the_next_scan(home: Home) {
        home.write("a.jpg", talkative(1));
        home.photo("c.jpg", 3);
        home.write("c.xmp", wordy_xmp("a long story "));
        home.scan().await;
        assert_eq!(blob_files(&home).len(), 2);
        // Killed after the commit, before anything was deleted.
        let id = home.asset("a.jpg").await.id;
        home.ctx.db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        home.ctx.db.purge_asset(OPERATOR, id).await.unwrap();
        home.write("c.xmp", xmp("short"));
        home.scan().await;
        assert_eq!(blob_files(&home), Vec::<PathBuf>::new());
    }

    async fn what_nobody_ever_referred_to_is_removed_when_that_is_asked_for_and_by_nothing_else(home: Home) {
        home.write("a.jpg", talkative(1));
        home.scan().await;
        home.ctx.blobs.put_bytes("put just now".into()).await.unwrap();
        let put = home.ctx.blobs.put_bytes("put long ago".into()).await.unwrap();
        for file in blob_files(&home) {
            if !file.to_string_lossy().contains("quarantine") && fs::read(&file).unwrap() == b"put long ago" {
                set_time(&file, 1_000_000_000);
            }
        }
        let (report, _) = check(&home, ALL).await;
        assert_eq!((report.blobs.unreferenced, report.removed_blobs), (2, 0));
        let (report, _) = check(&home, FsckOptions { repair: true, ..ALL }).await;
        assert_eq!((report.blobs.unreferenced, report.removed_blobs), (2, 0));
        let (report, _) = check(&home, FsckOptions { remove_unreferenced: true, ..ALL }).await;
        assert_eq!((report.blobs.unreferenced, report.removed_blobs), (2, 1));
        assert!(!home.ctx.blobs.contains(put.hash).await.unwrap());
        assert_eq!(blob_files(&home).len(), 2);
    }

    async fn no_later_scan_brings_back_a_purged_original_or_its_sidecars(home: Home) {
        const SECRET: &str = "qxjzgeheimniswv";
        home.photo("a.jpg", 1);
        home.photo(&format!("{SECRET}.jpg"), 2);
        home.write(&format!("{SECRET}.jpg.xmp"), xmp(SECRET));
        home.write(&format!("{SECRET}.xmp"), wordy_xmp(SECRET));
        home.scan().await;
        assert!(home.asset(&format!("{SECRET}.jpg")).await.title.is_some());
        purge(&home, &format!("{SECRET}.jpg")).await;
        let is_clean = async |home: &Home| {
            let rows = home.ctx.db.dump_rows().await.unwrap();
            let with_secret = rows.into_iter().filter(|row| row.contains(SECRET));
            assert_eq!(with_secret.collect::<Vec<_>>(), Vec::<String>::new());
            let query = SECRET.parse().unwrap();
            let found = home.ctx.db.search(OPERATOR, home.family.id, &query, None, 10).await.unwrap();
            assert_eq!(found.items.len(), 0);
            for file in files_below(&home.ctx.data_folder) {
                let bytes = fs::read(&file).unwrap();
                let is_there = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
                assert!(!is_there, "{}", file.display());
            }
        };
        is_clean(&home).await;
        home.scan().await;
        is_clean(&home).await;
        // Alone, a sidecar looks like an original; in another folder it is as new.
        home.rename(&format!("{SECRET}.jpg"), "elsewhere/x.jpg");
        home.scan().await;
        is_clean(&home).await;
        home.rename(&format!("{SECRET}.jpg.xmp"), &format!("elsewhere/{SECRET}.jpg.xmp"));
        home.rename("elsewhere/x.jpg", &format!("elsewhere/{SECRET}.jpg"));
        home.scan().await;
        is_clean(&home).await;
    }

    async fn an_original_that_rots_is_found_when_originals_are_read(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        rot(&home, "a.jpg").await;
        let (report, _) = check(&home, QUICK).await;
        assert!(report.is_sound());
        let (report, faults) = check(&home, ALL).await;
        assert!(!report.is_sound() && faults[0].0 == Part::Originals, "{faults:?}");
        fs::remove_dir_all(&home.library).unwrap();
        let (_, faults) = check(&home, ALL).await;
        assert!(faults[0].1.starts_with("there is no folder"), "{faults:?}");
    }

    async fn a_purge_leaves_neither_rows_nor_bytes_nor_what_others_need(home: Home) {
        home.write("a.jpg", talkative(1));
        home.write("b.jpg", talkative(2));
        home.scan().await;
        let (a, b) = (home.asset("a.jpg").await, home.asset("b.jpg").await);
        let error = purge_assets(&home.ctx, &[a.id]).await.unwrap_err();
        assert!(matches!(error, PurgeError::Db(DbError::Refused(_))), "not before it was deleted: {error}");
        home.ctx.db.delete_asset(OPERATOR, a.id, None, true).await.unwrap();
        let purged = purge_assets(&home.ctx, &[a.id]).await.unwrap();
        assert_eq!((purged.assets, purged.blobs, blob_files(&home).len()), (1, 1, 1));
        assert!(matches!(home.ctx.db.get_asset(OPERATOR, a.id).await, Err(DbError::NotFound { .. })));
        let kept = home.ctx.db.list_artifacts(&b).await.unwrap();
        let hash = kept.iter().find(|artifact| artifact.kind == METADATA).unwrap().blob_hash.unwrap();
        assert!(home.ctx.blobs.contains(hash).await.unwrap());
        let (report, faults) = check(&home, ALL).await;
        assert!(report.is_sound() && report.audit_entries == 3, "{faults:?}");
        assert_eq!(home.scan().await.reason("a.jpg"), "removed for good");
    }

    async fn bytes_that_nobody_needs_any_more_are_collected_when_they_are_old(home: Home) {
        home.photo("a.jpg", 1);
        home.ctx.blobs.put_bytes("put just now".into()).await.unwrap();
        assert_eq!(collect_blobs(&home.ctx).await.unwrap().deleted, 0);
        let put = home.ctx.blobs.put_bytes("put long ago".into()).await.unwrap();
        let file = blob_files(&home).into_iter().find(|f| f.to_string_lossy().contains(&put.hash.to_string()[4..]));
        set_time(&file.unwrap(), 1_000_000_000);
        assert_eq!(collect_blobs(&home.ctx).await.unwrap().deleted, 1);
        assert!(!home.ctx.blobs.contains(put.hash).await.unwrap());
    }
}

#[test]
fn an_index_that_lacks_something_is_found_and_made_anew() {
    run_on(Engine::Postgres, async |home: Home| {
        for number in 0..5 {
            home.photo(&format!("{number}.jpg"), number);
        }
        home.scan().await;
        let break_it = "DELETE FROM search_index WHERE timeline_key IN (SELECT timeline_key FROM asset LIMIT 2)";
        let _ = home.database.as_ref().unwrap().sql(break_it);
        let (report, faults) = check(&home, QUICK).await;
        let said = "The search index lacks 2 of 5 assets and has 0 that do not exist.";
        assert_eq!(faults, [(Part::Search, said.to_owned())]);
        assert!(!report.is_sound());
        let options = FsckOptions {
            repair: true,
            ..QUICK
        };
        let (report, _) = check(&home, options).await;
        assert!(report.is_sound() && report.counts.mended == 1, "{report:?}");
        assert!(check(&home, QUICK).await.1.is_empty());
    });
}

/// Blobs are written once and then read-only.
pub(crate) fn rewrite(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}
