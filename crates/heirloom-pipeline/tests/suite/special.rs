//! What lies in a folder and is no ordinary file, or no ordinary name.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener},
    path::Path,
};

use heirloom_pipeline::scan::Outcome::{Failed, Gone, New, Skipped, Unchanged};
use heirloom_testing::TreeSnapshot;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::harness::{Home, on_both_engines, photo, run_as_nobody, set_mode};

on_both_engines! {
    async fn links_are_said_and_never_followed(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("albums/b.jpg", 2);
        let outside = home.place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret.jpg"), photo(3)).unwrap();
        symlink("a.jpg", home.path("to a file")).unwrap();
        symlink("albums", home.path("to a folder")).unwrap();
        symlink(&outside, home.path("out of the tree")).unwrap();
        symlink(outside.join("secret.jpg"), home.path("albums/secret.jpg")).unwrap();
        symlink("..", home.path("albums/round")).unwrap();
        symlink("nowhere", home.path("broken")).unwrap();
        symlink("itself", home.path("itself")).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.skipped["a link"]), (2, 7));
        assert_eq!(home.tree().await.into_keys().collect::<Vec<_>>(), ["a.jpg", "albums/b.jpg"]);
    }

    async fn a_file_that_becomes_a_link_to_itself_elsewhere_is_gone(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 2);
        home.scan().await;
        let outside = home.place.path().join("a.jpg");
        fs::rename(home.path("a.jpg"), &outside).unwrap();
        symlink(&outside, home.path("a.jpg")).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.outcome("a.jpg"), scanned.reason("a.jpg")), (Gone, "a link"));
        assert_eq!(home.tree().await.into_keys().collect::<Vec<_>>(), ["b.jpg"]);
    }

    async fn a_folder_that_becomes_a_link_is_gone_with_what_is_in_it(home: Home) {
        home.photo("a/1.jpg", 1);
        home.photo("b.jpg", 2);
        home.scan().await;
        let outside = home.place.path().join("a");
        fs::rename(home.path("a"), &outside).unwrap();
        symlink(&outside, home.path("a")).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.outcome("a/1.jpg"), scanned.outcome("a")), (Gone, Skipped));
    }

    async fn pipes_and_sockets_are_said_and_never_opened(home: Home) {
        home.photo("a.jpg", 1);
        mknodat(CWD, home.path("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = UnixListener::bind(home.path("socket")).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.reason("pipe"), scanned.reason("socket")), ("a pipe", "a socket"));
        assert_eq!((scanned.outcome("pipe"), scanned.report.new), (Skipped, 1));
    }

    async fn names_that_are_not_utf8_are_kept_byte_for_byte(home: Home) {
        let names: [&[u8]; 6] = [b"M\xfcller.jpg", b"\xff\xfe", b"a\\b.jpg", b"new\nline.jpg", "Größe 日本.jpg".as_bytes(), b" "];
        for (number, name) in names.into_iter().enumerate() {
            let name = OsStr::from_bytes(name);
            fs::write(home.library.join(name), photo(number as u64)).unwrap();
            fs::create_dir_all(home.library.join("in").join(name)).unwrap();
            fs::write(home.library.join("in").join(name).join(name), photo(100 + number as u64)).unwrap();
        }
        let scanned = home.scan().await;
        assert_eq!(scanned.report.new, 12, "{:?}", scanned.files);
        let tree = home.tree().await;
        for text in ["M\\xfcller.jpg", "\\xff\\xfe", "a\\\\b.jpg", "in/M\\xfcller.jpg/M\\xfcller.jpg", "in/ / "] {
            assert!(tree.contains_key(text), "{text:?} of {tree:?}");
        }
        let again = home.scan().await;
        assert_eq!((again.report.unchanged, again.report.gone), (12, 0));
        fs::rename(home.library.join(OsStr::from_bytes(names[0])), home.path("Müller.jpg")).unwrap();
        assert_eq!(home.scan().await.report.moved, 1);
    }

    async fn what_machines_leave_is_passed_over_and_hidden_files_are_not(home: Home) {
        for path in [".DS_Store", "._a.jpg", "Thumbs.db", "@eaDir/a.jpg", ".Trash-1000/files/a.jpg", "#recycle/a.jpg"] {
            home.photo(path, 1);
        }
        home.photo("Photos Library.photoslibrary/resources/derivatives/a.jpg", 1);
        home.photo(".hidden.jpg", 2);
        home.photo(".private/a.jpg", 3);
        fs::write(home.path("empty.jpg"), "").unwrap();
        let scanned = home.scan().await;
        assert_eq!(home.tree().await.into_keys().collect::<Vec<_>>(), [".hidden.jpg", ".private/a.jpg"]);
        let skipped: Vec<_> = scanned.report.skipped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        assert_eq!(skipped, [("another program's thumbnails", 3), ("empty", 1), ("made by the system", 2), ("trash", 2)]);
    }

    async fn a_file_that_lost_its_bytes_is_gone(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 2);
        home.scan().await;
        fs::write(home.path("a.jpg"), "").unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.outcome("a.jpg"), scanned.reason("a.jpg")), (Gone, "empty"));
        assert_eq!((scanned.report.gone, scanned.report.lost), (1, 1));
    }

    async fn a_sparse_file_is_hashed_as_it_reads(home: Home) {
        let file = File::create(home.path("sparse.bin")).unwrap();
        file.set_len(64 * 1024 * 1024).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.bytes_read), (1, 64 * 1024 * 1024));
        let hash = home.asset("sparse.bin").await.content_hash;
        assert_eq!(hash, heirloom_blobs::hash_of(&vec![0; 64 * 1024 * 1024]));
    }

    async fn folders_within_folders_without_end_are_walked(home: Home) {
        // Longer than any path that one call of the system takes, and without repetition.
        let depth = 60;
        let mut at = rustix::fs::open(&home.library, rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
        for level in 0..depth {
            let name: String = (0..4).map(|n| heirloom_blobs::hash_of(&[level, n]).to_string()).collect();
            let name = &name[..240];
            rustix::fs::mkdirat(&at, name, Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, name, rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        let file = rustix::fs::openat(
            &at, "a.jpg", rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY, Mode::RUSR,
        ).unwrap();
        rustix::io::write(&file, &photo(1)).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.folders), (1, u64::from(depth) + 1), "{:?}", scanned.report.failed);
        assert_eq!(home.scan().await.report.unchanged, 1);
    }

    async fn a_folder_without_files_is_no_reason_to_complain(home: Home) {
        fs::create_dir_all(home.path("a/b/c")).unwrap();
        let scanned = home.scan().await;
        assert_eq!((scanned.report.folders, scanned.report.files), (4, 0));
    }
}

