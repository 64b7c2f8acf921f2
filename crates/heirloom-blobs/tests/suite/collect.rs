//! Nothing that is referenced is ever collected, however puts and collections meet.

use std::{
    collections::HashSet,
    fs::{self, File},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use heirloom_blobs::{BlobStore, Collected, FolderStore, Grace, collect, hash_of};
use heirloom_core::ContentHash;
use tokio::runtime::{Builder, Runtime};

use crate::harness::{
    Seeded, blob_path, bytes_of, child_of, folder_of_child, now_ms, read, report, reported,
};

const BLOBS: u64 = 48;
const GRACE_MS: i64 = 600_000;

fn blobs() -> Vec<(ContentHash, Bytes)> {
    let bytes = (0..BLOBS).map(|seed| bytes_of(seed, 100 + seed as usize));
    bytes.map(|bytes| (hash_of(&bytes), bytes)).collect()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Makes blobs as if they had been put long before the grace period.
fn age(root: &Path, blobs: &[(ContentHash, Bytes)]) {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (hash, _) in blobs {
        if let Ok(file) = File::open(blob_path(root, *hash)) {
            file.set_modified(long_ago).unwrap();
        }
    }
}

async fn collect_once(
    store: &FolderStore,
    is_referenced: impl Fn(&ContentHash) -> bool,
) -> Collected {
    let grace = Grace {
        now_ms: now_ms(),
        grace_ms: GRACE_MS,
    };
    let referenced = |hashes: Vec<ContentHash>| {
        let referenced: HashSet<_> = hashes.into_iter().filter(&is_referenced).collect();
        // Gives a put time to come between the answer and the deletion.
        thread::yield_now();
        async move { Ok::<_, std::io::Error>(referenced) }
    };
    collect(store, grace, referenced).await.unwrap()
}

#[test]
fn a_put_that_races_a_collection_is_never_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::create(folder.path().join("blobs")).unwrap();
    let blobs = blobs();
    let (deleted, renewed, stored) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let rows: Mutex<HashSet<ContentHash>> = Mutex::default();
    for round in 0..12 {
        // All blobs are garbage from long ago, and some of them are put again right now.
        rows.lock().unwrap().clear();
        age(store.root(), &blobs);
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let store = FolderStore::open(store.root()).unwrap();
                    let runtime = runtime();
                    while !is_done.load(Relaxed) {
                        let is_referenced = |hash: &_| rows.lock().unwrap().contains(hash);
                        let collected = runtime.block_on(collect_once(&store, is_referenced));
                        deleted.fetch_add(collected.deleted, Relaxed);
                    }
                });
            }
            let writers = (0..2).map(|writer| {
                let (blobs, rows, renewed, stored) = (&blobs, &rows, &renewed, &stored);
                let root = store.root();
                scope.spawn(move || {
                    let store = FolderStore::open(root).unwrap();
                    let runtime = runtime();
                    let mut chance = Seeded(round * 2 + writer);
                    for _ in 0..BLOBS {
                        let (hash, bytes) = &blobs[chance.below(BLOBS) as usize];
                        let was_new = match chance.below(3) {
                            0 => runtime
                                .block_on(store.renew(*hash))
                                .unwrap()
                                .then_some(false),
                            1 => {
                                let put = runtime.block_on(store.put_many(vec![bytes.clone()]));
                                Some(put.unwrap()[0].was_new)
                            }
                            _ => {
                                let put = runtime.block_on(store.put_bytes(bytes.clone()));
                                Some(put.unwrap().was_new)
                            }
                        };
                        if let Some(was_new) = was_new {
                            (if was_new { stored } else { renewed }).fetch_add(1, Relaxed);
                            rows.lock().unwrap().insert(*hash);
                        }
                    }
                })
            });
            let writers: Vec<_> = writers.collect();
            writers
                .into_iter()
                .for_each(|writer| writer.join().unwrap());
            is_done.store(true, Relaxed);
        });
        for hash in rows.lock().unwrap().iter() {
            let bytes = runtime().block_on(read(&store, *hash));
            assert_eq!(
                bytes.map(|bytes| hash_of(&bytes)).unwrap(),
                *hash,
                "round {round}"
            );
        }
    }
    // Otherwise nothing met.
    for count in [deleted, renewed, stored] {
        assert!(count.into_inner() > 50);
    }
}

