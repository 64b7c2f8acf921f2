use proptest::prelude::*;

use super::*;
use crate::hash_of;

fn key(id: u8, bytes: u8) -> DataKey {
    let id = KeyId::from_slice(&[id; 16]).unwrap();
    DataKey::from_parts(id, zeroize::Zeroizing::new([bytes; 32]))
}

fn sealing_with(key: &DataKey) -> Sealing {
    let sealing = Sealing::default();
    sealing.use_key(key.clone());
    sealing
}

fn sealed_with_salt(bytes: &[u8], key: &DataKey, salt: u8) -> Vec<u8> {
    let mut sealer = Sealer::with_salt(key, [salt; SALT_BYTES]).unwrap();
    let mut body = Vec::new();
    sealer.push(bytes, &mut body).unwrap();
    let mut sealed = sealer.finish(hash_of(bytes), &mut body).unwrap().to_vec();
    sealed.extend(body);
    sealed
}

fn open_range(
    sealing: &Sealing,
    hash: ContentHash,
    sealed: &[u8],
    range: Range<u64>,
) -> Result<Vec<u8>, BlobError> {
    let header = &sealed[..sealed.len().min(HEADER_BYTES as usize)];
    let opener = Opener::new(sealing, hash, header, sealed.len() as u64)?;
    let range = range.start.min(opener.plain_bytes())..range.end.min(opener.plain_bytes());
    let (stored, _) = opener.segments(&range);
    let mut opening = Opening::new(opener, range);
    let mut plain = Vec::new();
    for piece in sealed[stored.start as usize..stored.end as usize].chunks(40_000) {
        plain.extend(opening.push(piece)?);
    }
    plain.extend(opening.finish()?);
    Ok(plain)
}

fn open_all(sealing: &Sealing, hash: ContentHash, sealed: &[u8]) -> Result<Vec<u8>, BlobError> {
    open_range(sealing, hash, sealed, 0..u64::MAX)
}

fn some_bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 7 + n / 251) as u8).collect()
}

const SEGMENT: usize = SEGMENT_BYTES as usize;
const STORED: usize = SEGMENT + TAG_BYTES as usize;

/// Computed once more with another library (Python's `cryptography`).
#[test]
fn the_form_stays_as_it_was_written_down() {
    let header = [
        "7365616c65642031",                 // magic
        &"01".repeat(KeyId::BYTES),         // name of the key
        &"03".repeat(SALT_BYTES),           // salt
        "069d4c75d7228dbb21270fd02e697f35", // tag over hash and length
    ];
    let segment = "b4aa19c8cdba5db4dec4bd8467eb30d4f51e2070b00d90c8913099c1e19ac257112f";
    let key = key(1, 2);
    let sealed = sealed_with_salt(b"a letter from home", &key, 3);
    assert_eq!(hex::encode(sealed), header.concat() + segment);
    let long = sealed_with_salt(&some_bytes(3 * SEGMENT + 5), &key, 3);
    let hash = "8b1bfacc029c8701759dc90708c0734b32f6ca78d60a21cd97a5789f6f07dbc2";
    assert_eq!(hash_of(&long).to_string(), hash);
}

#[test]
fn what_is_sealed_opens_again() {
    let key = key(1, 2);
    let sealing = sealing_with(&key);
    for length in [
        0,
        1,
        SEGMENT - 1,
        SEGMENT,
        SEGMENT + 1,
        2 * SEGMENT,
        300_000,
    ] {
        let bytes = some_bytes(length);
        let hash = hash_of(&bytes);
        let sealed = seal(&key, hash, &bytes).unwrap();
        assert_eq!(sealed.len() as u64, sealed_bytes(length as u64));
        assert_eq!(Form::Sealed.plain_bytes(sealed.len() as u64), length as u64);
        assert_eq!(
            open_all(&sealing, hash, &sealed).unwrap(),
            bytes,
            "{length}"
        );
        assert_ne!(seal(&key, hash, &bytes).unwrap(), sealed);
    }
}