#[test]
fn what_may_not_be_read_fails_with_a_reason_and_nothing_else_suffers() {
    run_as_nobody(async |home: Home| {
        home.photo("open/a.jpg", 1);
        home.photo("open/closed.jpg", 2);
        home.photo("closed/b.jpg", 3);
        home.photo("no search/c.jpg", 4);
        home.scan().await;
        home.photo("open/closed.jpg", 5);
        home.photo("open/d.jpg", 6);
        set_mode(&home.path("open/closed.jpg"), 0o000);
        set_mode(&home.path("closed"), 0o000);
        set_mode(&home.path("no search"), 0o400);
        let before = TreeSnapshot::of(home.path("open"));
        let scanned = home.scan().await;
        let no_permission = "there is no permission to read it";
        for path in ["open/closed.jpg", "closed"] {
            assert_eq!(
                (scanned.outcome(path), scanned.reason(path)),
                (Failed, no_permission),
                "{path}"
            );
        }
        assert_eq!(scanned.outcome("no search/c.jpg"), Failed);
        assert_eq!(
            (scanned.outcome("open/a.jpg"), scanned.outcome("open/d.jpg")),
            (Unchanged, New)
        );
        assert_eq!(
            (scanned.report.gone, home.tree().await.len()),
            (0, 5),
            "what cannot be seen has not gone"
        );
        before.assert_same(&TreeSnapshot::of(home.path("open")));
        for (path, mode) in [
            ("open/closed.jpg", 0o600),
            ("closed", 0o700),
            ("no search", 0o700),
        ] {
            set_mode(&home.path(path), mode);
        }
        let scanned = home.scan().await;
        assert_eq!(
            (
                scanned.report.replaced,
                scanned.report.unchanged,
                scanned.report.gone
            ),
            (1, 4, 0)
        );
    });
}

#[test]
fn a_device_is_said_and_never_opened() {
    // Only root makes devices; for others /dev has some.
    crate::harness::run_on(heirloom_db::Engine::Sqlite, async |home: Home| {
        home.photo("a.jpg", 1);
        let device = home.path("device");
        let is_made = mknodat(
            CWD,
            &device,
            FileType::CharacterDevice,
            Mode::RUSR,
            rustix::fs::makedev(1, 3),
        )
        .is_ok();
        if !is_made {
            assert!(
                !rustix::process::geteuid().is_root(),
                "root can make a device"
            );
            return;
        }
        let scanned = home.scan().await;
        assert_eq!(scanned.reason("device"), "a device");
        assert!(Path::new(&device).exists());
    });
}
