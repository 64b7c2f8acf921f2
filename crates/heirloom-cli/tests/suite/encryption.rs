//! A library whose blobs are encrypted, with the real program.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use heirloom_testing::{
    http,
    jpeg::{self, Options},
    process::free_address,
};

use crate::harness::{Home, assert_refusal, path, program, snapshot};

/// A home whose master key is on a stick of its own.
fn with_stick() -> (Home, PathBuf) {
    let home = Home::new();
    let stick = home.folder.path().join("stick");
    fs::create_dir(&stick).unwrap();
    let key = stick.join("master.key");
    let heirloom = home.heirloom.env("HEIRLOOM_MASTER_KEY_FILE", path(&key));
    let folder = home.folder;
    (Home { folder, heirloom }, key)
}

/// The same home without any master key, or with something else in its place.
fn strangers(home: &Home, environment: &[(&str, &str)]) -> heirloom_testing::process::Heirloom {
    let program = program().data(home.data());
    environment
        .iter()
        .fold(program, |program, (name, value)| program.env(name, value))
}

/// A photograph with bytes enough to be a blob, whatever is made of it.
fn photograph(number: u64) -> Vec<u8> {
    let options = Options {
        padding_bytes: 300_000,
        ..Options::varied(number)
    };
    jpeg::tiny(number, &options)
}

/// Adds photographs, and gives where they are.
fn add(home: &Home, numbers: std::ops::Range<u64>) -> PathBuf {
    let folder = home.folder.path().join("handed over");
    fs::create_dir_all(&folder).unwrap();
    let files: Vec<PathBuf> = numbers
        .map(|number| {
            let file = folder.join(format!("{number}.jpg"));
            fs::write(&file, photograph(number)).unwrap();
            file
        })
        .collect();
    let arguments = ["add"]
        .into_iter()
        .chain(files.iter().map(|file| path(file)));
    home.done(arguments);
    folder
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

/// Files of the data folder that have a part of one of these photographs in them.
fn shown(home: &Home, numbers: std::ops::Range<u64>) -> Vec<PathBuf> {
    let parts: Vec<Vec<u8>> = numbers
        .map(|number| {
            let bytes = photograph(number);
            bytes[bytes.len() - 64..].to_vec()
        })
        .collect();
    let mut shown = files_below(&home.data());
    shown.retain(|file| {
        let bytes = fs::read(file).unwrap();
        let mut windows = bytes.windows(64);
        windows.any(|window| parts.iter().any(|part| part == window))
    });
    shown
}

fn blobs_of(home: &Home) -> Vec<PathBuf> {
    let mut blobs = files_below(&home.data().join("blobs"));
    blobs.retain(|file| file.file_name().is_some_and(|name| name.len() >= 64));
    blobs
}

#[test]
fn stolen_disk_shows_no_picture() {
    let (home, key) = with_stick();
    // Begun plain, and it shows.
    add(&home, 0..2);
    assert!(!shown(&home, 0..2).is_empty());
    let on = home.done(["encryption", "on"]);
    for needed in [path(&key), "encryption.json", "loses every blob"] {
        assert!(on.stderr.contains(needed), "{}", on.stderr);
    }
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // What comes later as well.
    let folder = add(&home, 2..4);
    assert_eq!(shown(&home, 0..4), Vec::<PathBuf>::new());
    assert!(
        blobs_of(&home)
            .iter()
            .all(|blob| blob.extension().is_some())
    );

    // For the family nothing is another.
    home.done(["fsck"]);
    let export = home.folder.path().join("export");
    home.done(["export", path(&export)]);
    let exported = files_below(&export);
    for number in 0..4 {
        let bytes = fs::read(folder.join(format!("{number}.jpg"))).unwrap();
        assert!(exported.iter().any(|file| fs::read(file).unwrap() == bytes));
    }
    let standing = home.json(["encryption", "status"]);
    assert_eq!(standing["is_complete"], true);
    assert_eq!(standing["is_master_beside"], false);
}

#[test]
fn without_the_right_master_key_nothing_opens_and_nothing_changes() {
    let (home, key) = with_stick();
    home.done(["encryption", "on"]);
    add(&home, 0..1);
    let other = home.folder.path().join("other.key");
    fs::write(&other, "0123-4567\n").unwrap();
    let another = home.folder.path().join("another.key");
    let letters = "ABCD-".repeat(13);
    fs::write(&another, letters.trim_end_matches('-')).unwrap();
    let before = snapshot(&home.data().join("blobs"));
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "no master key is given"),
        (
            &[("HEIRLOOM_MASTER_KEY_FILE", path(&other))],
            "does not have a master key",
        ),
        (
            &[("HEIRLOOM_MASTER_KEY_FILE", path(&another))],
            "not the master key",
        ),
        (
            &[("HEIRLOOM_MASTER_KEY_FILE", "/nowhere/master.key")],
            "cannot be read",
        ),
        (
            &[("HEIRLOOM_MASTER_PASSPHRASE", "words that nobody said")],
            "opened by a key",
        ),
        (
            &[
                ("HEIRLOOM_MASTER_PASSPHRASE", "words that nobody said"),
                ("HEIRLOOM_MASTER_KEY_FILE", path(&key)),
            ],
            "two master keys",
        ),
    ];
    for (environment, says) in cases {
        for command in [vec!["fsck", "--repair"], vec!["serve"]] {
            let refused = strangers(&home, environment).run(command).expect_code(2);
            let said = assert_refusal(&refused);
            assert!(said.contains(says), "{said}");
        }
    }
    // A key file that is lost, or cut off.
    let keys = home.data().join("encryption.json");
    let text = fs::read(&keys).unwrap();
    fs::remove_file(&keys).unwrap();
    assert!(
        home.refused(["fsck", "--repair"])
            .contains("there is no key")
    );
    fs::write(&keys, &text[..text.len() / 2]).unwrap();
    assert!(home.refused(["fsck", "--repair"]).contains("damaged"));
    fs::write(&keys, &text).unwrap();
    let mut permissions = fs::metadata(&keys).unwrap().permissions();
    permissions.set_mode(0o600);
    fs::set_permissions(&keys, permissions).unwrap();
    assert_eq!(snapshot(&home.data().join("blobs")), before);
    home.done(["fsck"]);
}

