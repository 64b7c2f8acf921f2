//! What every store promises. A new store is one more line at the top.

use std::{io::Read, pin::Pin, task::Poll, thread, time::Duration};

use bytes::Bytes;
use heirloom_blobs::{
    BlobError, BlobStore, BlockingReader, BlockingSource, Deletion, Grace, PutBlob, collect,
    hash_of,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    runtime::Handle,
};

use crate::harness::{
    InBucket, InFolder, InMemory, InTiers, Subject, bytes_of, list, now_ms, read,
};

macro_rules! stores {
    ($($store:ident: $make:expr;)*) => { $(cases!($store, $make);)* };
}

macro_rules! cases {
    ($store:ident, $make:expr) => {
        cases!($store, $make,
            what_is_put_reads_back,
            the_same_bytes_are_kept_once,
            many_blobs_are_put_at_once,
            other_bytes_than_promised_are_refused,
            a_source_that_fails_leaves_nothing,
            a_put_that_is_dropped_leaves_nothing,
            a_blob_that_is_not_there_is_not_found,
            a_range_is_the_part_asked_for,
            damage_never_reads_as_a_complete_blob,
            a_damaged_blob_is_healed_by_putting_it_again,
            only_a_damaged_blob_is_set_aside,
            blobs_are_listed_in_order,
            an_old_blob_is_deleted_and_a_renewed_one_is_kept,
            what_nobody_references_is_collected_when_it_is_old,
            threads_that_block_put_and_read,
            a_file_is_taken_in_and_a_blob_is_opened_as_one,
            a_store_that_works_is_healthy,
        );
    };
    ($store:ident, $make:expr, $($case:ident,)*) => {
        mod $store {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(&$make).await;
                }
            )*
        }
    };
}

stores! {
    folder: InFolder::new();
    memory: InMemory::new();
    bucket: InBucket::new().await;
    strict_bucket: InBucket::strict().await;
    two_folders: InTiers::of_folders();
    two_folders_the_second_first: InTiers::of_folders_the_second_first();
    bucket_behind_folder: InTiers::with_bucket_first().await;
    sealed_folder: InFolder::sealed();
    sealed_bucket: InBucket::sealed().await;
}

/// Around every edge at which stores cut blobs into pieces.
const LENGTHS: [usize; 12] = [
    0, 1, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 1_048_575, 1_048_576, 1_048_577,
    3_500_000,
];

async fn what_is_put_reads_back(subject: &impl Subject) {
    let store = subject.store();
    for (seed, length) in LENGTHS.into_iter().enumerate() {
        let bytes = bytes_of(seed as u64, length);
        let hash = hash_of(&bytes);
        let expected = PutBlob {
            hash,
            size_bytes: length as u64,
            was_new: true,
        };
        assert_eq!(
            store.put(&mut &bytes[..], Some(hash)).await.unwrap(),
            expected
        );
        assert_eq!(read(store, hash).await.unwrap(), bytes, "{length}");

        let mut through_reads = Vec::new();
        store
            .get(hash)
            .await
            .unwrap()
            .read_to_end(&mut through_reads)
            .await
            .unwrap();
        assert_eq!(through_reads, bytes, "{length}");

        let stat = store.stat(hash).await.unwrap();
        assert_eq!((stat.hash, stat.size_bytes), (hash, length as u64));
        assert!((now_ms() - stat.last_put_ms).abs() < 60_000);
        assert!(store.contains(hash).await.unwrap());
    }
    // Zeros are bytes like others, also where a store does not write them down.
    for length in LENGTHS {
        for (first, last) in [(0, 0), (1, 0), (0, 1)] {
            let mut bytes = vec![0; length];
            bytes.first_mut().into_iter().for_each(|byte| *byte = first);
            bytes.last_mut().into_iter().for_each(|byte| *byte = last);
            let put = store.put(&mut &bytes[..], None).await.unwrap();
            assert_eq!(put.size_bytes, length as u64);
            assert_eq!(
                read(store, put.hash).await.unwrap(),
                bytes,
                "{length} {first} {last}"
            );
        }
    }
}

