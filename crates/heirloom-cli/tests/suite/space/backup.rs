//! A disk that is too small for a backup.

use std::fs;

use super::{fill, mount, with_a_small_disk};
use crate::harness::{Home, path};

#[test]
fn a_full_target_ends_a_backup_in_order_and_the_next_goes_on() {
    let test = "space::backup::a_full_target_ends_a_backup_in_order_and_the_next_goes_on";
    with_a_small_disk(test, 30, |disk| {
        let home = Home::new();
        let root = home.many(100);
        home.done(["scan", "--no-process", path(&root)]);
        let (repository, key) = (disk.join("repository"), home.data().join("backup.key"));
        let back_up = || home.heirloom.run(["backup", "to", path(&repository)]);
        // It fills in the middle: the pictures have 20 MB.
        let filler = fill(&disk);
        let file = fs::OpenOptions::new().write(true).open(&filler).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - 8_000_000).unwrap();
        drop(file);
        for _ in 0..2 {
            let ended = back_up();
            assert_eq!(ended.code, Some(2), "{ended:?}");
            let said = ended.stdout + &ended.stderr;
            assert!(said.contains("no space is left"), "{said}");
            let list = home.json(["backup", "list", path(&repository)]);
            assert_eq!(list["items"].as_array().unwrap().len(), 0, "{list}");
        }
        mount(&["-o", "remount,size=90m"], &disk);
        let ended = back_up();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        home.done(["backup", "check", path(&repository), "--read-data"]);
        assert!(key.exists());

        // Where to it is restored is full, too.
        let target = disk.join("restored");
        fill(&disk);
        let ended = home
            .heirloom
            .run(["restore", path(&repository), path(&target)]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("no space is left"), "{ended:?}");
        fs::remove_file(&filler).unwrap();
        home.done(["restore", path(&repository), path(&target)]);
    });
}
