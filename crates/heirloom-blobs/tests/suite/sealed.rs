//! Blobs that are encrypted: nothing of them is to be read without the key, and nothing is lost on the way there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use bytes::Bytes;
use heirloom_blobs::{
    BlobError, BlobStore, Cache, DataKey, FolderStore, FsckDepth, FsckOptions, S3Store, Sealing,
    SignedRead, fsck, hash_of, pages_of,
};
use tokio::runtime::Builder;

use crate::harness::{
    InBucket, InFolder, OWNER, Seeded, Subject, bytes_of, child_of, folder_of_child, list,
    names_in, now_ms, read, report, reported, sealing,
};

/// A letter that nobody can take for chance.
fn picture(length: usize) -> Bytes {
    let line = b"Grandmother at the lake, summer of 1974. ";
    line.iter().copied().cycle().take(length).collect()
}

/// Whether some file below this folder has a part of the picture in it.
fn shows_the_picture(folder: &Path) -> bool {
    let part = &picture(32)[..];
    files_below(folder).iter().any(|file| {
        let bytes = fs::read(file).unwrap();
        bytes.windows(part.len()).any(|window| window == part)
    })
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

async fn put_in_every_way(store: &dyn BlobStore, place: &Path) {
    for length in [100, 70_000, 9_000_000] {
        store.put_bytes(picture(length)).await.unwrap();
        let other = picture(length + 1);
        store.put(&mut &other[..], None).await.unwrap();
        let file = place.join("handed-over");
        fs::write(&file, picture(length + 2)).unwrap();
        store.put_file(&file, None).await.unwrap();
        fs::remove_file(&file).unwrap();
        let many = (3..6).map(|more| picture(length + more)).collect();
        store.put_many(many).await.unwrap();
    }
}

async fn use_everything(store: &dyn BlobStore) {
    for blob in list(store, None).await {
        let bytes = read(store, blob.hash).await.unwrap();
        assert_eq!(bytes, picture(blob.size_bytes as usize));
        let part = store.get_range(blob.hash, 10..90).await.unwrap();
        assert_eq!(part.bytes().await.unwrap(), bytes[10..90]);
        let opened = store.open_file(blob.hash).await.unwrap();
        assert_eq!(opened.metadata().unwrap().len(), blob.size_bytes);
    }
}

#[tokio::test]
async fn stolen_disk_shows_no_picture() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("blobs");
    let store = FolderStore::create_sealed(&root, sealing(place.path())).unwrap();
    put_in_every_way(&store, place.path()).await;
    use_everything(&store).await;
    assert_eq!(list(&store, None).await.len(), 18);
    assert!(!shows_the_picture(place.path()));
    // The test would see it.
    let plain = FolderStore::create(place.path().join("plain")).unwrap();
    plain.put_bytes(picture(100)).await.unwrap();
    assert!(shows_the_picture(place.path()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_bucket_nor_its_cache_shows_a_picture() {
    let bucket = InBucket::sealed().await;
    let place = bucket.cache.parent().unwrap();
    put_in_every_way(&bucket.store, place).await;
    use_everything(&bucket.store).await;
    assert!(!files_below(&bucket.cache).is_empty());
    assert!(!shows_the_picture(place));
    for blob in list(&bucket.store, None).await {
        let object = format!("blobs/{}.sealed", blob.hash);
        let bytes = bucket.remote.read(&object).await.unwrap();
        let part = &picture(32)[..];
        assert!(!bytes.windows(part.len()).any(|window| window == part));
        let read = SignedRead {
            duration: Duration::from_secs(60),
            media_type: "image/jpeg",
            disposition: "inline",
        };
        assert_eq!(bucket.store.sign_read(blob.hash, read).await.unwrap(), None);
    }
}

/// Puts blobs of several lengths, turns the key, and seals each blob again.
async fn seal_all(store: &dyn BlobStore, sealing: &Sealing) {
    let blobs: Vec<Bytes> = (0..20).map(|n| bytes_of(n, n as usize * 40_000)).collect();
    store.put_many(blobs.clone()).await.unwrap();
    let before = list(store, None).await;
    for _ in 0..2 {
        sealing.use_key(DataKey::generate().unwrap());
        // What is not sealed yet is read as well as what is.
        for (n, bytes) in blobs.iter().enumerate() {
            let hash = hash_of(bytes);
            let reader = store.get(hash).await.unwrap();
            assert!(store.reseal(hash).await.unwrap());
            assert!(!store.reseal(hash).await.unwrap());
            // Whoever had it open reads it to its end.
            assert_eq!(reader.bytes().await.unwrap(), bytes);
            for bytes in &blobs[n.saturating_sub(2)..blobs.len().min(n + 2)] {
                assert_eq!(read(store, hash_of(bytes)).await.unwrap(), bytes);
                let part = store.get_range(hash_of(bytes), 0..9).await.unwrap();
                assert_eq!(part.bytes().await.unwrap(), bytes[..bytes.len().min(9)]);
            }
            assert!(!store.put_bytes(bytes.clone()).await.unwrap().was_new);
        }
    }
    let after = list(store, None).await;
    let names = |blobs: &[heirloom_blobs::BlobStat]| -> Vec<_> {
        blobs
            .iter()
            .map(|blob| (blob.hash, blob.size_bytes))
            .collect()
    };
    assert_eq!(names(&after), names(&before));
    let nothing = hash_of(b"never put");
    let missing = store.reseal(nothing).await;
    assert!(matches!(missing, Err(BlobError::NotFound { .. })));
}

#[tokio::test]
async fn what_was_plain_is_sealed_and_sealed_again_while_it_is_read() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("blobs");
    let sealing = Sealing::new(place.path().join("scratch"));
    let store = FolderStore::create_sealed(&root, sealing.clone()).unwrap();
    seal_all(&store, &sealing).await;
    let plain = files_below(&root).into_iter().filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.len() >= 64 && !name.ends_with(".sealed")
    });
    assert_eq!(plain.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_sealed_and_sealed_again_while_it_is_read() {
    let place = tempfile::tempdir().unwrap();
    let sealing = Sealing::new(place.path().join("scratch"));
    let bucket = InBucket::with(1 << 30, |_| sealing.clone()).await;
    seal_all(&bucket.store, &sealing).await;
    for copy in names_in(&bucket.cache) {
        assert!(copy == "incoming" || copy.ends_with(".sealed"), "{copy}");
    }
}

#[tokio::test]
async fn without_its_key_a_store_is_refused_and_nothing_is_touched() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("blobs");
    let keys = sealing(place.path());
    let store = FolderStore::create_sealed(&root, keys.clone()).unwrap();
    let hash = store.put_bytes(picture(1000)).await.unwrap().hash;
    let before = files_below(&root);
    for opened in [FolderStore::open(&root), FolderStore::create(&root)] {
        assert!(matches!(opened, Err(BlobError::Locked { .. })));
    }
    // Another library's key opens nothing, and nobody takes what it cannot open for damaged.
    let other = FolderStore::create_sealed(&root, sealing(place.path())).unwrap();
    assert!(matches!(
        other.get(hash).await,
        Err(BlobError::NoKey { .. })
    ));
    assert!(matches!(
        other.set_aside(hash).await,
        Err(BlobError::NoKey { .. })
    ));
    assert_eq!(files_below(&root), before);
    assert_eq!(read(&store, hash).await.unwrap(), picture(1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_key_a_bucket_is_refused() {
    let bucket = InBucket::sealed().await;
    bucket.store.put_bytes(picture(1000)).await.unwrap();
    let place = tempfile::tempdir().unwrap();
    let cache = Cache::open(place.path(), 1 << 20).unwrap();
    let opened = S3Store::open(bucket.remote.clone(), cache, OWNER, now_ms).await;
    assert!(matches!(opened, Err(BlobError::Locked { .. })));
}

#[tokio::test]
async fn a_truncated_sealed_file_is_set_aside_and_healed() {
    let subject = InFolder::sealed();
    let store = subject.store();
    let bytes = picture(300_000);
    let hash = store.put_bytes(bytes.clone()).await.unwrap().hash;
    // At the end of a segment, where a file that is sealed less well would open.
    subject.tamper(hash, &mut |bytes| bytes.truncate(72 + 2 * 65_552));
    let options = FsckOptions {
        depth: FsckDepth::Bytes,
        is_setting_aside: true,
    };
    let report = fsck(store, options, pages_of::<std::io::Error>([]), |_| {}).await;
    assert_eq!(report.unwrap().damaged, 1);
    assert!(!store.contains(hash).await.unwrap());
    assert!(store.put_bytes(bytes.clone()).await.unwrap().was_new);
    assert_eq!(read(store, hash).await.unwrap(), bytes);
    assert_eq!(store.delete_set_aside(hash).await.unwrap(), 1);
}

#[tokio::test]
async fn a_damaged_blob_stays_as_it_is_when_all_are_sealed() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("blobs");
    let keys = Sealing::new(place.path().join("scratch"));
    let store = FolderStore::create_sealed(&root, keys.clone()).unwrap();
    let hash = store.put_bytes(picture(1000)).await.unwrap().hash;
    let path = crate::harness::blob_path(&root, hash);
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"something else").unwrap();
    keys.use_key(DataKey::generate().unwrap());
    let sealed = store.reseal(hash).await;
    assert!(matches!(sealed, Err(BlobError::Corrupt { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"something else");
}

const KILLS: usize = 40;

#[test]
fn every_blob_survives_every_kill_while_all_are_sealed() {
    if let Some(folder) = folder_of_child() {
        return seal_until_killed(&folder);
    }
    let runtime = Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blobs");
    let blobs: Vec<Bytes> = (0..120).map(|n| bytes_of(n, n as usize * 2_000)).collect();
    let store = FolderStore::create(&root).unwrap();
    runtime.block_on(store.put_many(blobs.clone())).unwrap();
    let mut chance = Seeded(20_261_122);
    for _ in 0..KILLS {
        let test = "sealed::every_blob_survives_every_kill_while_all_are_sealed";
        let mut command = child_of(test, folder.path(), &[]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        // At any moment between two blobs, or within one, once it has begun.
        let enough = reported(folder.path()).len() as u64 + chance.below(60);
        while (reported(folder.path()).len() as u64) < enough {
            assert_eq!(child.try_wait().unwrap(), None);
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(chance.below(4)));
        child.kill().unwrap();
        child.wait().unwrap();
        let keys = keys_of(folder.path());
        let store = FolderStore::create_sealed(&root, keys).unwrap();
        assert!(names_in(&root.join("incoming")).is_empty());
        let options = FsckOptions {
            depth: FsckDepth::Bytes,
            is_setting_aside: false,
        };
        let nothing = pages_of::<std::io::Error>([]);
        let report = runtime
            .block_on(fsck(&store, options, nothing, |_| {}))
            .unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.blobs, blobs.len() as u64);
    }
}

/// The keys of all lives so far: each has one of its own, made of its number.
fn keys_of(folder: &Path) -> Sealing {
    let keys = Sealing::new(folder.join("scratch"));
    let text = fs::read_to_string(folder.join("encryption.json"));
    if text.is_ok() {
        let file = heirloom_blobs::KeyFile::load(&folder.join("encryption.json"));
        let mut all = file.unwrap().unwrap().unlock(&master()).unwrap();
        all.reverse();
        all.into_iter().for_each(|key| keys.use_key(key));
    }
    keys
}

fn master() -> heirloom_blobs::MasterKey {
    let letters = "0".repeat(heirloom_blobs::KEY_LETTERS);
    heirloom_blobs::MasterKey::parse_key(&letters).unwrap()
}

/// Begins a new key, and seals blob after blob with it.
fn seal_until_killed(folder: &Path) {
    let path = folder.join("encryption.json");
    let file = heirloom_blobs::KeyFile::load(&path).unwrap();
    let file = match file {
        Some(mut file) => {
            file.rotate(&master(), 0).unwrap();
            file
        }
        None => {
            heirloom_blobs::KeyFile::create("family", &master(), 0)
                .unwrap()
                .0
        }
    };
    file.save(&path).unwrap();
    let store = FolderStore::create_sealed(folder.join("blobs"), keys_of(folder)).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    for blob in runtime.block_on(list(&store, None)) {
        if runtime.block_on(store.reseal(blob.hash)).unwrap() {
            report(folder, &blob.hash.to_string());
        }
    }
    // Until it is killed.
    loop {
        thread::park();
    }
}
