//! Any bytes as an archive of blocks, as a block and as something sealed: no block is given that is not what its name
//! says, names stay in their folder, and nothing becomes far more than it was.

#![no_main]

use std::io::{Seek as _, Write as _};

use heirloom_ipfs::{
    BLOCK_BYTES, CarFile, Layout, PublicationKey, Unpack, add_file, count_links, open_sealed,
    read_car,
};
use libfuzzer_sys::fuzz_target;

/// What opens the seed that is sealed.
const KEY: &str = "AGE-SECRET-KEY-17F58SDL335ALFF0HXM4M4UQNSANJE28WH2D0LH9EHAP227QE32YQSN4W8T";

fuzz_target!(|bytes: &[u8]| {
    let mut given = 0;
    let read = read_car(bytes, |block, at| {
        assert!(block.bytes.len() as u64 <= BLOCK_BYTES + 128);
        assert!(at as usize + block.bytes.len() <= bytes.len());
        given += block.bytes.len();
        Ok(())
    });
    assert!(given <= bytes.len());
    if let Ok(roots) = read {
        let mut file = tempfile::tempfile().expect("there is room for a file");
        file.write_all(bytes).expect("there is room for a file");
        file.rewind().expect("a file has a beginning");
        let archive = CarFile::open(file).expect("it was read a moment ago");
        for root in &roots {
            let mut unpack = Unpack::new(&archive);
            for entry in unpack.list(root).unwrap_or_default() {
                assert!(!entry.path.split('/').any(|name| name == ".." || name == "."));
                let _ = unpack.write_file(&entry.cid, &mut std::io::sink());
            }
        }
    }
    assert!(count_links(bytes).unwrap_or(0) <= bytes.len());
    let made = add_file(bytes, Layout::Kubo, &mut |_| Ok(())).expect("nothing fails in memory");
    assert_eq!(made.file_bytes, bytes.len() as u64);
    let key = PublicationKey::parse(KEY).expect("a key");
    let _ = open_sealed(&key, bytes, &mut std::io::sink());
});
