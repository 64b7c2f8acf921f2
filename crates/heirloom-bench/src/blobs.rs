//! How fast blobs are put and got, beside plain files that are written as durably.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::Path,
    time::Instant,
};

use bytes::Bytes;
use heirloom_blobs::{BlobStore, FolderStore, FsckDepth, FsckOptions, fsck, hash_of, pages_of};

use crate::{figures::Figures, options::Options};

const LARGE_BYTES: usize = 1 << 29;
const ROUNDS: usize = 3;
const SMALL_BYTES: usize = 20_000;
const SMALL: usize = 2_000;

pub(crate) async fn measure(options: &Options) {
    let folder = options.folder();
    let store = FolderStore::create(folder.path().join("blobs")).unwrap();
    large(folder.path(), &store).await;
    small(folder.path(), &store).await;
    check(&store).await;
}

async fn large(folder: &Path, store: &FolderStore) {
    let figures = Figures::of(&format!(
        "one blob of {} MB, the best of {ROUNDS}, beside a plain file that is synced",
        LARGE_BYTES / 1_000_000
    ));
    let bytes = noise(LARGE_BYTES + ROUNDS);
    let file = folder.join("plain");
    let (mut put, mut got, mut written, mut read) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for round in 0..ROUNDS {
        let bytes = bytes.slice(round..round + LARGE_BYTES);
        let hash = hash_of(&bytes);
        let started = Instant::now();
        write_plain(&file, &bytes);
        written = written.max(speed(started));
        let started = Instant::now();
        assert!(
            store
                .put(&mut &bytes[..], Some(hash))
                .await
                .unwrap()
                .was_new
        );
        put = put.max(speed(started));
        let started = Instant::now();
        read_plain(&file);
        read = read.max(speed(started));
        let started = Instant::now();
        let mut reader = store.get(hash).await.unwrap();
        while reader.next_chunk().await.unwrap().is_some() {}
        got = got.max(speed(started));
        fs::remove_file(&file).unwrap();
    }
    figures.row(
        "put",
        &[&mb(put), "", &format!("file {}", mb(written))],
        false,
    );
    figures.row(
        "get, verified",
        &[&mb(got), "", &format!("file {}", mb(read))],
        false,
    );
}

async fn small(folder: &Path, store: &FolderStore) {
    let figures = Figures::of(&format!(
        "{SMALL} blobs of {} KB, each on the disk before the next, beside plain files",
        SMALL_BYTES / 1_000
    ));
    let bytes = noise(2 * SMALL * SMALL_BYTES);
    let blobs: Vec<Bytes> = bytes
        .chunks(SMALL_BYTES)
        .map(Bytes::copy_from_slice)
        .collect();
    let (one_by_one, together) = blobs.split_at(SMALL);

    let plain = folder.join("plain files");
    fs::create_dir(&plain).unwrap();
    let started = Instant::now();
    for (number, bytes) in one_by_one.iter().enumerate() {
        write_plain(&plain.join(number.to_string()), bytes);
        File::open(&plain).unwrap().sync_all().unwrap();
    }
    let written = pace(started);
    let started = Instant::now();
    for bytes in one_by_one {
        store.put_bytes(bytes.clone()).await.unwrap();
    }
    let put = pace(started);
    figures.row(
        "put one by one",
        &[&put, "", &format!("files {written}")],
        false,
    );
    let started = Instant::now();
    for blobs in together.chunks(1_000) {
        store.put_many(blobs.to_vec()).await.unwrap();
    }
    figures.plain("put 1000 together", &pace(started));
    let hashes: Vec<_> = one_by_one.iter().map(|bytes| hash_of(bytes)).collect();
    let started = Instant::now();
    for hash in &hashes {
        store.get(*hash).await.unwrap().bytes().await.unwrap();
    }
    figures.plain("get, verified", &pace(started));
}

async fn check(store: &FolderStore) {
    let figures = Figures::of("a check of that store");
    for (name, depth) in [("lengths", FsckDepth::Lengths), ("bytes", FsckDepth::Bytes)] {
        let options = FsckOptions {
            depth,
            is_setting_aside: false,
        };
        let started = Instant::now();
        let nothing = pages_of::<std::io::Error>([]);
        fsck(store, options, nothing, |_| {}).await.unwrap();
        figures.plain(name, &format!("{:.2} s", started.elapsed().as_secs_f64()));
    }
}

fn write_plain(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap();
    for chunk in bytes.chunks(1 << 20) {
        file.write_all(chunk).unwrap();
    }
    file.sync_all().unwrap();
}

fn read_plain(path: &Path) {
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 18];
    while file.read(&mut buffer).unwrap() > 0 {}
}

/// Bytes that no file system can make small.
fn noise(length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes.into()
}

/// Megabytes in a second, of a large blob.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn speed(started: Instant) -> f64 {
    LARGE_BYTES as f64 / 1e6 / started.elapsed().as_secs_f64()
}

fn mb(speed: f64) -> String {
    format!("{speed:.0} MB/s")
}

/// Small blobs in a second.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn pace(started: Instant) -> String {
    format!("{:.0} /s", SMALL as f64 / started.elapsed().as_secs_f64())
}
