//! A full disk, a read-only one, and one that belongs to somebody else.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use heirloom_blobs::{
    BlobError, BlobStore, Finding, FolderStore, FsckDepth, FsckEvent, FsckOptions, fsck, hash_of,
    pages_of,
};
use tokio::runtime::Builder;

use crate::harness::{bytes_of, child_of, folder_of_child, list, names_in, read, run_to_success};

/// Starts a process that may mount what nobody else sees, and that takes its mounts with it.
const APART: [&str; 2] = ["unshare", "--map-root-user"];

fn mount(arguments: &[&str], folder: &Path) {
    let output = Command::new("mount")
        .args(arguments)
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs the test in a child with a disk of one megabyte at its folder.
fn with_a_tiny_disk(test: &str, body: impl AsyncFnOnce(PathBuf)) {
    if let Some(folder) = folder_of_child() {
        mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &folder);
        Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(body(folder));
    } else {
        let folder = tempfile::tempdir().unwrap();
        let [unshare, as_root] = APART;
        run_to_success(child_of(
            test,
            folder.path(),
            &[unshare, as_root, "--mount"],
        ));
    }
}

fn is_no_space(error: &BlobError) -> bool {
    matches!(error, BlobError::NoSpace { .. })
        && error
            .to_string()
            .starts_with("no space is left on the disk that holds /")
        && error.hint().is_some()
}

#[test]
fn a_full_disk_takes_nothing_loses_nothing_and_works_again_when_space_returns() {
    let test = "space::a_full_disk_takes_nothing_loses_nothing_and_works_again_when_space_returns";
    with_a_tiny_disk(test, async |folder| {
        let store = FolderStore::create(folder.join("blobs")).unwrap();
        let incoming = store.root().join("incoming");
        let mut kept: Vec<(_, Bytes)> = Vec::new();
        for seed in 0.. {
            let bytes = bytes_of(seed, 150_000);
            match store.put_bytes(bytes.clone()).await {
                Ok(put) => kept.push((put.hash, bytes)),
                Err(error) => {
                    assert!(is_no_space(&error), "{error:?}");
                    break;
                }
            }
        }
        assert!((4..7).contains(&kept.len()), "{}", kept.len());
        let large = bytes_of(1_000, 2_500_000);
        let small: Vec<_> = (2_000..2_100).map(|seed| bytes_of(seed, 4_000)).collect();
        for _ in 0..3 {
            assert!(is_no_space(
                &store.put(&mut &large[..], None).await.unwrap_err()
            ));
            assert!(is_no_space(
                &store.put_many(small.clone()).await.unwrap_err()
            ));
            assert!(names_in(&incoming).is_empty());
        }
        // Everything acknowledged is whole, and what came through of the batch is whole too.
        for (hash, bytes) in &kept {
            assert_eq!(read(&store, *hash).await.unwrap(), bytes);
        }
        for stat in list(&store, None).await {
            read(&store, stat.hash).await.unwrap();
            store.delete(stat.hash).await.unwrap();
        }
        let free_bytes = store.check_health().await.unwrap().free_bytes.unwrap();
        assert!(free_bytes > 900_000, "{free_bytes}");
        for (hash, bytes) in &kept {
            assert_eq!(store.put_bytes(bytes.clone()).await.unwrap().hash, *hash);
        }
        // Something else fills the rest to the last byte: even that is said, not guessed.
        for length in [100_000, 4_096, 1] {
            let filler = folder.join(format!("filler {length}"));
            while fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&filler)
                .and_then(|mut file| std::io::Write::write_all(&mut file, &vec![1; length]))
                .is_ok()
            {}
        }
        assert!(is_no_space(&store.check_health().await.unwrap_err()));
        assert!(is_no_space(
            &store.put_bytes(Bytes::from_static(b"x")).await.unwrap_err()
        ));
        assert!(!store.contains(hash_of(b"x")).await.unwrap());
        // Deleting must work exactly then.
        assert!(store.delete(kept[0].0).await.unwrap());
        store.check_health().await.unwrap();
        store.put_bytes(Bytes::from_static(b"x")).await.unwrap();
    });
}

