//! Which folders can be archives.

use std::{fs, os::unix::fs::symlink, path::Path};

use heirloom_db::archive::Archive;
use heirloom_pipeline::{
    archive::{RootRefused, check_root, get_or_create_archive, look_at_root},
    scan::{Outcome, ScanError, ScanOptions},
};
use heirloom_testing::process::as_nobody;

use crate::harness::{Home, OPERATOR, mount, on_both_engines, set_mode, unmount, with_mounts};

on_both_engines! {
    async fn a_folder_that_cannot_be_an_archive_is_refused_with_a_sentence_and_a_hint(home: Home) {
        home.write("pictures/a.jpg", "a");
        fs::create_dir_all(home.path("pictures/2004/May")).unwrap();
        let archives = |_| home.ctx.db.list_archives(OPERATOR, home.family.id);
        let root = check_root(&home.path("pictures/2004"), &home.ctx.data_folder, &[]).unwrap();
        get_or_create_archive(&home.ctx, &home.family, &root, None).await.unwrap();
        let archives = archives(()).await.unwrap();
        let data = &home.ctx.data_folder;
        fs::create_dir_all(data.join("blobs/extra")).unwrap();
        let cases = [
            (home.path("no such folder"), "there is no folder"),
            (home.path("pictures/a.jpg"), "is a file and not a folder"),
            (data.clone(), "is inside Heirloom's own data folder"),
            (data.join("blobs/extra"), "is inside Heirloom's own data folder"),
            (home.place.path().to_owned(), "contains Heirloom's data folder"),
            (home.path("pictures/2004/May"), "is inside the archive \"2004\""),
            (home.path("pictures"), "contains the archive \"2004\""),
        ];
        for (path, expected) in cases {
            let refused = check_root(&path, data, &archives).unwrap_err();
            assert!(refused.to_string().contains(expected), "{}: {refused}", path.display());
            assert!(refused.hint().is_some(), "{refused}");
        }
        let again = check_root(&home.path("pictures/../pictures/2004"), data, &archives).unwrap();
        assert_eq!(again.archive().map(|archive| &archive.name), Some(&"2004".to_owned()));
        assert!(check_root(&home.path("pictures/2004 "), data, &archives).is_err());
        fs::create_dir(home.path("pictures/20045")).unwrap();
        check_root(&home.path("pictures/20045"), data, &archives).expect("a longer name is another folder");
    }

    async fn archives_are_called_like_their_folders(home: Home) {
        let mut names = Vec::new();
        for folder in ["a/Photos", "b/Photos", "c/Photos"] {
            home.write(&format!("{folder}/1.jpg"), folder);
            let archives = home.ctx.db.list_archives(OPERATOR, home.family.id).await.unwrap();
            let root = check_root(&home.path(folder), &home.ctx.data_folder, &archives).unwrap();
            let name = (folder == "c/Photos").then_some("Uncle");
            let archive = get_or_create_archive(&home.ctx, &home.family, &root, name).await.unwrap();
            names.push(archive.name);
        }
        assert_eq!(names, ["Photos", "Photos (2)", "Uncle"]);
    }

    async fn a_root_that_a_link_leads_to_is_the_folder_behind_it(home: Home) {
        home.photo("a.jpg", 1);
        let link = home.place.path().join("link");
        symlink(&home.library, &link).unwrap();
        let root = check_root(&link, &home.ctx.data_folder, &[]).unwrap();
        assert_eq!(root.path(), home.library.canonicalize().unwrap());
    }

    async fn a_folder_that_went_or_is_empty_makes_nothing_missing(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b/c.jpg", 2);
        home.scan().await;
        let archive = home.archive().await;
        let before = home.ctx.db.dump_rows().await.unwrap();
        let away = home.place.path().join("away");
        let refuse = async |home: &Home| {
            let cancel = tokio_util::sync::CancellationToken::new();
            heirloom_pipeline::scan::scan(
                &home.ctx, archive.id, ScanOptions::default(), &cancel, &mut |_| {},
            ).await.unwrap_err()
        };
        fs::rename(&home.library, &away).unwrap();
        let error = refuse(&home).await;
        assert!(matches!(error, ScanError::Root(RootRefused::Missing(_))) && error.hint().is_some(), "{error}");
        fs::write(&home.library, "a file").unwrap();
        assert!(matches!(refuse(&home).await, ScanError::Root(RootRefused::NotAFolder(_))));
        fs::remove_file(&home.library).unwrap();
        fs::create_dir(&home.library).unwrap();
        fs::write(home.path(".DS_Store"), "a mount point's own").unwrap();
        let error = refuse(&home).await;
        assert!(error.to_string().ends_with(", but 2 were catalogued there"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("allow-empty")));
        // What nobody would catalogue is no sign of life, wherever it lies.
        fs::create_dir_all(home.path("disk/empty")).unwrap();
        fs::write(home.path("disk/.keep"), "").unwrap();
        home.photo("disk/@eaDir/a.jpg", 1);
        assert!(matches!(refuse(&home).await, ScanError::Empty { known: 2, .. }));
        assert!(matches!(look_at_root(&archive_now(&home).await), Err(RootRefused::Empty(_))));
        assert_eq!(before, home.ctx.db.dump_rows().await.unwrap());

        let options = ScanOptions { allow_empty: true, ..ScanOptions::default() };
        let scanned = home.scan_with(options).await.unwrap();
        assert_eq!(scanned.report.lost, 2, "said on purpose, it is believed");
    }

    async fn the_data_folder_is_passed_over_wherever_it_is(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("data/blobs/b.jpg", 2);
        home.archive().await;
        // It came into the folder after that was made an archive.
        home.ctx.data_folder = home.path("data");
        let archive = home.ctx.db.list_archives(OPERATOR, home.family.id).await.unwrap().remove(0);
        let cancel = tokio_util::sync::CancellationToken::new();
        let mut seen = Vec::new();
        let observe = &mut |event: heirloom_pipeline::scan::ScanEvent<'_>| {
            if let heirloom_pipeline::scan::ScanEvent::File(file) = event {
                seen.push((file.path.clone(), file.outcome));
            }
        };
        heirloom_pipeline::scan::scan(
            &home.ctx, archive.id, ScanOptions::default(), &cancel, observe,
        ).await.unwrap();
        seen.sort();
        assert_eq!(seen, [("a.jpg".to_owned(), Outcome::New), ("data".to_owned(), Outcome::Skipped)]);
    }
}