#[test]
fn a_put_that_races_a_collection_of_another_process_is_never_lost() {
    if let Some(folder) = folder_of_child() {
        return collect_until_stopped(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::create(folder.path().join("blobs")).unwrap();
    let rows = folder.path().join("rows");
    fs::create_dir(&rows).unwrap();
    let test = "collect::a_put_that_races_a_collection_of_another_process_is_never_lost";
    let mut collector = child_of(test, folder.path(), &[]).spawn().unwrap();

    let (blobs, runtime) = (blobs(), runtime());
    let (mut renewed, mut stored) = (0, 0);
    let mut chance = Seeded(1);
    let mut rounds = 0;
    // The other process starts when it starts; what counts is that the two met.
    while rounds < 10 || renewed.min(stored) < 50 || deleted(folder.path()) <= 50 {
        rounds += 1;
        for (hash, _) in &blobs {
            let _ = fs::remove_file(rows.join(hash.to_string()));
        }
        age(store.root(), &blobs);
        let mut referenced = Vec::new();
        for (hash, bytes) in &blobs {
            if chance.below(2) == 0 {
                let put = runtime.block_on(store.put_bytes(bytes.clone())).unwrap();
                *(if put.was_new {
                    &mut stored
                } else {
                    &mut renewed
                }) += 1;
                fs::write(rows.join(hash.to_string()), "").unwrap();
                referenced.push(*hash);
            }
        }
        for hash in referenced {
            let bytes = runtime.block_on(read(&store, hash));
            assert_eq!(
                bytes.map(|bytes| hash_of(&bytes)).unwrap(),
                hash,
                "round {rounds}"
            );
        }
        assert!(
            collector.try_wait().unwrap().is_none(),
            "the collector gave up"
        );
    }
    fs::write(folder.path().join("stop"), "").unwrap();
    assert!(collector.wait().unwrap().success());
}

/// How much the other process has said that it deleted.
fn deleted(folder: &Path) -> u64 {
    let reported = reported(folder);
    let lines = reported.iter().map(|line| line.parse::<u64>());
    lines.map(Result::unwrap).sum()
}

fn collect_until_stopped(folder: &Path) {
    let store = FolderStore::open(folder.join("blobs")).unwrap();
    let (rows, runtime) = (folder.join("rows"), runtime());
    while !folder.join("stop").exists() {
        let is_referenced = |hash: &ContentHash| rows.join(hash.to_string()).exists();
        let collected = runtime.block_on(collect_once(&store, is_referenced));
        report(folder, &collected.deleted.to_string());
    }
}

/// What is done to a blob while somebody else holds the lock of its folder, with what that somebody
/// does to the file meanwhile: the outcome is that of the two one after the other.
#[test]
fn a_blob_is_changed_only_under_the_lock_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::create(folder.path().join("blobs")).unwrap();
    let bytes = bytes_of(1, 1_000);
    let hash = hash_of(&bytes);
    let path = blob_path(store.root(), hash);
    let lock = store.root().join("locks").join(&hash.to_string()[..2]);
    let put = async || store.put_bytes(bytes.clone()).await.unwrap();
    let long_ago_ms = now_ms() - GRACE_MS;

    let blob = [(hash, bytes.clone())];
    let while_locked = |meanwhile: fn(&Path), action: &(dyn Fn() -> String + Sync)| {
        runtime().block_on(put());
        age(store.root(), &blob);
        let held = File::create(&lock).unwrap();
        held.lock().unwrap();
        thread::scope(|scope| {
            let action = scope.spawn(action);
            // Long enough for the action to come to the lock; it cannot come further.
            thread::sleep(Duration::from_millis(100));
            assert!(!action.is_finished());
            meanwhile(&path);
            held.unlock().unwrap();
            action.join().unwrap()
        })
    };
    let renew = |path: &Path| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms().cast_unsigned());
        File::open(path).unwrap().set_modified(now).unwrap();
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();

    let collected = while_locked(renew, &|| {
        let deletion = store.delete_unless_put_since(hash, long_ago_ms);
        format!("{:?}", runtime().block_on(deletion).unwrap())
    });
    assert_eq!(collected, "Kept");
    let collected = while_locked(remove, &|| {
        let deletion = store.delete_unless_put_since(hash, long_ago_ms);
        format!("{:?}", runtime().block_on(deletion).unwrap())
    });
    assert_eq!(collected, "Missing");
    let deleted = while_locked(remove, &|| {
        runtime().block_on(store.delete(hash)).unwrap().to_string()
    });
    assert_eq!(deleted, "false");
    let renewed = while_locked(remove, &|| {
        runtime().block_on(store.renew(hash)).unwrap().to_string()
    });
    assert_eq!(renewed, "false");
    let was_new = while_locked(remove, &|| runtime().block_on(put()).was_new.to_string());
    assert_eq!(was_new, "true");
    assert_eq!(runtime().block_on(read(&store, hash)).unwrap(), bytes);
}
