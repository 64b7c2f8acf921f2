//! Scans as runs: one at a time, cancelled, killed and gone on with.

use std::{
    fs,
    time::{Duration, Instant},
};

use heirloom_core::{
    claim::ClaimKind::Title,
    run::{RunEvent, RunState},
};
use heirloom_pipeline::scan::{
    Outcome, ScanEnd, ScanError, ScanEvent, ScanOptions, ScanReport, begin_scan, scan,
};
use tokio_util::sync::CancellationToken;

use crate::harness::{Home, OPERATOR, on_both_engines};

/// Scans until so many paths were told of, and then cancels.
async fn scan_until(home: &Home, paths: usize) -> ScanReport {
    let archive = home.archive().await;
    let cancel = CancellationToken::new();
    let mut told = 0;
    let mut cancelled_at = None;
    let observe = &mut |event: ScanEvent<'_>| {
        if let ScanEvent::File(_) = event {
            told += 1;
            if told == paths {
                cancel.cancel();
                cancelled_at = Some(Instant::now());
            }
        }
    };
    let report = scan(
        &home.ctx,
        archive.id,
        ScanOptions::default(),
        &cancel,
        observe,
    )
    .await
    .unwrap();
    if let Some(at) = cancelled_at {
        // Two seconds are promised; a busy machine is given more before this counts as broken.
        assert!(
            at.elapsed() < Duration::from_secs(10),
            "cancelling took {:?}",
            at.elapsed()
        );
    }
    report
}

/// A library with everything that a scan tells apart.
fn fill(home: &Home) {
    for number in 0..700 {
        home.photo(&format!("{}/IMG_{number:04}.jpg", number % 7), number);
    }
    for number in (0..700).step_by(10) {
        let json = format!(
            "{{\"title\": \"IMG_{number:04}.jpg\", \"description\": \"picture {number}\"}}"
        );
        home.write(&format!("{}/IMG_{number:04}.jpg.json", number % 7), json);
    }
}

/// Changes the library in every way.
fn change(home: &Home) {
    home.rename("0", "moved/0");
    home.rename("1/IMG_0001.jpg", "6/was in 1.jpg");
    home.photo("1/IMG_0001.jpg", 10_001);
    home.rename("5/IMG_0005.jpg", "2/was in 5.jpg");
    home.photo("5/IMG_0005.jpg", 10_005);
    for number in (2..700).step_by(7) {
        home.photo(&format!("2/IMG_{number:04}.jpg"), 20_000 + number);
    }
    fs::remove_dir_all(home.path("3")).unwrap();
    for number in (4..700).step_by(14) {
        home.photo(&format!("4/copy {number}.jpg"), number);
    }
    home.remove("6/IMG_0020.jpg.json");
    home.write(
        "6/IMG_0090.jpg.json",
        "{\"title\": \"IMG_0090.jpg\", \"description\": \"another word\"}",
    );
}

/// Says something about the assets at these paths, which the changes edit, move and replace.
async fn annotate(home: &Home) {
    for path in [
        "1/IMG_0001.jpg",
        "2/IMG_0009.jpg",
        "5/IMG_0005.jpg",
        "6/IMG_0090.jpg",
    ] {
        let id = home.asset(path).await.id;
        home.say(id, Title, path).await;
    }
}

