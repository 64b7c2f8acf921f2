//! A repository that was not copied to its end: it is told, nothing in it is lost, and the copy can be gone on with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::{TreeSnapshot, tree::copy_tree};

use super::damage::files;
use crate::harness::{Home, path, program};

/// What is lacking in a copy, and what commands say of it.
struct Half {
    name: &'static str,
    /// Removes what did not come.
    cut: fn(&Path),
    check: &'static str,
    restore: &'static str,
    /// `None` where a backup may go into it: it relies on nothing that is lacking.
    backup: Option<&'static str>,
    prune: &'static str,
}

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir(folder).unwrap();
}

fn packs(repository: &Path) -> Vec<PathBuf> {
    let mut packs = files(&repository.join("data"));
    packs.sort_by_key(|pack| fs::metadata(pack).unwrap().len());
    packs
}

const NOT_THERE: &str = "are not there or not whole, such as data/";

const HALVES: [Half; 7] = [
    Half {
        name: "without its config",
        cut: |it| fs::remove_file(it.join("config")).unwrap(),
        check: "`config` is not there",
        restore: "`config` is not there",
        backup: Some("`config` is not there"),
        prune: "`config` is not there",
    },
    Half {
        name: "without its key",
        cut: |it| remove(&it.join("keys")),
        check: "`keys` is empty",
        restore: "`keys` is empty",
        backup: Some("`keys` is empty"),
        prune: "`keys` is empty",
    },
    Half {
        name: "without its snapshots",
        cut: |it| remove(&it.join("snapshots")),
        check: "nothing can be restored",
        restore: "there is no snapshot",
        backup: None,
        prune: "there is no snapshot in it",
    },
    Half {
        name: "without its index",
        cut: |it| remove(&it.join("index")),
        check: "damaged",
        restore: "damaged",
        backup: None,
        prune: "damaged",
    },
    Half {
        name: "with an index and no packs",
        cut: |it| remove(&it.join("data")),
        check: "it is gone, and is needed",
        restore: "damaged",
        backup: Some(NOT_THERE),
        prune: NOT_THERE,
    },
    Half {
        name: "without its largest pack",
        cut: |it| fs::remove_file(packs(it).pop().unwrap()).unwrap(),
        check: "it is gone, and is needed",
        restore: "damaged",
        backup: Some(NOT_THERE),
        prune: NOT_THERE,
    },
    Half {
        name: "with half a pack",
        cut: |it| {
            let pack = packs(it).pop().unwrap();
            let bytes = fs::read(&pack).unwrap();
            fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
        },
        check: "damaged",
        restore: "damaged",
        backup: Some(NOT_THERE),
        prune: NOT_THERE,
    },
];

#[test]
fn a_half_copied_repository_says_so_and_can_be_copied_to_its_end() {
    let home = Home::scanned();
    home.back_up();
    let whole = home.repository();
    for half in HALVES {
        let name = half.name;
        let repository = home.folder.path().join(name);
        copy_tree(&whole, &repository);
        (half.cut)(&repository);
        let before = TreeSnapshot::of(&repository);
        let (at, key) = (path(&repository), home.data().join("backup.key"));
        let folder = home.folder.path().join(format!("restored {name}"));
        let restore = ["restore", at, path(&folder), "--key-file", path(&key)];
        for (words, said) in [
            (&["backup", "check", at, "--read-data"][..], half.check),
            (&restore[..], half.restore),
            (&["backup", "prune", at][..], half.prune),
        ] {
            let finished = home.heirloom.run(words);
            let told = finished.stdout.clone() + &finished.stderr;
            assert!(
                matches!(finished.code, Some(1 | 2)) && told.contains(said),
                "{name}, {words:?}: {finished:?}"
            );
        }
        before.assert_same(&TreeSnapshot::of(&repository));
        let finished = home.heirloom.run(["backup", "to", at]);
        match half.backup {
            Some(said) => {
                let told = finished.stdout.clone() + &finished.stderr;
                assert!(told.contains(said), "{name}: {finished:?}");
                assert_eq!(finished.code, Some(2), "{name}: {finished:?}");
                before.assert_same(&TreeSnapshot::of(&repository));
            }
            None => {
                // What it stores can be restored, whatever else is lacking.
                let _ = finished.expect_code(0);
                let folder = home.folder.path().join(format!("anew {name}"));
                let words = ["restore", at, path(&folder), "--key-file", path(&key)];
                let _ = program().run(words).expect_code(0);
            }
        }
        // Copying goes on, and everything is there.
        for file in files(&whole) {
            let to = repository.join(file.strip_prefix(&whole).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&file, &to).unwrap();
        }
        home.done(["backup", "check", at, "--read-data"]);
        home.done(["backup", "to", at]);
    }
}