/// The archive as the catalogue has it, whatever is at its root.
async fn archive_now(home: &Home) -> Archive {
    let archives = home.ctx.db.list_archives(OPERATOR, home.family.id).await;
    archives.unwrap().remove(0)
}

#[test]
fn a_disk_that_is_away_takes_nothing_with_it() {
    with_mounts(
        "archive::a_disk_that_is_away_takes_nothing_with_it",
        async |home: Home| {
            home.photo("a.jpg", 1);
            fs::create_dir_all(home.path("disks/usb")).unwrap();
            let usb = home.path("disks/usb");
            mount(&usb);
            home.photo("disks/usb/b.jpg", 2);
            home.photo("disks/usb/deep/c.jpg", 3);
            home.scan().await;
            let before = home.ctx.db.dump_rows().await.unwrap();
            let away = "the disk that was mounted here is not there, or has no file";

            // Its folder is empty; then it has only what is nobody's; then it is not there at all,
            // and then neither is the folder that it was in.
            unmount(&usb);
            for step in 0..4 {
                match step {
                    0 => {}
                    1 => fs::create_dir(home.path("disks/usb/stray")).unwrap(),
                    2 => fs::remove_dir_all(&usb).unwrap(),
                    _ => fs::remove_dir(home.path("disks")).unwrap(),
                }
                let scanned = home.scan().await;
                let expected = [
                    ("a.jpg", Outcome::Unchanged),
                    ("disks/usb", Outcome::Skipped),
                ];
                assert_eq!(scanned.outcomes(), expected, "{step}");
                assert_eq!(scanned.reason("disks/usb"), away);
                assert_eq!(before, home.ctx.db.dump_rows().await.unwrap(), "{step}");
            }

            // Another disk in its place is believed as soon as it has a file; so is an empty one
            // on purpose.
            fs::create_dir_all(&usb).unwrap();
            mount(&usb);
            assert_eq!(home.scan().await.reason("disks/usb"), away);
            home.photo("disks/usb/b.jpg", 2);
            let scanned = home.scan().await;
            assert_eq!(scanned.outcome("disks/usb/deep/c.jpg"), Outcome::Gone);
            unmount(&usb);
            let options = ScanOptions {
                allow_empty: true,
                ..ScanOptions::default()
            };
            let scanned = home.scan_with(options).await.unwrap();
            assert_eq!(scanned.outcome("disks/usb/b.jpg"), Outcome::Gone);
            assert_eq!(
                home.scan().await.report.skipped.len(),
                0,
                "and then it is forgotten"
            );
        },
    );
}

#[test]
fn a_disk_that_is_mounted_over_files_hides_them_and_does_not_remove_them() {
    with_mounts(
        "archive::a_disk_that_is_mounted_over_files_hides_them_and_does_not_remove_them",
        async |home: Home| {
            home.photo("a.jpg", 1);
            home.photo("disk/b.jpg", 2);
            home.scan().await;
            mount(&home.path("disk"));
            assert_eq!(home.scan().await.outcome("disk"), Outcome::Skipped);
            assert_eq!(home.tree().await.len(), 2);
            unmount(&home.path("disk"));
            assert_eq!(home.scan().await.report.unchanged, 2);
            home.remove("disk/b.jpg");
            let scanned = home.scan().await;
            assert_eq!(
                scanned.outcome("disk/b.jpg"),
                Outcome::Gone,
                "an ordinary folder may be emptied"
            );
        },
    );
}

#[test]
fn a_folder_that_may_not_be_read_is_refused() {
    as_nobody(|| {
        let place = tempfile::tempdir().unwrap();
        // Not to be listed, and not to be entered.
        for mode in [0o300, 0o600] {
            set_mode(place.path(), mode);
            let refused = check_root(place.path(), Path::new("/nowhere"), &[]).unwrap_err();
            assert!(refused.to_string().contains("may not be read"), "{refused}");
        }
        set_mode(place.path(), 0o700);
    });
}