#[test]
fn a_segment_that_was_moved_left_out_or_brought_from_elsewhere_does_not_open() {
    let key = key(1, 2);
    let sealing = sealing_with(&key);
    let bytes = some_bytes(4 * SEGMENT);
    let hash = hash_of(&bytes);
    let sealed = sealed_with_salt(&bytes, &key, 3);
    let header = HEADER_BYTES as usize;
    let at = |n: usize| header + n * STORED..header + (n + 1) * STORED;

    let mut swapped = sealed.clone();
    swapped[at(0)].copy_from_slice(&sealed[at(1)]);
    swapped[at(1)].copy_from_slice(&sealed[at(0)]);
    let mut repeated = sealed.clone();
    repeated[at(2)].copy_from_slice(&sealed[at(1)]);
    // The same bytes at the same place of another file with the same key.
    let other = sealed_with_salt(&bytes, &key, 4);
    let mut mixed = sealed.clone();
    mixed[at(1)].copy_from_slice(&other[at(1)]);
    let mut without_last = sealed.clone();
    without_last.truncate(at(3).start);
    let mut without_second = sealed.clone();
    without_second.drain(at(1));
    let mut longer = sealed.clone();
    longer.extend_from_slice(&sealed[at(3)]);
    for changed in [
        &swapped,
        &repeated,
        &mixed,
        &without_last,
        &without_second,
        &longer,
    ] {
        let opened = open_all(&sealing, hash, changed);
        assert!(matches!(opened, Err(BlobError::Corrupt { .. })));
    }
    // What was cut off is noticed even by those who read the beginning alone.
    for changed in [&without_last, &without_second, &longer] {
        let opened = open_range(&sealing, hash, changed, 0..10);
        assert!(matches!(opened, Err(BlobError::Corrupt { .. })));
    }
    // A whole file under another blob's name, of the same length.
    let stranger = hash_of(&some_bytes(4 * SEGMENT + 1));
    let opened = open_range(&sealing, stranger, &sealed, 0..10);
    assert!(matches!(opened, Err(BlobError::Corrupt { .. })));
}

#[test]
fn a_key_that_is_not_here_is_told_from_damage() {
    let (ours, theirs) = (key(1, 2), key(9, 8));
    let sealing = sealing_with(&ours);
    let bytes = some_bytes(100);
    let hash = hash_of(&bytes);
    let sealed = seal(&theirs, hash, &bytes).unwrap();
    let opened = open_all(&sealing, hash, &sealed);
    assert!(matches!(opened, Err(BlobError::NoKey { key, .. }) if key == theirs.id()));
    sealing.use_key(theirs);
    assert_eq!(open_all(&sealing, hash, &sealed).unwrap(), bytes);
    // Our own, whose key has another name by now.
    let mut flipped = seal(&ours, hash, &bytes).unwrap();
    flipped[MAGIC.len()] ^= 0x40;
    let opened = open_all(&sealing, hash, &flipped);
    assert!(matches!(opened, Err(BlobError::Corrupt { .. })));
}

proptest! {
    #[test]
    fn every_range_is_the_part_asked_for(
        length in 0..300_000_usize, start in 0..300_000_u64, wanted in 0..200_000_u64,
    ) {
        let key = key(1, 2);
        let bytes = some_bytes(length);
        let hash = hash_of(&bytes);
        let sealed = seal(&key, hash, &bytes).unwrap();
        let part = open_range(&sealing_with(&key), hash, &sealed, start..start + wanted).unwrap();
        let cut = |at: u64| (at as usize).min(length);
        prop_assert_eq!(part, &bytes[cut(start)..cut(start + wanted)]);
    }

    #[test]
    fn every_flip_and_every_cut_is_an_error(
        length in 0..200_000_usize, at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let key = key(1, 2);
        let sealing = sealing_with(&key);
        let bytes = some_bytes(length);
        let hash = hash_of(&bytes);
        let mut sealed = seal(&key, hash, &bytes).unwrap();
        let at = at.index(sealed.len());
        let cut = open_all(&sealing, hash, &sealed[..at]);
        let is_corrupt = matches!(cut, Err(BlobError::Corrupt { .. }));
        prop_assert!(is_corrupt);
        sealed[at] ^= 1 << bit;
        let flipped = open_all(&sealing, hash, &sealed);
        let is_corrupt = matches!(flipped, Err(BlobError::Corrupt { .. }));
        prop_assert!(is_corrupt);
    }

    #[test]
    fn bytes_that_nobody_sealed_never_open(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(open_all(&sealing_with(&key(1, 2)), hash_of(&bytes), &bytes).is_err());
    }
}