async fn the_same_bytes_are_kept_once(subject: &impl Subject) {
    let store = subject.store();
    let bytes = bytes_of(1, 300_000);
    assert!(store.put_bytes(bytes.clone()).await.unwrap().was_new);
    assert!(!store.put_bytes(bytes.clone()).await.unwrap().was_new);
    assert!(!store.put(&mut &bytes[..], None).await.unwrap().was_new);
    assert!(!store.put_many(vec![bytes.clone()]).await.unwrap()[0].was_new);
    assert_eq!(list(store, None).await.len(), 1);
    assert!(store.delete(hash_of(&bytes)).await.unwrap());
    assert!(store.put_bytes(bytes).await.unwrap().was_new);
}

async fn many_blobs_are_put_at_once(subject: &impl Subject) {
    let store = subject.store();
    // More than are open at once, and each third one again.
    let blobs: Vec<Bytes> = (0..200)
        .map(|n| bytes_of(n - n % 3 / 2, 10 + n as usize % 7 * 5_000))
        .collect();
    let put = store.put_many(blobs.clone()).await.unwrap();
    assert_eq!(put.len(), blobs.len());
    for (n, (put, bytes)) in put.iter().zip(&blobs).enumerate() {
        assert_eq!(
            (put.hash, put.size_bytes),
            (hash_of(bytes), bytes.len() as u64)
        );
        assert_eq!(put.was_new, !blobs[..n].contains(bytes));
        assert_eq!(read(store, put.hash).await.unwrap(), bytes);
    }
    assert!(store.put_many(Vec::new()).await.unwrap().is_empty());
}

