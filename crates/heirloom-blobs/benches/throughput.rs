//! How fast blobs are put and read, beside what the disk and the hash allow:
//! `cargo bench -p heirloom-blobs -- FOLDER` (without FOLDER in the system's temporary folder).

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints a table or gives up"
)]

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::PathBuf,
    time::Instant,
};

use bytes::Bytes;
use heirloom_blobs::{BlobStore, FolderStore, FsckDepth, FsckOptions, fsck, hash_of, pages_of};
use tokio::runtime::Builder;

const LARGE_BYTES: usize = 1 << 29;
const ROUNDS: usize = 3;
const SMALL_BYTES: usize = 20_000;
const SMALL: usize = 2_000;

fn main() {
    // Cargo passes `--bench`.
    let folder = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"))
        .map(PathBuf::from);
    let folder = tempfile::tempdir_in(folder.unwrap_or_else(std::env::temp_dir)).unwrap();
    let store = FolderStore::create(folder.path().join("blobs")).unwrap();
    let runtime = Builder::new_multi_thread().build().unwrap();
    let file = folder.path().join("plain");
    let bytes = noise(LARGE_BYTES + ROUNDS);

    println!("one blob of {LARGE_BYTES} bytes, the best of {ROUNDS}");
    let mut best = [0.0_f64; 6];
    for round in 0..ROUNDS {
        let bytes = bytes.slice(round..round + LARGE_BYTES);
        let mut hash = None;
        let read_plain = || {
            let mut file = File::open(&file).unwrap();
            let mut buffer = vec![0; 256 * 1024];
            while file.read(&mut buffer).unwrap() > 0 {}
        };
        let speeds = [
            speed(|| hash = Some(hash_of(&bytes))),
            speed(|| {
                let mut file = File::create(&file).unwrap();
                bytes
                    .chunks(1 << 20)
                    .for_each(|chunk| file.write_all(chunk).unwrap());
                file.sync_all().unwrap();
            }),
            speed(|| {
                let put = runtime.block_on(store.put(&mut &bytes[..], hash)).unwrap();
                assert!(put.was_new);
            }),
            speed(|| {
                let put = runtime.block_on(store.put(&mut &bytes[..], hash)).unwrap();
                assert!(!put.was_new);
            }),
            speed(read_plain),
            speed(|| {
                runtime.block_on(async {
                    let mut reader = store.get(hash.unwrap()).await.unwrap();
                    while reader.next_chunk().await.unwrap().is_some() {}
                });
            }),
        ];
        best = std::array::from_fn(|n| best[n].max(speeds[n]));
        fs::remove_file(&file).unwrap();
    }
    let names = [
        "hash in memory",
        "plain file, written and synced",
        "put, new",
        "put, known",
        "plain file, read",
        "get",
    ];
    for (name, speed) in names.into_iter().zip(best) {
        println!("  {name:<53}{speed:>8.0} MB/s");
    }

    println!("{SMALL} blobs of {SMALL_BYTES} bytes");
    let small: Vec<Bytes> = bytes
        .chunks(SMALL_BYTES)
        .take(4 * SMALL)
        .map(Bytes::copy_from_slice)
        .collect();
    let (one_by_one, batched) = small.split_at(SMALL);
    pace(
        "  plain files, written and synced with their folder",
        || {
            let plain = folder.path().join("plain files");
            fs::create_dir(&plain).unwrap();
            for (number, bytes) in one_by_one.iter().enumerate() {
                let mut file = File::create(plain.join(number.to_string())).unwrap();
                file.write_all(bytes).unwrap();
                file.sync_all().unwrap();
                File::open(&plain).unwrap().sync_all().unwrap();
            }
        },
    );
    pace("  put_bytes, new", || {
        for bytes in one_by_one {
            runtime.block_on(store.put_bytes(bytes.clone())).unwrap();
        }
    });
    pace("  put_bytes, known", || {
        for bytes in one_by_one {
            runtime.block_on(store.put_bytes(bytes.clone())).unwrap();
        }
    });
    for (batch, part) in [100, 1_000].into_iter().zip(batched.chunks(SMALL)) {
        pace(&format!("  put_many, {batch} at once"), || {
            for blobs in part.chunks(batch) {
                runtime.block_on(store.put_many(blobs.to_vec())).unwrap();
            }
        });
    }
    let hashes: Vec<_> = one_by_one.iter().map(|bytes| hash_of(bytes)).collect();
    pace("  get", || {
        for hash in &hashes {
            runtime
                .block_on(async { store.get(*hash).await?.bytes().await })
                .unwrap();
        }
    });
    pace("  stat", || {
        for hash in &hashes {
            runtime.block_on(store.stat(*hash)).unwrap();
        }
    });
    store_wide(&runtime, &store);
}

fn store_wide(runtime: &tokio::runtime::Runtime, store: &FolderStore) {
    println!("the whole store");
    for (name, depth) in [("lengths", FsckDepth::Lengths), ("bytes", FsckDepth::Bytes)] {
        let options = FsckOptions {
            depth,
            is_setting_aside: false,
        };
        let nothing = pages_of::<std::io::Error>([]);
        let start = Instant::now();
        let report = runtime
            .block_on(fsck(store, options, nothing, |_| {}))
            .unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "  fsck, {name}: {} blobs, {} bytes in {seconds:.2} s",
            report.blobs, report.bytes
        );
    }
}

/// Bytes that no file system can make small.
fn noise(length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes.into()
}

/// Megabytes per second of work on a large blob.
fn speed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    LARGE_BYTES as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn pace(name: &str, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let each = start.elapsed().as_secs_f64() / SMALL as f64;
    println!(
        "{name:<55}{:>8.0} µs each, {:>7.0} per second",
        each * 1e6,
        1.0 / each
    );
}
