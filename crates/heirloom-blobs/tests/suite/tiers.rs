//! What several stores as one do besides what every store does: blobs are moved between them while they are used.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use heirloom_blobs::{
    BlobError, BlobStore as _, Deletion, FolderStore, FsckDepth, FsckOptions, Moved, SignedRead,
    Tier, Tiers, fsck, hash_of, pages_of,
};
use heirloom_core::ContentHash;
use heirloom_testing::tree::files_below;
use tokio::task::JoinSet;

use crate::harness::{InTiers, Seeded, Subject as _, bytes_of, list, read, sealing};

type Pace = Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>;

fn at_once() -> Pace {
    Arc::new(|_| Box::pin(std::future::ready(())))
}

async fn moved(tiers: &Tiers, hash: ContentHash, way: (usize, usize)) -> Moved {
    tiers.move_blob(hash, way, at_once()).await.unwrap()
}

async fn places(tiers: &Tiers, hash: ContentHash) -> Vec<bool> {
    let mut places = Vec::new();
    for tier in tiers.tiers() {
        places.push(tier.store.contains(hash).await.unwrap());
    }
    places
}

#[tokio::test]
async fn a_blob_is_moved_to_a_bucket_and_back() {
    let subject = InTiers::with_bucket().await;
    let tiers = &subject.tiers;
    for length in [0, 10, 300_000, 9_000_000] {
        let bytes = bytes_of(1, length);
        let size_bytes = length as u64;
        let hash = tiers.put_bytes(bytes.clone()).await.unwrap().hash;
        assert_eq!(places(tiers, hash).await, [true, false]);
        assert_eq!(
            moved(tiers, hash, (0, 1)).await,
            Moved::Moved { size_bytes }
        );
        assert_eq!(places(tiers, hash).await, [false, true]);
        assert!(read(tiers, hash).await.unwrap() == bytes);
        assert_eq!(moved(tiers, hash, (0, 1)).await, Moved::Gone);
        assert!(!tiers.put_bytes(bytes.clone()).await.unwrap().was_new);
        assert_eq!(places(tiers, hash).await, [false, true]);
        assert_eq!(
            moved(tiers, hash, (1, 0)).await,
            Moved::Moved { size_bytes }
        );
        assert_eq!(places(tiers, hash).await, [true, false]);
        assert!(read(tiers, hash).await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn a_move_that_was_cut_off_is_finished_by_the_next() {
    let subject = InTiers::of_folders();
    let tiers = &subject.tiers;
    let bytes = bytes_of(1, 100_000);
    let hash = tiers.put_bytes(bytes.clone()).await.unwrap().hash;
    // As a kill leaves it that came between the copy and the deletion.
    tiers.tiers()[1]
        .store
        .put_bytes(bytes.clone())
        .await
        .unwrap();
    assert_eq!(places(tiers, hash).await, [true, true]);
    assert_eq!(list(tiers, None).await.len(), 1);
    let size_bytes = 100_000;
    assert_eq!(
        moved(tiers, hash, (0, 1)).await,
        Moved::Moved { size_bytes }
    );
    assert_eq!(places(tiers, hash).await, [false, true]);
    assert!(tiers.delete(hash).await.unwrap());
    assert!(list(tiers, None).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_in_one_place_costs_nothing_in_the_other() {
    let subject = InTiers::of_folders();
    let tiers = &subject.tiers;
    let bytes = bytes_of(1, 700_000);
    let hash = tiers.put_bytes(bytes.clone()).await.unwrap().hash;
    subject.tamper(hash, &mut |bytes| bytes[600_000] ^= 1);

    // The only copy is named and stays.
    assert_eq!(moved(tiers, hash, (0, 1)).await, Moved::Damaged);
    assert_eq!(places(tiers, hash).await, [true, false]);
    let error = read(tiers, hash).await.unwrap_err();
    assert!(matches!(error, BlobError::Corrupt { .. }), "{error}");

    // With a sound one where it should go it makes room for that.
    let other = &tiers.tiers()[1].store;
    other.put_bytes(bytes.clone()).await.unwrap();
    assert_eq!(moved(tiers, hash, (0, 1)).await, Moved::Replaced);
    assert_eq!(places(tiers, hash).await, [false, true]);
    assert!(read(tiers, hash).await.unwrap() == bytes);

    // And a damaged one where it should go is replaced by the sound one.
    assert_eq!(
        moved(tiers, hash, (1, 0)).await,
        Moved::Moved {
            size_bytes: 700_000
        }
    );
    other.put_bytes(bytes.clone()).await.unwrap();
    subject.tamper_at(1, hash, &mut |bytes| bytes.truncate(5));
    assert_eq!(
        moved(tiers, hash, (0, 1)).await,
        Moved::Moved {
            size_bytes: 700_000
        }
    );
    assert!(read(tiers, hash).await.unwrap() == bytes);
    assert_eq!(tiers.delete_set_aside(hash).await.unwrap(), 2);
}

#[tokio::test]
async fn what_was_put_or_renewed_while_it_was_moved_is_as_young_afterwards() {
    let subject = InTiers::of_folders();
    let tiers = subject.tiers.clone();
    let hash = tiers.put_bytes(bytes_of(1, 600_000)).await.unwrap().hash;
    let renewed = Arc::new(AtomicBool::new(false));
    let pace: Pace = {
        let (tiers, renewed) = (tiers.clone(), Arc::clone(&renewed));
        Arc::new(move |_| {
            let (tiers, renewed) = (tiers.clone(), Arc::clone(&renewed));
            Box::pin(async move {
                if !renewed.swap(true, Ordering::Relaxed) {
                    // Longer than the tick by which file systems count.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    assert!(tiers.renew(hash).await.unwrap());
                }
            })
        })
    };
    let renewed_ms = || async { tiers.stat(hash).await.unwrap().last_put_ms };
    let before_ms = renewed_ms().await;
    let way = tiers.move_blob(hash, (0, 1), pace).await.unwrap();
    assert_eq!(
        way,
        Moved::Moved {
            size_bytes: 600_000
        }
    );
    assert!(renewed_ms().await > before_ms);
    let deletion = tiers.delete_unless_put_since(hash, before_ms + 1).await;
    assert_eq!(deletion.unwrap(), Deletion::Kept);
}

#[tokio::test]
async fn whoever_deletes_goes_before_whoever_moves() {
    let subject = InTiers::of_folders();
    let tiers = subject.tiers.clone();
    let hash = tiers.put_bytes(bytes_of(1, 600_000)).await.unwrap().hash;
    let (begun, begins) = tokio::sync::watch::channel(false);
    let pace: Pace = Arc::new(move |_| {
        let _ = begun.send(true);
        Box::pin(std::future::pending())
    });
    let mut begins = begins;
    let deleting = async {
        begins.wait_for(|begun| *begun).await.unwrap();
        tiers.delete(hash).await.unwrap()
    };
    let (moved, deleted) = tokio::join!(tiers.move_blob(hash, (0, 1), pace), deleting);
    assert_eq!((moved.unwrap(), deleted), (Moved::InUse, true));
    assert_eq!(places(&tiers, hash).await, [false, false]);
    assert!(list(&tiers, None).await.is_empty());
}

#[tokio::test]
async fn nothing_is_moved_from_an_address_that_was_given_out() {
    let subject = InTiers::with_bucket().await;
    let tiers = &subject.tiers;
    let hash = tiers.put_bytes(bytes_of(1, 1_000)).await.unwrap().hash;
    moved(tiers, hash, (0, 1)).await;
    let read = |duration| SignedRead {
        duration,
        media_type: "image/jpeg",
        disposition: "inline",
    };
    let signed = tiers.sign_read(hash, read(Duration::from_secs(300))).await;
    assert!(signed.unwrap().is_some());
    assert_eq!(moved(tiers, hash, (1, 0)).await, Moved::InUse);
    assert_eq!(places(tiers, hash).await, [false, true]);
    let near = tiers.put_bytes(bytes_of(2, 1_000)).await.unwrap().hash;
    let signed = tiers.sign_read(near, read(Duration::from_secs(300))).await;
    assert_eq!(signed.unwrap(), None, "a folder has no addresses");
}

#[tokio::test]
async fn a_place_that_does_not_answer_hides_nothing_that_another_has() {
    let mut subject = InTiers::with_bucket().await;
    let tiers = subject.tiers.clone();
    let near = tiers.put_bytes(bytes_of(1, 1_000)).await.unwrap().hash;
    let far = tiers.put_bytes(bytes_of(2, 1_000)).await.unwrap().hash;
    moved(&tiers, far, (0, 1)).await;
    subject.stop_server();
    assert!(read(&tiers, near).await.is_ok());
    let error = tiers.get(far).await.unwrap_err();
    assert!(matches!(error, BlobError::Remote(_)), "{error:?}");
    let error = tiers.move_blob(near, (0, 1), at_once()).await.unwrap_err();
    assert!(matches!(error, BlobError::Remote(_)), "{error:?}");
    assert!(read(&tiers, near).await.is_ok(), "it is where it was");
    let error = tiers.check_health().await.unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_blobs_are_moved() {
    let subject = InTiers::of_folders();
    let tiers = subject.tiers.clone();
    let blobs: Vec<_> = (0..60).map(|n| bytes_of(n, 200 * n as usize)).collect();
    let hashes: Vec<_> = blobs.iter().map(|bytes| hash_of(bytes)).collect();
    tiers.put_many(blobs.clone()).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut mover = JoinSet::new();
    mover.spawn({
        let (tiers, hashes, is_over) = (tiers.clone(), hashes.clone(), Arc::clone(&is_over));
        async move {
            let (mut chance, mut moves) = (Seeded(7), 0);
            while !is_over.load(Ordering::Relaxed) {
                let hash = hashes[chance.below(60) as usize];
                let from = chance.below(2) as usize;
                let outcome = moved(&tiers, hash, (from, 1 - from)).await;
                moves += usize::from(matches!(outcome, Moved::Moved { .. }));
            }
            moves
        }
    });
    let mut expected: Vec<_> = hashes.clone();
    expected.sort_unstable();
    let mut chance = Seeded(8);
    for _ in 0..40 {
        for _ in 0..20 {
            let n = chance.below(60) as usize;
            assert!(read(&tiers, hashes[n]).await.unwrap() == blobs[n]);
            assert!(tiers.contains(hashes[n]).await.unwrap());
            assert!(tiers.renew(hashes[n]).await.unwrap());
            tiers.size_bytes(hashes[n]).await.unwrap();
            let n = chance.below(60) as usize;
            tiers.put_bytes(blobs[n].clone()).await.unwrap();
            let n = chance.below(60) as usize;
            assert_eq!(
                tiers.delete_unless_put_since(hashes[n], 1).await.unwrap(),
                Deletion::Kept
            );
            // One is let go of and put again.
            assert!(tiers.delete(hashes[59]).await.unwrap());
            assert!(!tiers.contains(hashes[59]).await.unwrap());
            tiers.put_bytes(blobs[59].clone()).await.unwrap();
        }
        let listed: Vec<_> = list(&tiers, None).await;
        let listed: Vec<_> = listed.iter().map(|blob| blob.hash).collect();
        assert_eq!(listed, expected, "each once, whatever is moved");
    }
    is_over.store(true, Ordering::Relaxed);
    let moves = mover.join_next().await.unwrap().unwrap();
    assert!(moves > 100, "there was something to notice: {moves}");
    let options = FsckOptions {
        depth: FsckDepth::Bytes,
        is_setting_aside: false,
    };
    let expected = blobs.iter().map(|bytes| heirloom_blobs::ExpectedBlob {
        hash: hash_of(bytes),
        size_bytes: bytes.len() as u64,
    });
    let report = fsck(&tiers, options, pages_of::<BlobError>(expected), |_| ())
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.blobs, report.unreferenced), (60, 0));
}

#[tokio::test]
async fn every_copy_is_sealed_wherever_it_lies() {
    let place = tempfile::tempdir().unwrap();
    let folders = ["near", "far"].map(|name| place.path().join(name));
    let both = bytes_of(1, 100_000);
    let far = bytes_of(2, 200_000);
    for (folder, blobs) in [(&folders[0], vec![&both]), (&folders[1], vec![&both, &far])] {
        let plain = FolderStore::create(folder).unwrap();
        for bytes in blobs {
            plain.put_bytes(bytes.clone()).await.unwrap();
        }
    }
    let sealing = sealing(place.path());
    let tiers = folders.each_ref().map(|folder| Tier {
        name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
        store: Arc::new(FolderStore::open_sealed(folder, sealing.clone()).unwrap()),
    });
    let tiers = Tiers::new(tiers.into(), 0);
    for bytes in [&both, &far] {
        let hash = hash_of(bytes);
        assert!(tiers.reseal(hash).await.unwrap());
        assert!(!tiers.reseal(hash).await.unwrap(), "it is sealed by now");
        assert!(read(&tiers, hash).await.unwrap() == *bytes);
    }
    let unknown = tiers.reseal(hash_of(b"unknown")).await;
    assert!(matches!(unknown, Err(BlobError::NotFound { .. })));
    for file in folders.iter().flat_map(|folder| files_below(folder)) {
        let stored = std::fs::read(&file).unwrap();
        let has_plain = |bytes: &[u8]| stored.windows(32).any(|window| window == &bytes[..32]);
        assert!(!has_plain(&both) && !has_plain(&far), "{}", file.display());
    }
}
