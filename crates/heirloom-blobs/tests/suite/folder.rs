//! What a store in a folder promises beyond what every store does.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::Barrier,
    thread,
};

use bytes::Bytes;
use heirloom_blobs::{BlobError, BlobStore, FolderStore, hash_of};
use tokio::io::{AsyncWriteExt, duplex};

use crate::harness::{InFolder, Subject, blob_path, bytes_of, list, names_in, now_ms, read};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_blob_is_a_file_where_the_documented_layout_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data/blobs");
    let store = FolderStore::create(&root).unwrap();
    store
        .put_bytes(Bytes::from_static(b"dear grandchildren,\n"))
        .await
        .unwrap();

    // The example in docs/formats.md, checked there with b3sum.
    let name = "092d61203b44820e93a546fe4215901e216232fb1b1b4768cadea731147c44ee";
    let path = root.join(&name[..2]).join(name);
    assert_eq!(fs::read(&path).unwrap(), b"dear grandchildren,\n");
    assert_eq!(mode(&path), 0o444);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&root), 0o700);
    let shards = (0..256).map(|n| format!("{n:02x}"));
    let others = ["LAYOUT", "incoming", "locks", "quarantine"].map(str::to_owned);
    let mut expected: Vec<_> = shards.chain(others).collect();
    expected.sort();
    assert_eq!(names_in(&root), expected);
    assert!(
        fs::read_to_string(root.join("LAYOUT"))
            .unwrap()
            .starts_with("blob layout 1\n")
    );
    assert!(names_in(&root.join("incoming")).is_empty());
}

#[test]
fn a_folder_that_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("photos")).unwrap();
    fs::write(at("photos/beach.jpg"), "a beach").unwrap();
    fs::write(at("file"), "a letter").unwrap();
    FolderStore::create(at("newer")).unwrap();
    fs::write(at("newer/LAYOUT"), "blob layout 3\n").unwrap();

    type Open = fn(std::path::PathBuf) -> Result<FolderStore, BlobError>;
    let (open, create): (Open, Open) = (FolderStore::open, FolderStore::create);
    for (action, name, says) in [
        (
            open,
            "missing",
            "missing is not a folder of blobs: its LAYOUT file is missing",
        ),
        (
            open,
            "empty",
            "empty is not a folder of blobs: its LAYOUT file is missing",
        ),
        (
            open,
            "photos",
            "photos is not a folder of blobs: its LAYOUT file is missing",
        ),
        (
            create,
            "photos",
            "photos is not a folder of blobs: something else is in it",
        ),
        (
            open,
            "file",
            "file is not a folder of blobs: its LAYOUT file is missing",
        ),
        (
            create,
            "file",
            "file is not a folder of blobs: it is a file",
        ),
        (
            open,
            "newer",
            "newer has the blob layout \"blob layout 3\", which this version",
        ),
        (
            create,
            "newer",
            "newer has the blob layout \"blob layout 3\", which this version",
        ),
    ] {
        let error = action(at(name)).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(!at("missing").exists());
    assert!(names_in(&at("empty")).is_empty());
    assert_eq!(names_in(&at("photos")), ["beach.jpg"]);
    assert_eq!(fs::read(at("file")).unwrap(), b"a letter");
}

#[tokio::test]
async fn a_store_whose_making_was_interrupted_is_completed() {
    let subject = InFolder::new();
    let bytes = bytes_of(1, 1_000);
    let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
    let root = subject.store.root();
    fs::remove_file(root.join("LAYOUT")).unwrap();
    fs::write(root.join("incoming/4711-0"), "blob la").unwrap();
    assert!(FolderStore::open(root).is_err());
    let store = FolderStore::create(root).unwrap();
    assert_eq!(read(&store, hash).await.unwrap(), bytes);
    assert!(names_in(&root.join("incoming")).is_empty());
}

#[test]
fn a_store_can_be_made_by_several_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..15 {
        let root = folder.path().join(round.to_string());
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    FolderStore::create(&root).unwrap();
                });
            }
        });
        FolderStore::open(&root).unwrap();
    }
}

#[tokio::test]
async fn a_disk_that_is_gone_is_no_empty_store() {
    let subject = InFolder::new();
    let root = subject.store.root().to_owned();
    subject.store.put_bytes(bytes_of(1, 10)).await.unwrap();
    let unmounted = root.with_extension("elsewhere");
    fs::rename(&root, &unmounted).unwrap();
    fs::create_dir(&root).unwrap();
    let is_no_store = |error| matches!(error, BlobError::NotAStore { .. });
    let listed: Result<Vec<_>, _> =
        futures_util::TryStreamExt::try_collect(subject.store.list(None)).await;
    assert!(is_no_store(listed.unwrap_err()));
    assert!(is_no_store(subject.store.check_health().await.unwrap_err()));
    subject.store.put_bytes(bytes_of(2, 10)).await.unwrap_err();
    assert!(
        names_in(&root).is_empty(),
        "nothing was written to the place of the disk"
    );
}

