//! A data folder that cannot be used: exit code 2, one sentence, a hint, nothing changed.

use std::fs;

use crate::harness::{Home, assert_refusal, path, program, snapshot};

/// Commands that need a library, reading and writing ones.
fn commands(home: &Home) -> [Vec<String>; 4] {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let root = home.folder.path().join("Pictures");
    [
        words(&["asset", "list"]),
        words(&["scan", path(&root)]),
        words(&["serve", "--listen", "127.0.0.1:0"]),
        words(&["doctor"]),
    ]
}

#[test]
fn one_that_is_in_use_names_the_process() {
    let home = Home::scanned();
    // This process holds the lock and does not answer at the socket.
    let lock = home.data().join("lock");
    let held = fs::File::options()
        .read(true)
        .write(true)
        .open(&lock)
        .unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    fs::write(&lock, std::process::id().to_string()).unwrap();
    let before = fs::read(home.data().join("catalogue.db")).unwrap();
    for command in commands(&home) {
        let said = home.refused(command.iter().map(String::as_str));
        assert!(
            said.contains(&format!("is in use by process {}", std::process::id())),
            "{said}"
        );
    }
    assert_eq!(fs::read(home.data().join("catalogue.db")).unwrap(), before);
    drop(held);
    home.done(["asset", "list"]);
}

#[test]
fn one_from_a_newer_version_is_left_as_it_is() {
    let home = Home::scanned();
    let catalogue = home.data().join("catalogue.db");
    // As a migration of the future leaves it.
    let text =
        "INSERT INTO migration (name, text_hash, applied_at_ms) VALUES ('9999_future', 'x', 1)";
    alter(&catalogue, text);
    let before = fs::read(&catalogue).unwrap();
    for command in commands(&home) {
        let said = home.refused(command.iter().map(String::as_str));
        assert!(said.contains("newer version"), "{said}");
    }
    assert_eq!(fs::read(&catalogue).unwrap(), before);
    alter(
        &catalogue,
        "DELETE FROM migration WHERE name = '9999_future'",
    );
    home.asset("Strand.jpg");
}