async fn other_bytes_than_promised_are_refused(subject: &impl Subject) {
    let store = subject.store();
    for length in LENGTHS {
        let bytes = bytes_of(1, length);
        let promised = hash_of(b"something else");
        match store.put(&mut &bytes[..], Some(promised)).await {
            Err(BlobError::Mismatch { expected, actual }) => {
                assert_eq!((expected, actual), (promised, hash_of(&bytes)));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(list(store, None).await.is_empty());
}

/// Yields some bytes, then fails or waits for ever.
struct Interrupted {
    remaining: usize,
    ends: bool,
}

impl AsyncRead for Interrupted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let length = self.remaining.min(buffer.remaining());
        self.remaining -= length;
        buffer.put_slice(&vec![7; length]);
        match (length, self.ends) {
            (0, true) => Poll::Ready(Err(std::io::Error::other("the line went dead"))),
            (0, false) => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }
}

async fn a_source_that_fails_leaves_nothing(subject: &impl Subject) {
    for remaining in LENGTHS {
        let mut source = Interrupted {
            remaining,
            ends: true,
        };
        match subject.store().put(&mut source, None).await {
            Err(BlobError::Source(error)) => assert_eq!(error.to_string(), "the line went dead"),
            other => panic!("{other:?}"),
        }
    }
    assert!(list(subject.store(), None).await.is_empty());
}

async fn a_put_that_is_dropped_leaves_nothing(subject: &impl Subject) {
    let mut source = Interrupted {
        remaining: 3_000_000,
        ends: false,
    };
    let mut put = subject.store().put(&mut source, None);
    let soon = async {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = &mut put => panic!("it waits for ever"),
        () = soon => {}
    }
    drop(put);
    assert!(list(subject.store(), None).await.is_empty());
}

async fn a_blob_that_is_not_there_is_not_found(subject: &impl Subject) {
    let store = subject.store();
    store.put_bytes(bytes_of(1, 10)).await.unwrap();
    let hash = hash_of(b"nobody put this");
    let is_not_found =
        |error| matches!(error, BlobError::NotFound { hash: found } if found == hash);
    assert!(is_not_found(store.get(hash).await.unwrap_err()));
    assert!(is_not_found(store.get_range(hash, 0..1).await.unwrap_err()));
    assert!(is_not_found(store.stat(hash).await.unwrap_err()));
    assert!(!store.contains(hash).await.unwrap());
    assert!(!store.renew(hash).await.unwrap());
    assert!(!store.delete(hash).await.unwrap());
    assert!(!store.set_aside(hash).await.unwrap());
    let deletion = store.delete_unless_put_since(hash, i64::MAX).await.unwrap();
    assert_eq!(deletion, Deletion::Missing);
}

async fn a_range_is_the_part_asked_for(subject: &impl Subject) {
    let store = subject.store();
    let bytes = bytes_of(1, 1_000_000);
    let hash = store.put_bytes(bytes.clone()).await.unwrap().hash;
    for (start, end) in [
        (0, 0),
        (0, 1),
        (0, 1_000_000),
        (0, u64::MAX),
        (1, 999_999),
        (262_143, 262_145),
        (300_000, 900_000),
        (999_999, 1_000_000),
        (999_999, u64::MAX),
        (1_000_000, 1_000_000),
        (1_000_000, u64::MAX),
        (500, 400),
    ] {
        let reader = store.get_range(hash, start..end).await.unwrap();
        let to = end.clamp(start, 1_000_000) as usize;
        let part = &bytes[start as usize..to];
        assert_eq!(reader.size_bytes(), part.len() as u64, "{start}..{end}");
        assert_eq!(reader.bytes().await.unwrap(), part, "{start}..{end}");
    }
    match store.get_range(hash, 1_000_001..1_000_002).await {
        Err(BlobError::OutOfRange { size_bytes, .. }) => assert_eq!(size_bytes, 1_000_000),
        other => panic!("{other:?}"),
    }
}

type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: [Damage; 6] = [
    ("first byte flipped", |bytes| bytes[0] ^= 1),
    ("last byte flipped", |bytes| {
        *bytes.last_mut().unwrap() ^= 0x80
    }),
    ("cut by one", |bytes| bytes.truncate(bytes.len() - 1)),
    ("cut to half", |bytes| bytes.truncate(bytes.len() / 2)),
    ("cut to nothing", Vec::clear),
    ("one byte too many", |bytes| bytes.push(0)),
];

async fn damage_never_reads_as_a_complete_blob(subject: &impl Subject) {
    let store = subject.store();
    for length in LENGTHS.into_iter().filter(|length| *length > 0) {
        for (n, (what, damage)) in DAMAGES.into_iter().enumerate() {
            let bytes = bytes_of(n as u64, length);
            let hash = store.put_bytes(bytes.clone()).await.unwrap().hash;
            subject.tamper(hash, &mut |bytes| damage(bytes));
            let is_corrupt =
                |error: &BlobError| matches!(error, BlobError::Corrupt { hash: of } if *of == hash);

            let error = read(store, hash).await.unwrap_err();
            assert!(is_corrupt(&error), "{length}, {what}: {error:?}");
            let error = async { store.get_range(hash, 0..u64::MAX).await?.bytes().await };
            assert!(is_corrupt(&error.await.unwrap_err()), "{length}, {what}");

            // Somebody who knows the length and never asks for the end must not be fooled either.
            if let Ok(mut reader) = store.get(hash).await {
                let mut buffer = vec![0; reader.size_bytes() as usize];
                let error = reader.read_exact(&mut buffer).await.unwrap_err();
                assert_eq!(
                    error.kind(),
                    std::io::ErrorKind::InvalidData,
                    "{length}, {what}"
                );
                let source = error
                    .get_ref()
                    .and_then(|source| source.downcast_ref())
                    .unwrap();
                assert!(is_corrupt(source), "{length}, {what}");
            }
            store.delete(hash).await.unwrap();
        }
    }
}

async fn a_damaged_blob_is_healed_by_putting_it_again(subject: &impl Subject) {
    let store = subject.store();
    for (n, (what, damage)) in DAMAGES.into_iter().enumerate() {
        for length in [1, 2_000_000] {
            let bytes = bytes_of(n as u64, length);
            let hash = store.put_bytes(bytes.clone()).await.unwrap().hash;
            subject.tamper(hash, &mut |bytes| damage(bytes));
            assert!(
                store.put(&mut &bytes[..], None).await.unwrap().was_new,
                "{what}"
            );
            assert_eq!(read(store, hash).await.unwrap(), bytes, "{what}");
        }
    }
}

async fn only_a_damaged_blob_is_set_aside(subject: &impl Subject) {
    let store = subject.store();
    let bytes = bytes_of(1, 100_000);
    let hash = store.put_bytes(bytes.clone()).await.unwrap().hash;
    assert!(!store.set_aside(hash).await.unwrap());
    subject.tamper(hash, &mut |bytes| bytes[50_000] ^= 4);
    assert!(store.set_aside(hash).await.unwrap());
    assert!(!store.contains(hash).await.unwrap());
    assert!(store.put_bytes(bytes.clone()).await.unwrap().was_new);
    store.delete_set_aside(hash).await.unwrap();
    assert_eq!(store.delete_set_aside(hash).await.unwrap(), 0);
    assert_eq!(
        read(store, hash).await.unwrap(),
        bytes,
        "the blob itself stays"
    );
}

async fn blobs_are_listed_in_order(subject: &impl Subject) {
    let store = subject.store();
    assert!(list(store, None).await.is_empty());
    let blobs: Vec<_> = (0..1_500)
        .map(|n| bytes_of(n, 8 + n as usize % 100))
        .collect();
    let put = store.put_many(blobs).await.unwrap();
    let mut expected: Vec<_> = put.iter().map(|put| (put.hash, put.size_bytes)).collect();
    expected.sort_unstable();
    let listed = list(store, None).await;
    let seen: Vec<_> = listed
        .iter()
        .map(|stat| (stat.hash, stat.size_bytes))
        .collect();
    assert!(seen == expected);
    for n in [0, 1, 700, 1_498, 1_499] {
        assert!(list(store, Some(expected[n].0)).await == listed[n + 1..]);
    }
    let between = hash_of(b"not in the store");
    assert!(
        list(store, Some(between))
            .await
            .iter()
            .all(|stat| stat.hash > between)
    );
}

async fn an_old_blob_is_deleted_and_a_renewed_one_is_kept(subject: &impl Subject) {
    let store = subject.store();
    let bytes = bytes_of(1, 1_234);
    let hash = store.put_bytes(bytes.clone()).await.unwrap().hash;
    let first_put_ms = store.stat(hash).await.unwrap().last_put_ms;
    // Longer than the tick by which file systems count.
    thread::sleep(Duration::from_millis(20));
    // Whatever makes it young again keeps it from a deletion that was decided before.
    assert!(store.renew(hash).await.unwrap());
    let deletion = store
        .delete_unless_put_since(hash, first_put_ms + 1)
        .await
        .unwrap();
    assert_eq!(deletion, Deletion::Kept);
    store.put_bytes(bytes.clone()).await.unwrap();
    store.put(&mut &bytes[..], None).await.unwrap();
    store.put_many(vec![bytes]).await.unwrap();
    let last_put_ms = store.stat(hash).await.unwrap().last_put_ms;
    assert!(last_put_ms > first_put_ms);
    let deletion = store
        .delete_unless_put_since(hash, last_put_ms)
        .await
        .unwrap();
    assert_eq!(deletion, Deletion::Kept);
    let deletion = store
        .delete_unless_put_since(hash, last_put_ms + 1)
        .await
        .unwrap();
    assert_eq!(deletion, Deletion::Deleted { size_bytes: 1_234 });
    assert!(!store.contains(hash).await.unwrap());
}

async fn what_nobody_references_is_collected_when_it_is_old(subject: &impl Subject) {
    let store = subject.store();
    let blobs: Vec<_> = (0..2_500).map(|n| bytes_of(n, 10)).collect();
    let put = store.put_many(blobs).await.unwrap();
    let (needed, garbage) = put.split_at(1_200);
    let referenced = |hashes: Vec<_>| async move {
        assert!(
            hashes.len() <= 1_000,
            "asked about {} at once",
            hashes.len()
        );
        let is_needed = |hash: &_| needed.iter().any(|put| put.hash == *hash);
        Ok::<_, BlobError>(hashes.into_iter().filter(is_needed).collect())
    };
    let young = Grace {
        now_ms: now_ms() + 1_000,
        grace_ms: 3_600_000,
    };
    let collected = collect(store, young, referenced).await.unwrap();
    assert_eq!(
        (collected.examined, collected.young, collected.deleted),
        (2_500, 2_500, 0)
    );

    let old = Grace {
        now_ms: now_ms() + 3_700_000,
        grace_ms: 3_600_000,
    };
    let collected = collect(store, old, referenced).await.unwrap();
    assert_eq!(
        (collected.examined, collected.young, collected.deleted),
        (2_500, 0, 1_300)
    );
    assert_eq!(collected.deleted_bytes, 13_000);
    for put in needed {
        assert!(store.contains(put.hash).await.unwrap());
    }
    assert!(!store.contains(garbage[0].hash).await.unwrap());

    // Who does not know what is needed gets nothing removed.
    let old = Grace {
        now_ms: now_ms() + 3_700_000,
        grace_ms: 3_600_000,
    };
    let unknown = |_| async { Err(std::io::Error::other("the database is gone")) };
    let error = collect(store, old, unknown).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "it could not be found out which blobs are still needed"
    );
    assert_eq!(list(store, None).await.len(), 1_200);
}

async fn threads_that_block_put_and_read(subject: &impl Subject) {
    let store = subject.store();
    let runtime = Handle::current();
    let bytes = bytes_of(1, 2_500_000);
    tokio::task::yield_now().await;
    let (read, expected) = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut source = BlockingSource(&bytes[..]);
            let put = runtime.block_on(store.put(&mut source, None)).unwrap();
            let reader = runtime.block_on(store.get(put.hash)).unwrap();
            let mut read = Vec::new();
            BlockingReader::new(reader, runtime.clone())
                .read_to_end(&mut read)
                .unwrap();
            (read, put.hash)
        });
        thread.join().unwrap()
    });
    assert_eq!(read, bytes);
    assert_eq!(hash_of(&bytes), expected);
}

