//! Checks that find what is not as it should be, and purges that leave nothing.

use std::{fs, path::PathBuf};

use heirloom_db::{DbError, Engine, artifact::METADATA};
use heirloom_pipeline::{
    fsck::{FsckEvent, FsckOptions, FsckReport, Part, fsck},
    purge::{PurgeError, collect_blobs, purge_assets},
};
use tokio_util::sync::CancellationToken;

use crate::harness::{Home, OPERATOR, on_both_engines, photo, run_on, set_time};

const QUICK: FsckOptions = FsckOptions {
    read_blobs: false,
    read_originals: false,
    repair: false,
};
const ALL: FsckOptions = FsckOptions {
    read_blobs: true,
    read_originals: true,
    repair: false,
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
fn talkative(number: u64) -> Vec<u8> {
    let words = format!("story {number} ").repeat(2000);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xFE];
    bytes.extend(u16::try_from(words.len() + 2).unwrap().to_be_bytes());
    bytes.extend(words.as_bytes());
    bytes.extend(&photo(number)[2..]);
    bytes
}

/// Where the blobs lie.
fn blob_files(home: &Home) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![home.ctx.data_folder.join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if name.len() >= 60 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
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

    async fn an_original_that_rots_is_found_when_originals_are_read(home: Home) {
        home.photo("a.jpg", 1);
        set_time(&home.path("a.jpg"), 1_000_000_000);
        home.scan().await;
        let mut bytes = photo(1);
        bytes[20] ^= 1;
        fs::write(home.path("a.jpg"), bytes).unwrap();
        set_time(&home.path("a.jpg"), 1_000_000_000);
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
        assert!(report.is_sound() && report.audit_entries == 1, "{faults:?}");
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
fn rewrite(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}