#[tokio::test]
async fn what_a_killed_put_left_goes_and_what_is_being_put_stays() {
    let subject = InFolder::new();
    let incoming = subject.store.root().join("incoming");
    fs::write(incoming.join("4711-0"), "half a blo").unwrap();

    let bytes = bytes_of(1, 3_000_000);
    let (mut sender, mut receiver) = duplex(64 * 1024);
    let put = subject.store.put(&mut receiver, None);
    let meanwhile = async {
        sender.write_all(&bytes[..2_500_000]).await.unwrap();
        while names_in(&incoming).len() < 2 {
            tokio::task::yield_now().await;
        }
        let other = FolderStore::open(subject.store.root()).unwrap();
        assert_eq!(names_in(&incoming).len(), 1);
        sender.write_all(&bytes[2_500_000..]).await.unwrap();
        drop(sender);
        other
    };
    let (put, other) = tokio::join!(put, meanwhile);
    assert_eq!(read(&other, put.unwrap().hash).await.unwrap(), bytes);
    assert!(names_in(&incoming).is_empty());
}

#[tokio::test]
async fn a_put_that_fails_or_is_dropped_leaves_no_file() {
    let subject = InFolder::new();
    let incoming = subject.store.root().join("incoming");
    let bytes = bytes_of(1, 2_500_000);
    let promised = Some(hash_of(b"something else"));
    subject
        .store
        .put(&mut &bytes[..], promised)
        .await
        .unwrap_err();
    assert!(names_in(&incoming).is_empty());

    let (mut sender, mut receiver) = duplex(64 * 1024);
    let mut put = subject.store.put(&mut receiver, None);
    let begun = async {
        sender.write_all(&bytes).await.unwrap();
        while names_in(&incoming).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut put => panic!("the sender has not ended"),
        () = begun => {}
    }
    drop(put);
    // The thread that was writing ends what it is at.
    while !names_in(&incoming).is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(list(&subject.store, None).await.is_empty());
}

#[tokio::test]
async fn a_blob_is_as_young_as_the_end_of_its_put() {
    let subject = InFolder::new();
    let incoming = subject.store.root().join("incoming");
    let bytes = bytes_of(1, 2 << 20);
    let (mut sender, mut receiver) = duplex(64 * 1024);
    let put = subject.store.put(&mut receiver, None);
    let slow_upload = async {
        sender.write_all(&bytes).await.unwrap();
        let file = loop {
            tokio::task::yield_now().await;
            if let [name] = &names_in(&incoming)[..] {
                let file = fs::File::open(incoming.join(name)).unwrap();
                if file.metadata().unwrap().len() == bytes.len() as u64 {
                    break file;
                }
            }
        };
        // The last byte came ages ago, but the upload ends now.
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        drop(sender);
    };
    let (put, ()) = tokio::join!(put, slow_upload);
    let stat = subject.store.stat(put.unwrap().hash).await.unwrap();
    assert!((now_ms() - stat.last_put_ms).abs() < 60_000);
}

#[tokio::test]
async fn a_blob_is_never_written_to_again() {
    let subject = InFolder::new();
    let bytes = bytes_of(1, 5_000);
    let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
    // Readers, backups and snapshots may rely on the file staying the same one.
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(&subject.path(hash));
    subject.store.put_bytes(bytes.clone()).await.unwrap();
    subject
        .store
        .put_many(vec![bytes.clone(), bytes])
        .await
        .unwrap();
    assert_eq!(inode(&subject.path(hash)), before);
}

#[tokio::test]
async fn the_damaged_copy_of_a_healed_blob_is_kept_in_quarantine() {
    let subject = InFolder::new();
    let quarantine = subject.store.root().join("quarantine");
    for round in 1..=3 {
        let bytes = bytes_of(1, 5_000);
        let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
        subject.tamper(hash, &mut |bytes| bytes.truncate(round));
        subject.store.put_bytes(bytes.clone()).await.unwrap();
        let aside = quarantine.join(round.to_string()).join(hash.to_string());
        assert_eq!(fs::read(aside).unwrap(), bytes[..round]);
    }
    assert_eq!(names_in(&quarantine), ["1", "2", "3"]);
}

