//! Reading files that others write, and files that rot.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use heirloom_db::{Engine, artifact::METADATA};
use heirloom_pipeline::scan::{
    Outcome::{Failed, New, Replaced, Skipped, Unchanged},
    ScanOptions,
};
use heirloom_pipeline::{open::OpenError, open_original};
use heirloom_testing::media;

use crate::harness::{
    Home, flip_a_byte, on_both_engines, photo, rot, run_as_nobody, run_on, set_mode, set_time,
};

const VERIFY: ScanOptions = ScanOptions {
    verify: true,
    process: false,
    allow_empty: false,
    threads: 0,
};

on_both_engines! {
    async fn a_file_that_changes_under_the_scan_fails_and_the_next_scan_takes_it(home: Home) {
        home.photo("calm.jpg", 1);
        // So long that it changes many times while it is read once, and takes no room.
        let recording = File::create(home.path("recording.bin")).unwrap();
        recording.set_len(256 * 1024 * 1024).unwrap();
        let is_over = AtomicBool::new(false);
        let scanned = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    recording.write_all_at(b"more", 0).unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let scanned = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(home.scan())
            });
            is_over.store(true, Ordering::Relaxed);
            scanned
        });
        assert_eq!(scanned.reason("recording.bin"), "it changed while it was read");
        assert_eq!((scanned.outcome("recording.bin"), scanned.outcome("calm.jpg")), (Failed, New));
        assert_eq!(home.tree().await.len(), 1);
        assert_eq!(home.scan().await.outcome("recording.bin"), New);
    }

    async fn bytes_that_rot_are_found_when_all_is_verified_and_remembered_until_they_are_right(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 2);
        home.write("b.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>");
        home.scan().await;
        let whole = fs::read(home.path("a.jpg")).unwrap();
        let archive = home.archive().await.id;
        for file in ["a.jpg", "b.xmp"] {
            rot(&home, file).await;
        }
        assert_eq!(home.scan().await.report.unchanged, 3, "from outside nothing has changed");
        let scanned = home.scan_with(VERIFY).await.unwrap();
        for file in ["a.jpg", "b.xmp"] {
            assert_eq!(scanned.outcome(file), Failed);
            assert!(scanned.reason(file).starts_with("damaged"), "{}", scanned.reason(file));
        }
        assert_eq!((scanned.outcome("b.jpg"), scanned.report.damaged), (Unchanged, 1));
        assert_eq!(home.tree().await.len(), 2, "nothing is replaced by damage");

        let asset = home.asset("a.jpg").await;
        let places = || home.ctx.db.list_locations(&home.ctx.actor, asset.family_id, asset.id);
        let damage = places().await.unwrap();
        assert!(damage[0].damaged_at_ms.is_some());
        let scanned = home.scan().await;
        assert_eq!((scanned.report.unchanged, scanned.report.damaged), (3, 1), "a plain scan does not forget it");
        home.scan_with(VERIFY).await.unwrap();
        let again = places().await.unwrap();
        assert_eq!(again, damage, "it is damaged since it was found first");

        home.write("a.jpg", &whole);
        assert_eq!(home.scan().await.report.damaged, 0, "the bytes of a backup are right");
        assert_eq!(home.ctx.db.list_damaged(archive).await.unwrap().len(), 0);
        rot(&home, "a.jpg").await;
        assert_eq!(home.scan_with(VERIFY).await.unwrap().report.damaged, 1);
        home.remove("a.jpg");
        assert_eq!(home.scan().await.report.damaged, 0, "what is gone is not damaged");
    }

    async fn an_edit_that_puts_size_and_time_back_is_an_edit_and_no_damage(home: Home) {
        for (number, options) in [ScanOptions::default(), VERIFY].into_iter().enumerate() {
            home.photo("a.jpg", number as u64 * 2);
            set_time(&home.path("a.jpg"), 1_000_000_000);
            home.scan().await;
            let asset = home.asset("a.jpg").await;
            flip_a_byte(&home.path("a.jpg"));
            set_time(&home.path("a.jpg"), 1_000_000_000);
            let error = open_original(&home.ctx, &(&asset).into(), false).await.unwrap_err();
            assert!(matches!(error, OpenError::Changed { .. }), "not under the hash of the old bytes: {error}");
            let scanned = home.scan_with(options).await.unwrap();
            assert_eq!(scanned.outcome("a.jpg"), Replaced);
            let scanned = home.scan_with(VERIFY).await.unwrap();
            assert_eq!(scanned.outcome("a.jpg"), Unchanged, "and that is what it is from now on");
            open_original(&home.ctx, &(&home.asset("a.jpg").await).into(), false).await.unwrap();
        }
    }

    async fn a_file_with_another_mode_is_read_once_and_is_the_same(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        set_mode(&home.path("a.jpg"), 0o600);
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a.jpg", Unchanged)]);
        assert!(scanned.report.bytes_read > 0);
        assert_eq!(home.scan().await.report.bytes_read, 0);
        open_original(&home.ctx, &(&home.asset("a.jpg").await).into(), false).await.unwrap();
    }

    async fn verifying_what_is_whole_changes_nothing_and_reads_everything(home: Home) {
        for number in 0..50 {
            home.photo(&format!("{}/{number}.jpg", number % 3), number);
        }
        let first = home.scan().await;
        let before = home.ctx.db.dump_rows().await.unwrap();
        home.photo("0/new.jpg", 77);
        fs::remove_file(home.path("0/new.jpg")).unwrap();
        let scanned = home.scan_with(VERIFY).await.unwrap();
        assert_eq!((scanned.report.unchanged, scanned.report.bytes_read), (50, first.report.bytes_read));
        assert_eq!(before, home.ctx.db.dump_rows().await.unwrap());
        home.photo("0/3.jpg", 78);
        let scanned = home.scan_with(VERIFY).await.unwrap();
        assert_eq!((scanned.report.replaced, scanned.report.unchanged), (1, 49), "what changed is catalogued");
    }

    async fn broken_media_are_catalogued_all_the_same(home: Home) {
        let files = media::malformed();
        for file in &files {
            let to = home.path(&file.name);
            fs::copy(&file.path, to).unwrap();
        }
        let scanned = home.scan().await;
        assert_eq!(scanned.report.failed_count(), 0, "{:?}", scanned.report.failed);
        for file in &files {
            let expected = if fs::metadata(&file.path).unwrap().len() == 0 { Skipped } else { New };
            let outcome = scanned.outcome(&file.name);
            assert!(outcome == expected || outcome == heirloom_pipeline::scan::Outcome::Copy, "{}", file.name);
        }
        assert_eq!(home.scan().await.report.new, 0);
    }

    async fn much_that_a_file_says_of_itself_lies_in_a_blob(home: Home) {
        // A comment before everything else in the file.
        let words = "a long story ".repeat(3000);
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xFE];
        bytes.extend(u16::try_from(words.len() + 2).unwrap().to_be_bytes());
        bytes.extend(words.as_bytes());
        bytes.extend(&photo(1)[2..]);
        home.write("a.jpg", bytes);
        home.photo("b.jpg", 2);
        home.scan().await;
        let asset = home.asset("a.jpg").await;
        let artifacts = home.ctx.db.list_artifacts(&asset).await.unwrap();
        let artifact = artifacts.iter().find(|artifact| artifact.kind == METADATA).unwrap();
        let hash = artifact.blob_hash.expect("more than 8 KiB is a blob");
        let bytes = home.ctx.blobs.get(hash).await.unwrap().bytes().await.unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let comment = payload["properties"]["comment"].as_str().unwrap();
        assert!(comment.len() > 8000 && words.starts_with(comment), "{} bytes", comment.len());
        let small = home.ctx.db.list_artifacts(&home.asset("b.jpg").await).await.unwrap();
        assert_eq!(small[0].blob_hash, None);
    }
}