#[test]
fn a_passphrase_takes_the_place_of_a_key() {
    let (home, key) = with_stick();
    home.done(["encryption", "on"]);
    add(&home, 0..1);
    let words = home.folder.path().join("words");
    fs::write(&words, "short\n").unwrap();
    let refused = home.refused([
        "encryption",
        "change-master",
        "--to-passphrase-file",
        path(&words),
    ]);
    assert!(refused.contains("fewer than 12"), "{refused}");
    fs::write(&words, "grandmother's blue kettle on the stove\n").unwrap();
    let changed = home.done([
        "encryption",
        "change-master",
        "--to-passphrase-file",
        path(&words),
    ]);
    assert!(
        changed.stderr.contains("master_passphrase_file"),
        "{}",
        changed.stderr
    );
    assert!(home.refused(["fsck"]).contains("opened by a passphrase"));
    let by_file = strangers(&home, &[("HEIRLOOM_MASTER_PASSPHRASE_FILE", path(&words))]);
    let _ = by_file.run(["fsck"]).expect_code(0);
    let wrong = [("HEIRLOOM_MASTER_PASSPHRASE", "grandmother's red kettle")];
    let refused = strangers(&home, &wrong).run(["fsck"]).expect_code(2);
    assert!(assert_refusal(&refused).contains("not the master key"));
    // And back to a key, which is made.
    fs::remove_file(&key).unwrap();
    let arguments = ["encryption", "change-master", "--to-key-file", path(&key)];
    let _ = by_file.run(arguments).expect_code(0);
    home.done(["fsck"]);
}

#[test]
fn keys_are_rotated_while_pictures_are_looked_at() {
    let (home, _key) = with_stick();
    home.done(["encryption", "on"]);
    add(&home, 0..12);
    let asset = home.asset("3.jpg");
    let address = free_address();
    let mut server = home
        .heirloom
        .start(["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    let original = format!("/api/v1/assets/{asset}/original");
    let whole = photograph(3);
    let is_done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looks = 0;
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) || looks < 5 {
                assert_eq!(http::get(address, &original, &[]).body, whole);
                let part = http::get(address, &original, &[("range", "bytes=70000-70099")]);
                assert_eq!((part.status, &part.body[..]), (206, &whole[70_000..70_100]));
                looks += 1;
            }
        });
        for _ in 0..3 {
            home.done(["encryption", "rotate"]);
        }
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        looking.join().unwrap();
    });
    let standing = home.json(["encryption", "status"]);
    assert_eq!(standing["keys"].as_array().unwrap().len(), 4);
    assert_eq!(standing["is_complete"], true);
    let _ = server.stop().expect_code(0);
    home.done(["fsck"]);
}

#[test]
fn a_process_that_is_killed_while_it_encrypts_loses_nothing() {
    const KILLS: u32 = 8;
    // How long it takes here, undisturbed.
    let (undisturbed, _key) = with_stick();
    add(&undisturbed, 0..40);
    let started = Instant::now();
    undisturbed.done(["encryption", "on"]);
    let took = started.elapsed();

    let (home, _key) = with_stick();
    add(&home, 0..40);
    let mut killed = 0;
    for command in ["on", "rotate"] {
        for round in 0..KILLS {
            let mut running = home.heirloom.start(["encryption", command]);
            thread::sleep(took * (round + 1) / (KILLS + 1));
            killed += u32::from(!running.has_ended());
            running.kill();
            home.done(["fsck"]);
        }
        home.done(["encryption", "on"]);
    }
    assert!(killed > 2, "only {killed} were killed before their end");
    let standing = home.json(["encryption", "status"]);
    assert_eq!(standing["is_complete"], true, "{standing}");
    assert_eq!(shown(&home, 0..40), Vec::<PathBuf>::new());
    home.done(["fsck"]);
}

#[test]
fn a_truncated_sealed_file_is_healed_by_adding_it_again_and_a_backup_needs_no_master_key() {
    let (home, _key) = with_stick();
    home.done(["encryption", "on"]);
    let folder = add(&home, 0..1);
    let repository = home.folder.path().join("repository");
    home.done(["backup", "to", path(&repository)]);
    let blob = blobs_of(&home)
        .into_iter()
        .max_by_key(|blob| fs::metadata(blob).unwrap().len())
        .unwrap();
    let bytes = fs::read(&blob).unwrap();
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, &bytes[..bytes.len() - 65_552]).unwrap();
    let _ = home.heirloom.run(["fsck"]).expect_code(1);
    let _ = home.heirloom.run(["fsck", "--repair"]);
    home.done(["add", path(&folder.join("0.jpg"))]);
    home.done(["fsck"]);

    // A backup has the bytes under its own key: neither the master key nor the file of the keys is needed.
    let restored = home.folder.path().join("restored");
    let backup_key = home.data().join("backup.key");
    let _ = program()
        .data(&restored)
        .run([
            "restore",
            path(&repository),
            path(&restored),
            "--key-file",
            path(&backup_key),
        ])
        .expect_code(0);
    let _ = program().data(&restored).run(["fsck"]).expect_code(0);
    assert!(!restored.join("encryption.json").exists());
}
