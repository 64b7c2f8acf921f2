//! Any bytes as a sealed blob: nothing opens that is not what its name says, whatever pieces it comes in; what is sealed
//! here opens again, and not when a bit of it is another.

#![no_main]

use std::{path::PathBuf, sync::LazyLock};

use heirloom_blobs::{DataKey, Sealing, hash_of, open_sealed, seal_bytes};
use libfuzzer_sys::fuzz_target;

/// What the seeds are, once they are opened.
const PLAIN: &[u8] = b"Dear Anna, the sea was rough.";

/// What opens the seeds.
static SEALING: LazyLock<Sealing> = LazyLock::new(|| {
    let sealing = Sealing::new(PathBuf::new());
    sealing.use_key(key());
    sealing
});

fn key() -> DataKey {
    DataKey::from_bytes([7; 16], [8; 32])
}

fuzz_target!(|bytes: &[u8]| {
    let pieces = 1 + bytes.first().map_or(0, |first| usize::from(*first) * 300);
    for name in [PLAIN, b"".as_slice()] {
        let opened = open_sealed(&SEALING, hash_of(name), bytes, pieces);
        if let Ok(plain) = opened {
            assert_eq!(plain, name, "nothing else has this name");
        }
    }
    let (hash, mut sealed) = seal_bytes(&key(), bytes).expect("there is chance");
    let opened = open_sealed(&SEALING, hash, &sealed, pieces).expect("it was sealed just now");
    assert_eq!(opened, bytes);
    let bit = bytes.iter().fold(0_usize, |sum, byte| (sum * 31 + usize::from(*byte)) % 1_000_003);
    let at = bit / 8 % sealed.len();
    sealed[at] ^= 1 << (bit % 8);
    assert!(open_sealed(&SEALING, hash, &sealed, pieces).is_err(), "a bit is another");
});