/// Changes a catalogue from outside of the program, with the SQLite that Python has; that knows of no checksums, so they
/// are made good afterwards.
fn alter(catalogue: &std::path::Path, statement: &str) {
    let script = "import sqlite3, struct, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        db.execute(sys.argv[2])\n\
        db.commit()\n\
        db.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n\
        db.close()\n\
        pages = bytearray(open(sys.argv[1], 'rb').read())\n\
        for page in range(0, len(pages), 4096):\n\
        \x20   one = two = 0\n\
        \x20   for first, second in struct.iter_unpack('<II', pages[page:page + 4088]):\n\
        \x20       one = (one + first + two) & 0xffffffff\n\
        \x20       two = (two + second + one) & 0xffffffff\n\
        \x20   pages[page + 4088:page + 4096] = struct.pack('<II', one, two)\n\
        open(sys.argv[1], 'wb').write(pages)\n";
    let output = std::process::Command::new("python3")
        .args(["-c", script, path(catalogue), statement])
        .output()
        .expect("python3 is needed to write what a newer version would");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn one_with_a_damaged_catalogue_is_left_as_it_is() {
    let home = Home::scanned();
    let catalogue = home.data().join("catalogue.db");
    let sound = fs::read(&catalogue).unwrap();
    let mut no_header = sound.clone();
    no_header[..16].copy_from_slice(b"not a database!!");
    let mut torn = sound.clone();
    torn[20..4096].fill(0xA5);
    let half = sound[..sound.len() / 2].to_vec();
    let damages = [no_header, torn, half, b"x".to_vec()];
    for damaged in damages {
        fs::write(&catalogue, &damaged).unwrap();
        for command in commands(&home) {
            let said = home.refused(command.iter().map(String::as_str));
            assert!(said.contains("catalogue.db is damaged"), "{said}");
            assert!(said.contains("Originals are not touched"), "{said}");
        }
        assert_eq!(fs::read(&catalogue).unwrap(), damaged);
    }
    fs::write(&catalogue, &sound).unwrap();
    home.asset("Strand.jpg");
}

/// Puts a copy in the place of a catalogue that another program made of it.
fn copy_elsewhere(catalogue: &std::path::Path) {
    let copy = catalogue.with_extension("copy");
    let script = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        copy = sqlite3.connect(sys.argv[2])\n\
        db.backup(copy)\n";
    let made = std::process::Command::new("python3")
        .args(["-c", script, path(catalogue), path(&copy)])
        .status();
    assert!(made.unwrap().success());
    fs::rename(copy, catalogue).unwrap();
}

#[test]
fn one_with_a_copy_that_another_program_made_can_be_taken() {
    let home = Home::scanned();
    let catalogue = home.data().join("catalogue.db");
    let before = home.json(["asset", "list"]);
    copy_elsewhere(&catalogue);
    let found = fs::read(&catalogue).unwrap();
    for command in commands(&home) {
        let said = home.refused(command.iter().map(String::as_str));
        assert!(said.contains("catalogue.db is damaged"), "{said}");
        assert!(said.contains("`heirloom fsck --take-pages`"), "{said}");
    }
    assert!(fs::read(&catalogue).unwrap() == found);
    let taken = home.done(["fsck", "--take-pages"]);
    assert!(
        taken.stderr.contains("was taken as it is"),
        "{}",
        taken.stderr
    );
    assert!(
        taken.stdout.contains("Everything is as it should be."),
        "{}",
        taken.stdout
    );
    assert_eq!(home.json(["asset", "list"]), before);
    let again = home.done(["fsck", "--take-pages"]);
    assert!(
        again.stderr.contains("nothing had to be taken"),
        "{}",
        again.stderr
    );
    let kept = fs::read_dir(home.data()).unwrap().map(|it| it.unwrap());
    let kept: Vec<_> = kept
        .filter(|it| it.file_name().to_string_lossy().contains(".as-found-"))
        .collect();
    assert_eq!(kept.len(), 1);
    assert!(fs::read(kept[0].path()).unwrap() == found);
    // What is purged is in there, too.
    let id = home.asset("Strand.jpg");
    home.done(["asset", "delete", &id]);
    home.done(["asset", "purge", &id]);
    assert!(!kept[0].path().exists());
}

#[test]
fn taking_a_copy_can_be_killed_at_any_moment() {
    let home = Home::scanned();
    let catalogue = home.data().join("catalogue.db");
    let before = home.json(["asset", "list"]);
    let mut dice = crate::harness::Dice(0x7A4E);
    for round in 0..12 {
        copy_elsewhere(&catalogue);
        let taking = home.heirloom.start(["fsck", "--take-pages"]);
        std::thread::sleep(dice.below(std::time::Duration::from_millis(60)));
        taking.kill();
        home.done(["fsck", "--take-pages"]);
        assert_eq!(home.json(["asset", "list"]), before, "round {round}");
    }
}

#[test]
fn one_with_the_catalogue_of_another_library_is_left_as_it_is() {
    let (home, other) = (Home::scanned(), Home::scanned());
    let catalogue = home.data().join("catalogue.db");
    let own = fs::read(&catalogue).unwrap();
    fs::copy(other.data().join("catalogue.db"), &catalogue).unwrap();
    let blobs = snapshot(&home.data().join("blobs"));
    for command in commands(&home) {
        let said = home.refused(command.iter().map(String::as_str));
        assert!(said.contains("is not the one of the library in"), "{said}");
    }
    blobs.assert_same(&snapshot(&home.data().join("blobs")));
    fs::write(&catalogue, own).unwrap();
    home.done(["fsck"]);
}

#[test]
fn one_whose_catalogue_is_gone_is_left_as_it_is() {
    let home = Home::scanned();
    let catalogue = home.data().join("catalogue.db");
    let sound = fs::read(&catalogue).unwrap();
    let names = || {
        let entries = fs::read_dir(home.data()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    for is_empty in [false, true] {
        if is_empty {
            fs::write(&catalogue, "").unwrap();
        } else {
            fs::remove_file(&catalogue).unwrap();
        }
        let before = names();
        for command in commands(&home) {
            let said = home.refused(command.iter().map(String::as_str));
            assert!(said.contains("catalogue.db is missing or empty"), "{said}");
        }
        assert_eq!(names(), before);
        assert_eq!(fs::read(&catalogue).unwrap_or_default(), b"");
    }
    fs::write(&catalogue, &sound).unwrap();
    home.asset("Strand.jpg");
}

#[test]
fn one_whose_making_was_interrupted_is_made_by_the_next_scan() {
    // What a kill leaves behind that comes before the catalogue is whole.
    for left in [&["lock"][..], &["lock", "catalogue.db"]] {
        let home = Home::new();
        let root = home.pictures();
        fs::create_dir(home.data()).unwrap();
        for name in left {
            fs::write(home.data().join(name), "").unwrap();
        }
        let said = home.refused(["asset", "list"]);
        assert!(said.contains("there is no library in"), "{said}");
        home.done(["scan", path(&root)]);
        home.asset("Strand.jpg");
    }
}

#[test]
fn one_that_is_something_else_is_left_as_it_is() {
    let home = Home::new();
    let root = home.pictures();
    let other = program().data(&root);
    let before = snapshot(&root);
    for arguments in [&["asset", "list"][..], &["serve"], &["doctor"]] {
        let said = assert_refusal(&other.run(arguments.iter()).expect_code(2));
        assert!(
            said.contains("is no library: other files are in it"),
            "{said}"
        );
    }
    let file = program().data(root.join("no date.jpg"));
    let said = assert_refusal(&file.run(["asset", "list"]).expect_code(2));
    assert!(said.contains("is a file"), "{said}");
    before.assert_same(&snapshot(&root));
}

#[test]
fn a_database_that_does_not_answer_is_named_without_its_password() {
    let home = Home::new();
    let root = home.pictures();
    let url = "postgres://anna:secret@127.0.0.1:1/none";
    let said = home.refused(["scan", path(&root), "--database", url]);
    assert!(said.contains("the catalogue cannot be opened"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert!(!home.data().exists());
}