#[tokio::test]
async fn nothing_but_a_file_is_taken_for_a_blob() {
    let subject = InFolder::new();
    let store = &subject.store;
    let bytes = bytes_of(1, 5_000);
    let hash = hash_of(&bytes);
    let path = subject.path(hash);
    let outside = store.root().with_extension("outside");
    fs::write(&outside, &bytes).unwrap();
    let makes: [fn(&Path, &Path); 3] = [
        |path, outside| symlink(outside, path).unwrap(),
        |path, _| fs::create_dir(path).unwrap(),
        |path, _| {
            let made = std::process::Command::new("mkfifo")
                .arg(path)
                .status()
                .unwrap();
            assert!(made.success());
        },
    ];
    for make in makes {
        make(&path, &outside);
        let is_not_found = |error| matches!(error, BlobError::NotFound { .. });
        assert!(is_not_found(store.get(hash).await.unwrap_err()));
        assert!(is_not_found(store.stat(hash).await.unwrap_err()));
        assert!(!store.renew(hash).await.unwrap());
        assert!(list(store, None).await.is_empty());
        // Putting the blob moves the intruder aside.
        assert!(store.put_bytes(bytes.clone()).await.unwrap().was_new);
        assert_eq!(read(store, hash).await.unwrap(), bytes);
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        store.delete(hash).await.unwrap();
    }
    assert_eq!(fs::read(outside).unwrap(), bytes);
}

#[tokio::test]
async fn a_folder_of_blobs_that_somebody_removed_comes_back() {
    let subject = InFolder::new();
    for shard in 0..=255_u8 {
        fs::remove_dir(subject.store.root().join(format!("{shard:02x}"))).unwrap();
    }
    fs::remove_dir(subject.store.root().join("quarantine")).unwrap();
    assert!(list(&subject.store, None).await.is_empty());
    assert!(!subject.store.delete(hash_of(b"gone")).await.unwrap());
    let bytes = bytes_of(1, 5_000);
    let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
    subject.tamper(hash, &mut |bytes| bytes[0] ^= 1);
    subject.store.put_bytes(bytes.clone()).await.unwrap();
    assert_eq!(read(&subject.store, hash).await.unwrap(), bytes);
}

#[tokio::test]
async fn two_who_put_the_same_blob_at_once_make_one() {
    let subject = InFolder::new();
    let stores: Vec<_> = (0..4)
        .map(|_| FolderStore::open(subject.store.root()).unwrap())
        .collect();
    for seed in 0..200 {
        let bytes = bytes_of(seed, 1_000);
        let puts = stores.iter().map(|store| store.put_bytes(bytes.clone()));
        let put = futures_util::future::try_join_all(puts).await.unwrap();
        assert_eq!(put.iter().filter(|put| put.was_new).count(), 1);
        assert_eq!(read(&subject.store, put[0].hash).await.unwrap(), bytes);
    }
    // Nobody took the blob of another for something foreign.
    assert!(names_in(&subject.store.root().join("quarantine")).is_empty());
    assert_eq!(list(&subject.store, None).await.len(), 200);
}

#[tokio::test]
async fn an_error_names_the_file() {
    let subject = InFolder::new();
    let hash = hash_of(b"x");
    // A lock that cannot be opened stands for everything unforeseen.
    fs::create_dir_all(
        subject
            .store
            .root()
            .join("locks")
            .join(&hash.to_string()[..2]),
    )
    .unwrap();
    let error = subject
        .store
        .put_bytes(Bytes::from_static(b"x"))
        .await
        .unwrap_err();
    assert!(matches!(error, BlobError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("locks"), "{error}");
    assert!(!blob_path(subject.store.root(), hash).exists());
    assert!(names_in(&subject.store.root().join("incoming")).is_empty());
}

#[tokio::test]
async fn what_was_set_aside_of_a_blob_is_deleted_and_nothing_else_there() {
    let subject = InFolder::new();
    let store = &subject.store;
    let mut hashes = Vec::new();
    for seed in [1, 1, 2] {
        let hash = store.put_bytes(bytes_of(seed, 1_000)).await.unwrap().hash;
        subject.tamper(hash, &mut |bytes| bytes[0] ^= 1);
        assert!(store.set_aside(hash).await.unwrap());
        hashes.push(hash);
    }
    assert_eq!(store.delete_set_aside(hashes[0]).await.unwrap(), 2);
    let quarantine = store.root().join("quarantine");
    assert_eq!(names_in(&quarantine), ["3"]);
    assert_eq!(names_in(&quarantine.join("3")), [hashes[2].to_string()]);
}
