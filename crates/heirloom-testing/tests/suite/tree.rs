use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    time::{Duration, SystemTime},
};

use heirloom_testing::{TreeSnapshot, media::sample_library, tree::copy_tree};
use tempfile::TempDir;

/// What is done to the tree, and the words that the report must have.
type Deed = (&'static str, fn(&Path), &'static str);

const DEEDS: &[Deed] = &[
    (
        "a byte changes",
        |root| fs::write(root.join("a.jpg"), "B").unwrap(),
        "a.jpg: content was",
    ),
    (
        "a file goes",
        |root| fs::remove_file(root.join("a.jpg")).unwrap(),
        "a.jpg is gone",
    ),
    (
        "a file comes",
        |root| fs::write(root.join("new"), "").unwrap(),
        "new is new",
    ),
    (
        "a file moves",
        |root| fs::rename(root.join("a.jpg"), root.join("b.jpg")).unwrap(),
        "b.jpg is new",
    ),
    (
        "a mode changes",
        |root| set_mode(&root.join("a.jpg"), 0o600),
        "a.jpg: mode was 100644, is 100600",
    ),
    (
        "a time changes",
        |root| set_modified(&root.join("a.jpg"), 1),
        "a.jpg: mtime (ns) was",
    ),
    (
        "a link turns",
        |root| relink(&root.join("link")),
        "link: content was a.jpg, is folder",
    ),
    (
        "a hard link comes",
        |root| fs::hard_link(root.join("a.jpg"), root.join("c")).unwrap(),
        "number of links was 1",
    ),
    (
        "a copy takes its place",
        replace_with_copy,
        "a.jpg: inode was",
    ),
    (
        "a time is put back",
        rewrite_and_put_the_time_back,
        "a.jpg: ctime (ns) was",
    ),
];

#[test]
fn whatever_is_done_to_a_tree_shows() {
    for (deed, act, words) in DEEDS {
        let tree = tree();
        let before = TreeSnapshot::of(tree.path());
        act(tree.path());
        let differences = before
            .differences(&TreeSnapshot::of(tree.path()))
            .join("\n");
        assert!(
            differences.contains(words),
            "{deed}: {words:?} is not in:\n{differences}"
        );
    }
}

#[test]
fn reading_a_tree_leaves_no_trace() {
    let tree = tree();
    let before = TreeSnapshot::of(tree.path());
    assert_eq!(fs::read(tree.path().join("a.jpg")).unwrap(), b"A");
    before.assert_same(&TreeSnapshot::of(tree.path()));
    assert_eq!(before.len(), 5);
}

#[test]
#[should_panic(expected = "a.jpg is gone")]
fn a_touched_tree_fails_the_test_that_holds_it() {
    let tree = tree();
    let before = TreeSnapshot::of(tree.path());
    fs::remove_file(tree.path().join("a.jpg")).unwrap();
    before.assert_same(&TreeSnapshot::of(tree.path()));
}

#[test]
fn a_copied_library_has_the_same_names_bytes_and_times() {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("library");
    copy_tree(sample_library(), &copy);
    let differences = TreeSnapshot::of(sample_library()).differences(&TreeSnapshot::of(&copy));
    let other: Vec<_> = differences
        .iter()
        .filter(|line| !line.contains(": inode was") && !line.contains(": ctime (ns) was"))
        .collect();
    assert!(other.is_empty(), "{other:?}");
}

fn tree() -> TempDir {
    let tree = TempDir::new().unwrap();
    fs::write(tree.path().join("a.jpg"), "A").unwrap();
    set_mode(&tree.path().join("a.jpg"), 0o644);
    fs::create_dir(tree.path().join("folder")).unwrap();
    fs::write(tree.path().join("folder/inside"), "inside").unwrap();
    symlink("a.jpg", tree.path().join("link")).unwrap();
    tree
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn set_modified(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

fn relink(path: &Path) {
    fs::remove_file(path).unwrap();
    symlink("folder", path).unwrap();
}

fn replace_with_copy(root: &Path) {
    fs::copy(root.join("a.jpg"), root.join("copy")).unwrap();
    fs::rename(root.join("copy"), root.join("a.jpg")).unwrap();
}

fn rewrite_and_put_the_time_back(root: &Path) {
    let path = root.join("a.jpg");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "A").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
}
