//! A process that is killed at any moment loses nothing that it had acknowledged.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use bytes::Bytes;
use heirloom_blobs::{BlobStore, FolderStore, FsckDepth, FsckOptions, fsck, hash_of, pages_of};
use tokio::runtime::Builder;

use crate::harness::{
    Seeded, bytes_of, child_of, folder_of_child, list, names_in, read, report, reported,
};

const KILLS: u64 = 64;
/// A machine so slow that its children do next to nothing before they die gets more kills, up to
/// this many.
const MOST_KILLS: u64 = 640;
/// Kills that one store has to endure.
const KILLS_PER_STORE: u64 = 8;
const LONGEST_LIFE_MS: u64 = 70;

#[test]
fn every_acknowledged_blob_survives_every_kill() {
    if let Some(folder) = folder_of_child() {
        return put_until_killed(&folder);
    }
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut chance = Seeded(20_240_229);
    let mut acknowledged_in_all = 0;
    let mut leftovers_in_all = 0;
    let mut kills = 0;
    let says_enough = |acknowledged: usize, leftovers: usize| acknowledged > 200 && leftovers > 10;
    while kills < KILLS || kills < MOST_KILLS && !says_enough(acknowledged_in_all, leftovers_in_all)
    {
        kills += KILLS_PER_STORE;
        let folder = tempfile::tempdir().unwrap();
        for kill in 0..KILLS_PER_STORE {
            fs::write(folder.path().join("life"), kill.to_string()).unwrap();
            let test = "kill::every_acknowledged_blob_survives_every_kill";
            let mut command = child_of(test, folder.path(), &[]);
            let mut child = command.stdout(Stdio::null()).spawn().unwrap();
            thread::sleep(Duration::from_millis(chance.below(LONGEST_LIFE_MS)));
            kill_and_wait(&mut child);
            leftovers_in_all += count_incoming(&folder.path().join("blobs"));
            // Making or opening the store cleans up what the killed process was writing.
            let store = FolderStore::create(folder.path().join("blobs")).unwrap();
            assert!(names_in(&store.root().join("incoming")).is_empty());
            runtime.block_on(check(&store));
        }
        // No kill may take back what an earlier life had acknowledged.
        let store = FolderStore::open(folder.path().join("blobs")).unwrap();
        let acknowledged = reported(folder.path());
        acknowledged_in_all += acknowledged.len();
        for line in acknowledged {
            let mut words = line.split(' ').map(|word| word.parse().unwrap());
            let (seed, length) = (words.next().unwrap(), words.next().unwrap());
            let bytes = bytes_of(seed, length as usize);
            let stored = runtime.block_on(read(&store, hash_of(&bytes)));
            let is_whole = stored.as_ref().is_ok_and(|stored| *stored == bytes);
            assert!(is_whole, "{line} of kill {kills}: {:?}", stored.err());
        }
    }
    let says = format!("{acknowledged_in_all} acknowledged, {leftovers_in_all} killed half-way");
    assert!(
        says_enough(acknowledged_in_all, leftovers_in_all),
        "{says} in {kills} kills"
    );
}

fn kill_and_wait(child: &mut Child) {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(9), "the child ended by itself: {status}");
}

fn count_incoming(root: &Path) -> usize {
    fs::read_dir(root.join("incoming")).map_or(0, Iterator::count)
}

/// Whatever is visible is whole.
async fn check(store: &FolderStore) {
    let options = FsckOptions {
        depth: FsckDepth::Bytes,
        is_setting_aside: false,
    };
    let nothing = pages_of::<std::io::Error>([]);
    let report = fsck(store, options, nothing, |_| {}).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.unreferenced as usize, list(store, None).await.len());
}

/// Puts new blobs in all ways, from two threads, and now and then one that is there already.
fn put_until_killed(folder: &Path) {
    let life: u64 = fs::read_to_string(folder.join("life"))
        .unwrap()
        .parse()
        .unwrap();
    let store = FolderStore::create(folder.join("blobs")).unwrap();
    thread::scope(|scope| {
        for writer in 0..2 {
            let store = &store;
            scope.spawn(move || {
                let runtime = Builder::new_current_thread().build().unwrap();
                let mut chance = Seeded(life * 2 + writer);
                loop {
                    let blobs = some_blobs(&mut chance);
                    let bytes: Vec<Bytes> = blobs.iter().map(|(_, bytes)| bytes.clone()).collect();
                    match &bytes[..] {
                        [one] if one.len() % 2 == 0 => {
                            runtime.block_on(store.put(&mut &one[..], None)).unwrap();
                        }
                        [one] => drop(runtime.block_on(store.put_bytes(one.clone())).unwrap()),
                        _ => drop(runtime.block_on(store.put_many(bytes)).unwrap()),
                    }
                    for (seed, bytes) in blobs {
                        report(folder, &format!("{seed} {}", bytes.len()));
                    }
                }
            });
        }
    });
}

fn some_blobs(chance: &mut Seeded) -> Vec<(u64, Bytes)> {
    let (count, largest) = match chance.below(10) {
        0 => (1, 1_500_000),
        1..=3 => (1 + chance.below(20), 3_000),
        _ => (1, 40_000),
    };
    let mut one = || {
        let seed = chance.below(1_000_000);
        let length = chance.below(largest) as usize;
        (seed, bytes_of(seed, length))
    };
    let mut blobs: Vec<_> = (0..count).map(|_| one()).collect();
    let again = blobs[0].clone();
    blobs.extend((count > 10).then_some(again));
    blobs
}