mod keys {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use zeroize::Zeroizing;

    use super::super::*;

    fn passphrase(words: &str) -> MasterKey {
        MasterKey::Passphrase(Zeroizing::new(words.to_owned()))
    }

    #[test]
    fn a_key_file_is_opened_by_its_master_key_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(KeyFile::NAME);
        assert!(KeyFile::load(&path).unwrap().is_none());
        let master = MasterKey::generate().unwrap();
        let (file, key) = KeyFile::create("family", &master, 5).unwrap();
        file.save(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&hex::encode(key.as_bytes())));

        let loaded = KeyFile::load(&path).unwrap().unwrap();
        assert_eq!(loaded, file);
        let again = MasterKey::parse_key(&format!(" {}\n", master.text().to_lowercase())).unwrap();
        let opened = loaded.unlock(&again).unwrap();
        assert_eq!(
            (opened[0].id(), opened[0].as_bytes()),
            (key.id(), key.as_bytes())
        );
        let other = MasterKey::generate().unwrap();
        assert!(matches!(loaded.unlock(&other), Err(KeyError::WrongMaster)));
        let words = loaded.unlock(&passphrase("any"));
        assert!(matches!(words, Err(KeyError::OtherKind { .. })));
        // Another family's key in this file.
        let stranger = text.replace("\"family\": \"family\"", "\"family\": \"others\"");
        fs::write(&path, stranger).unwrap();
        let moved = KeyFile::load(&path).unwrap().unwrap().unlock(&master);
        assert!(matches!(moved, Err(KeyError::WrongMaster)));
    }

    #[test]
    fn keys_are_rotated_and_the_master_key_changes() {
        let (old, new) = (
            MasterKey::generate().unwrap(),
            passphrase("grandmother's blue kettle"),
        );
        let (mut file, first) = KeyFile::create("family", &old, 5).unwrap();
        let second = file.rotate(&old, 6).unwrap();
        let ids = |file: &KeyFile, master| -> Vec<KeyId> {
            file.unlock(master)
                .unwrap()
                .iter()
                .map(DataKey::id)
                .collect()
        };
        assert_eq!(ids(&file, &old), [second.id(), first.id()]);
        let made: Vec<i64> = file.keys().map(|(_, made_at_ms)| made_at_ms).collect();
        assert_eq!(made, [6, 5]);
        assert!(!file.wants_passphrase());
        file.change_master(&old, &new).unwrap();
        assert!(file.wants_passphrase());
        assert_eq!(ids(&file, &new), [second.id(), first.id()]);
        assert!(file.unlock(&old).is_err());
        let wrong = file.unlock(&passphrase("grandmother's red kettle"));
        assert!(matches!(wrong, Err(KeyError::WrongMaster)));
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(KeyFile::NAME);
        for text in [
            "",
            "{}",
            "[1]",
            "{\"format\": 1}",
            "{\"format\": 1, \"family\": \"f\", \"master\": {\"kind\": \"key\", \"salt\": \"\"}, \"keys\": []}",
        ] {
            fs::write(&path, text).unwrap();
            let loaded = KeyFile::load(&path);
            assert!(matches!(loaded, Err(KeyError::Damaged { .. })), "{text}");
        }
        fs::write(&path, "{\"format\": 2}").unwrap();
        let newer = KeyFile::load(&path);
        assert!(matches!(
            newer,
            Err(KeyError::UnknownFormat { format: 2, .. })
        ));
        for text in ["", "words that somebody remembers", "0123-4567"] {
            assert!(MasterKey::parse_key(text).is_none());
        }
    }
}