#[test]
fn a_file_that_the_catalogue_refuses_keeps_no_other_out() {
    run_on(Engine::Postgres, async |home: Home| {
        home.scan().await;
        let _ = home
            .database
            .as_ref()
            .unwrap()
            .sql("ALTER TABLE asset ADD CHECK (size_bytes <> 777)");
        for number in 0..20 {
            home.photo(&format!("{number:02}.jpg"), number);
        }
        home.write("10 refused.bin", vec![7; 777]);
        home.write("a/11.jpg", photo(111));
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.failed_count()), (21, 1));
        assert!(
            scanned
                .reason("10 refused.bin")
                .starts_with("the catalogue refused"),
            "{:?}",
            scanned.report.failed
        );
        assert_eq!(home.scan().await.report.unchanged, 21);
    });
}

#[test]
fn an_original_that_may_not_be_read_is_not_said_to_be_gone() {
    run_as_nobody(async |home| {
        home.photo("a.jpg", 1);
        home.scan().await;
        set_mode(&home.path("a.jpg"), 0o000);
        let asset = home.asset("a.jpg").await;
        let error = open_original(&home.ctx, &(&asset).into(), false)
            .await
            .unwrap_err();
        let OpenError::Unreadable { name, why } = &error else {
            panic!("{error}")
        };
        assert_eq!(name, "a.jpg");
        assert!(why.contains("ermission"), "{why}");
        set_mode(&home.path("a.jpg"), 0o644);
    });
}