on_both_engines! {
    async fn scans_that_are_cancelled_and_gone_on_with_end_like_one_that_was_not(home: Home) {
        let twin = home.twin().await;
        fill(&home);
        twin.scan().await;
        let mut ends = Vec::new();
        for paths in [1, 300, 600] {
            ends.push(scan_until(&home, paths).await.end);
        }
        assert!(ends.contains(&ScanEnd::Cancelled), "{ends:?}");
        let first = home.scan().await;
        assert_eq!(first.report.end, ScanEnd::Done);
        assert!(first.report.unchanged > 0 && first.report.new < 700, "what was found before was kept");
        let (found, expected) = (home.ctx.db.dump().await.unwrap(), twin.ctx.db.dump().await.unwrap());
        assert!(expected.len() > 2000 && found == expected, "{:#?}", difference(&found, &expected));

        annotate(&home).await;
        annotate(&twin).await;
        change(&home);
        twin.scan().await;
        for paths in [1, 50, 150, 400] {
            scan_until(&home, paths).await;
        }
        home.scan().await;
        let (found, expected) = (home.ctx.db.dump().await.unwrap(), twin.ctx.db.dump().await.unwrap());
        assert!(found == expected, "{:#?}", difference(&found, &expected));
        let replaced = home.asset("2/IMG_0009.jpg").await;
        assert_eq!(replaced.title.as_deref(), Some("2/IMG_0009.jpg"), "people's words were carried");
        assert_eq!(home.asset("1/IMG_0001.jpg").await.title, None, "what moved was not replaced");
    }

    async fn a_scan_that_is_cancelled_counts_what_is_stored(home: Home) {
        fill(&home);
        let archive = home.archive().await;
        let cancel = CancellationToken::new();
        let (mut told, mut files_done) = (0, 0);
        let report = {
            let observe = &mut |event: ScanEvent<'_>| match event {
                ScanEvent::File(_) => {
                    told += 1;
                    if told == 10 {
                        cancel.cancel();
                    }
                }
                ScanEvent::Progress(progress) => files_done = progress.files_done,
            };
            scan(&home.ctx, archive.id, ScanOptions::default(), &cancel, observe).await.unwrap()
        };
        assert_eq!(report.end, ScanEnd::Cancelled);
        assert_eq!(files_done, told);
        assert_eq!(files_done, report.new + report.sidecars);
        assert_eq!(home.assets().await.len() as u64, report.new);
    }

    async fn a_scan_whose_process_was_killed_is_gone_on_with(home: Home) {
        fill(&home);
        let archive = home.archive().await;
        let begun = begin_scan(&home.ctx, archive.id, ScanOptions::default()).await.unwrap();
        let run = begun.run();
        let cancel = CancellationToken::new();
        let mut told = 0;
        {
            let mut observe = |_: ScanEvent<'_>| told += 1;
            // A task that is dropped says goodbye to nobody.
            let going_on = tokio::time::timeout(Duration::from_millis(150), begun.finish(&cancel, &mut observe));
            let _ = going_on.await;
        }
        home.reopen().await;
        let report = home.scan().await.report;
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        assert_eq!(row.state, RunState::Done);
        if told < 700 {
            assert_eq!(report.run, run, "the run is the same");
        }
        assert_eq!(home.assets().await.len(), 700);
        assert_eq!(home.ctx.db.find_unended_run(archive.id).await.unwrap(), None);
    }

    async fn a_run_that_was_asked_something_else_is_not_gone_on_with(home: Home) {
        home.photo("a.jpg", 1);
        let archive = home.archive().await;
        let verify = ScanOptions { verify: true, ..ScanOptions::default() };
        let left = begin_scan(&home.ctx, archive.id, verify).await.unwrap().run();
        let report = home.scan().await.report;
        assert_ne!(report.run, left);
        let row = home.ctx.db.get_run(OPERATOR, left).await.unwrap();
        assert_eq!((row.state, row.error.as_deref()), (RunState::Failed, Some("its process ended before it did")));
    }

    async fn an_archive_is_scanned_once_at_a_time(home: Home) {
        home.photo("a.jpg", 1);
        let archive = home.archive().await;
        let first = begin_scan(&home.ctx, archive.id, ScanOptions::default()).await.unwrap();
        let error = home.scan_with(ScanOptions::default()).await.unwrap_err();
        assert!(matches!(error, ScanError::Busy(_)) && error.hint().is_some(), "{error}");
        first.finish(&CancellationToken::new(), &mut |_| {}).await.unwrap();
        assert_eq!(home.scan().await.report.unchanged, 1);
    }

    async fn a_run_that_somebody_else_cancels_in_the_catalogue_stops(home: Home) {
        // Large enough to be still at it when the catalogue is asked.
        let file = fs::File::create(home.path("huge.bin")).unwrap();
        file.set_len(1 << 42).unwrap();
        home.photo("a.jpg", 1);
        let archive = home.archive().await;
        let begun = begin_scan(&home.ctx, archive.id, ScanOptions::default()).await.unwrap();
        let run = begun.run();
        home.ctx.db.advance_run(OPERATOR, run, RunEvent::Cancel, None).await.unwrap();
        let report = begun.finish(&CancellationToken::new(), &mut |_| {}).await.unwrap();
        assert_eq!(report.end, ScanEnd::Cancelled);
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        assert_eq!(row.state, RunState::Cancelled);
        assert_eq!(home.tree().await.into_keys().collect::<Vec<_>>(), ["a.jpg"], "what was found is kept");
    }

    async fn it_is_said_and_stored_how_far_a_scan_is(home: Home) {
        fill(&home);
        let archive = home.archive().await;
        let (mut files, mut last) = (0, None);
        let observe = &mut |event: ScanEvent<'_>| match event {
            ScanEvent::File(file) => {
                assert_ne!(file.outcome, Outcome::Failed);
                files += 1;
            }
            ScanEvent::Progress(progress) => last = Some(*progress),
        };
        let cancel = CancellationToken::new();
        let report = scan(&home.ctx, archive.id, ScanOptions::default(), &cancel, observe).await.unwrap();
        let last = last.unwrap();
        assert_eq!((last.files, last.files_done, files), (770, 770, 770));
        assert_eq!((last.bytes, last.bytes_done), (report.bytes_read, report.bytes_read));
        assert_eq!((last.is_listed, last.remaining_ms()), (true, Some(0)));
        let run = home.ctx.db.get_run(OPERATOR, report.run).await.unwrap();
        assert_eq!((run.state, &run.progress["files_done"]), (RunState::Done, &770.into()));
    }
}

fn difference(found: &[String], expected: &[String]) -> Vec<String> {
    let surplus = found
        .iter()
        .filter(|line| !expected.contains(line))
        .map(|line| format!("+ {line}"));
    let missing = expected
        .iter()
        .filter(|line| !found.contains(line))
        .map(|line| format!("- {line}"));
    surplus.chain(missing).take(20).collect()
}
