//! However large a blob is, the memory is the same.

use std::{
    fs, io,
    pin::Pin,
    task::{Context, Poll},
};

use heirloom_blobs::{BlobStore, FolderStore};
use tokio::io::{AsyncRead, ReadBuf};

use crate::harness::{child_of, folder_of_child, run_to_success};

const LENGTH: u64 = 2 << 30;
const LIMIT_KB: u64 = 32 * 1024;

#[test]
fn two_gigabytes_pass_through_in_constant_memory() {
    if let Some(folder) = folder_of_child() {
        return put_and_read(&folder.join("blobs"));
    }
    // In a process of its own, so that the peak is that of this test.
    let folder = tempfile::tempdir().unwrap();
    let test = "large::two_gigabytes_pass_through_in_constant_memory";
    run_to_success(child_of(test, folder.path(), &[]));
}

fn put_and_read(root: &std::path::Path) {
    let store = FolderStore::create(root).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let before_kb = peak_kb();
        let put = store.put(&mut Sparse { position: 0 }, None).await.unwrap();
        assert_eq!(put.size_bytes, LENGTH);
        let mut reader = store.get(put.hash).await.unwrap();
        let mut length = 0;
        while let Some(chunk) = reader.next_chunk().await.unwrap() {
            length += chunk.len() as u64;
        }
        assert_eq!(length, LENGTH);
        let grown_kb = peak_kb() - before_kb;
        assert!(grown_kb < LIMIT_KB, "the peak grew by {grown_kb} kB");
    });
    // What is sparse in its source is sparse in the store.
    let blob = fs::read_dir(root).unwrap().flat_map(|shard| {
        let shard = shard.unwrap().path();
        let is_shard = shard.file_name().is_some_and(|name| name.len() == 2);
        fs::read_dir(shard)
            .into_iter()
            .filter(move |_| is_shard)
            .flatten()
    });
    let files: Vec<_> = blob.map(|file| file.unwrap().metadata().unwrap()).collect();
    let [file] = &files[..] else {
        panic!("{files:?}")
    };
    let stored_bytes = std::os::unix::fs::MetadataExt::blocks(file) * 512;
    assert!(stored_bytes < LENGTH / 10, "{stored_bytes} bytes on disk");
}

/// Two gigabytes of zeros with a word here and there.
struct Sparse {
    position: u64,
}

impl AsyncRead for Sparse {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        const STRETCH: u64 = 8 << 20;
        let remaining = LENGTH - self.position;
        if self.position.is_multiple_of(STRETCH) && remaining > 0 {
            let word = self.position.to_be_bytes();
            buffer.put_slice(&word);
            self.position += word.len() as u64;
            return Poll::Ready(Ok(()));
        }
        let to_the_next_word = STRETCH - self.position % STRETCH;
        let length = remaining
            .min(to_the_next_word)
            .min(buffer.remaining() as u64);
        buffer.initialize_unfilled_to(length as usize).fill(0);
        buffer.advance(length as usize);
        self.position += length;
        Poll::Ready(Ok(()))
    }
}

/// The largest amount of memory that this process ever had (`VmHWM`), in kilobytes.
fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