#[test]
fn a_read_only_disk_can_be_read_and_says_why_it_takes_nothing() {
    let test = "space::a_read_only_disk_can_be_read_and_says_why_it_takes_nothing";
    with_a_tiny_disk(test, async |folder| {
        let root = folder.join("blobs");
        let bytes = bytes_of(1, 5_000);
        let hash = FolderStore::create(&root)
            .unwrap()
            .put_bytes(bytes.clone())
            .await
            .unwrap()
            .hash;
        fs::write(root.join("incoming/4711-0"), "half a blo").unwrap();
        mount(&["-o", "remount,bind,ro"], &folder);

        let store = FolderStore::open(&root).unwrap();
        assert_eq!(read(&store, hash).await.unwrap(), bytes);
        assert_eq!(
            store
                .get_range(hash, 5..10)
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap(),
            bytes[5..10]
        );
        assert_eq!(list(&store, None).await.len(), 1);
        for refused in [
            store.put_bytes(bytes.clone()).await.map(drop),
            store.put(&mut &bytes[..], None).await.map(drop),
            store.put_many(vec![bytes.clone()]).await.map(drop),
            store.renew(hash).await.map(drop),
            store.delete(hash).await.map(drop),
            store
                .delete_unless_put_since(hash, i64::MAX)
                .await
                .map(drop),
            store.check_health().await.map(drop),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, BlobError::ReadOnly { .. }), "{error:?}");
            assert!(
                error
                    .to_string()
                    .ends_with(" is on a read-only file system"),
                "{error}"
            );
        }
        let error = FolderStore::create(folder.join("other")).unwrap_err();
        assert!(matches!(error, BlobError::ReadOnly { .. }), "{error:?}");
    });
}

/// Takes the rights to a path from this user. Root has all rights wherever it is root, so there the
/// path is given to somebody who does not exist where the child runs.
fn take_rights(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
    if fs::metadata(path).unwrap().uid() == 0 {
        chown(path, Some(65_534), Some(65_534)).unwrap();
    }
}

#[test]
fn what_belongs_to_somebody_else_is_named() {
    let test = "space::what_belongs_to_somebody_else_is_named";
    let runtime = Builder::new_current_thread().build().unwrap();
    if let Some(folder) = folder_of_child() {
        let error = FolderStore::open(folder.join("theirs")).unwrap_err();
        assert!(matches!(error, BlobError::NotPermitted { .. }), "{error:?}");
        let says = format!(
            "there is no permission to use {}",
            folder.join("theirs/").display()
        );
        assert!(error.to_string().starts_with(&says), "{error}");
        assert!(error.hint().is_some());
        return runtime.block_on(check_unreadable(&folder.join("ours")));
    }
    let folder = tempfile::tempdir().unwrap();
    FolderStore::create(folder.path().join("theirs")).unwrap();
    let ours = FolderStore::create(folder.path().join("ours")).unwrap();
    runtime.block_on(async {
        for seed in 1..=3 {
            ours.put_bytes(bytes_of(seed, 100)).await.unwrap();
        }
        let listed = list(&ours, None).await;
        let name = listed[0].hash.to_string();
        take_rights(&ours.root().join(&name[..2]).join(name));
    });
    take_rights(&folder.path().join("theirs"));
    let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
    // Whoever is not root stays who they are.
    run_to_success(child_of(
        test,
        folder.path(),
        if is_root { &APART } else { &[] },
    ));
    fs::set_permissions(folder.path().join("theirs"), Permissions::from_mode(0o700)).unwrap();
}

/// One blob that cannot be read is told, and the check goes on to the others.
async fn check_unreadable(root: &Path) {
    let store = FolderStore::open(root).unwrap();
    let first = list(&store, None).await[0].hash;
    let options = FsckOptions {
        depth: FsckDepth::Bytes,
        is_setting_aside: true,
    };
    let mut unreadable = Vec::new();
    let observe = |event: FsckEvent<'_>| {
        if let FsckEvent::Found(Finding::Unreadable { blob, error }) = event {
            unreadable.push(blob.hash);
            assert!(matches!(error, BlobError::NotPermitted { .. }), "{error:?}");
        }
    };
    let report = fsck(&store, options, pages_of::<std::io::Error>([]), observe)
        .await
        .unwrap();
    assert_eq!(
        (report.blobs, report.unreadable, report.unreferenced),
        (3, 1, 2)
    );
    assert_eq!(unreadable, [first]);
    assert!(names_in(&root.join("quarantine")).is_empty());
}