async fn a_store_that_works_is_healthy(subject: &impl Subject) {
    let health = subject.store().check_health().await.unwrap();
    assert!(health.free_bytes.is_none_or(|bytes| bytes > 0));
    assert!(list(subject.store(), None).await.is_empty());
}

/// The store is chosen when the program starts.
#[test]
fn a_store_can_be_chosen_at_run_time() {
    fn is_usable_everywhere<T: Send + Sync + 'static>(_: &T) {}
    let store: std::sync::Arc<dyn BlobStore> = std::sync::Arc::new(InMemory::new().0);
    is_usable_everywhere(&store);
}

async fn a_file_is_taken_in_and_a_blob_is_opened_as_one(subject: &impl Subject) {
    let store = subject.store();
    let place = tempfile::tempdir().unwrap();
    for length in [1, 300_000, 3_000_000] {
        let bytes = bytes_of(7, length);
        let file = place.path().join(format!("{length}"));
        std::fs::write(&file, &bytes).unwrap();
        let other = Some(hash_of(b"other"));
        let refused = store.put_file(&file, other).await.unwrap_err();
        assert!(matches!(refused, BlobError::Mismatch { .. }), "{refused}");
        assert!(!store.contains(hash_of(&bytes)).await.unwrap());
        for was_new in [true, false] {
            let put = store.put_file(&file, Some(hash_of(&bytes))).await.unwrap();
            let size_bytes = bytes.len() as u64;
            let hash = hash_of(&bytes);
            assert_eq!(
                put,
                PutBlob {
                    hash,
                    size_bytes,
                    was_new
                }
            );
        }
        std::fs::remove_file(&file).unwrap();
        let mut read = Vec::new();
        let mut opened = store.open_file(hash_of(&bytes)).await.unwrap();
        opened.read_to_end(&mut read).unwrap();
        assert!(read == bytes, "{length}");
    }
    let nothing = store.put_file(&place.path().join("none"), None).await;
    assert!(matches!(nothing, Err(BlobError::Source(_))), "{nothing:?}");
    let missing = store.open_file(hash_of(b"missing")).await;
    assert!(
        matches!(missing, Err(BlobError::NotFound { .. })),
        "{missing:?}"
    );
}
