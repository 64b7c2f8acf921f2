//! Files, folders, archives and sealed files, held against the JavaScript implementations of IPFS and of age.

#![expect(clippy::unwrap_used, reason = "in a test a surprise is a failure")]

use std::{
    fs::File,
    io::{Read as _, Seek as _, Write as _},
};

use heirloom_core::ContentHash;
use heirloom_ipfs::{
    Block, CarError, CarFile, CarWriter, Entry, Layout, Made, PublicationKey, SealError, Sealed,
    Unpack, add_file, add_folder, open_sealed, read_car, set_car_root,
};
use heirloom_testing::ipfs::IpfsNode;

fn hash_of(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(*blake3::hash(bytes).as_bytes())
}

/// Bytes that look like nothing, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut output = blake3::Hasher::new().finalize_xof();
    output.fill(&mut bytes);
    bytes
}

fn made_of(bytes: &[u8], layout: Layout) -> (Made, Vec<Block>) {
    let mut blocks = Vec::new();
    let made = add_file(bytes, layout, &mut |block| {
        blocks.push(block);
        Ok(())
    });
    (made.unwrap(), blocks)
}

/// A folder with two files, one of them of several leaves, as an archive.
fn archive() -> (File, Made) {
    let mut blocks = Vec::new();
    let mut put = |block| {
        blocks.push(block);
        Ok(())
    };
    let small = add_file(&b"a letter"[..], Layout::Kubo, &mut put).unwrap();
    let large = add_file(&noise(600_000)[..], Layout::Kubo, &mut put).unwrap();
    let below = add_folder(vec![("large.bin".to_owned(), large)], &mut put).unwrap();
    let entries = vec![("small.txt".to_owned(), small), ("below".to_owned(), below)];
    let root = add_folder(entries, &mut put).unwrap();
    (write_car(&blocks, root), root)
}

fn write_car(blocks: &[Block], root: Made) -> File {
    let mut file = tempfile::tempfile().unwrap();
    let unknown = Block::raw(Vec::new()).cid;
    let mut writer = CarWriter::begin(&file, &unknown).unwrap();
    for block in blocks {
        writer.put(block).unwrap();
    }
    set_car_root(&file, &root.cid).unwrap();
    file.rewind().unwrap();
    file
}

fn bytes_of(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn well_known_bytes_have_their_well_known_names() {
    let name = |bytes: &[u8]| made_of(bytes, Layout::Kubo).0.cid.to_string();
    assert_eq!(
        name(b""),
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    );
    assert_eq!(
        name(b"hello world\n"),
        "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
    );
    let empty = add_folder(Vec::new(), &mut |_| Ok(())).unwrap();
    assert_eq!(
        empty.cid.to_string(),
        "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
    );
}

#[test]
fn a_file_has_the_name_that_another_implementation_gives_it() {
    const LEAF: usize = 256 * 1024;
    let node = IpfsNode::start();
    let lengths = [
        0,
        1,
        LEAF - 1,
        LEAF,
        LEAF + 1,
        5 * LEAF + 7,
        174 * LEAF,
        174 * LEAF + 1,
    ];
    for layout in Layout::ALL {
        for length in lengths {
            let bytes = noise(length);
            let (made, _) = made_of(&bytes, layout);
            assert_eq!(
                made.cid.to_string(),
                node.cid_of(&bytes, layout.as_str()),
                "{length} bytes, {}",
                layout.as_str()
            );
            assert_eq!(made.file_bytes, length as u64);
        }
    }
}

#[test]
fn a_folder_has_the_name_that_another_implementation_gives_it() {
    let node = IpfsNode::start();
    let names = ["Ümit.txt", "a b.txt", "Z.txt", "z.txt", "10.txt", "9.txt"];
    let mut entries = Vec::new();
    let mut files = Vec::new();
    for name in names {
        let made = made_of(name.as_bytes(), Layout::Kubo).0;
        entries.push((name.to_owned(), made));
        files.push((format!("in/{name}"), name));
    }
    let inner = add_folder(entries, &mut |_| Ok(())).unwrap();
    let root = add_folder(vec![("in".to_owned(), inner)], &mut |_| Ok(())).unwrap();
    let body = serde_json::to_vec(&files).unwrap();
    let theirs = node.json("/test/folder", &body);
    assert_eq!(theirs["cid"], root.cid.to_string());
}

#[test]
fn a_folder_that_would_have_to_be_spread_is_refused() {
    let made = made_of(b"x", Layout::Kubo).0;
    let names = (0..4000).map(|at| (format!("{at:032}"), made)).collect();
    let error = add_folder(names, &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("4000 names"), "{error}");
}

#[test]
fn an_archive_is_read_by_another_implementation_and_unpacked_here() {
    let node = IpfsNode::start();
    let (file, root) = archive();
    let boundary = "--what-lies-between-the-parts-of-it\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.car\"\r\n\
                    content-type: application/octet-stream\r\n\r\n";
    let body = [
        boundary.as_bytes(),
        &bytes_of(&file),
        b"\r\n--what-lies-between-the-parts-of-it--\r\n",
    ]
    .concat();
    let (status, answer) = send_multipart(&node, &body);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"PinErrorMsg\":\"\""), "{answer}");
    let path = format!("/test/file?path={}/below/large.bin", root.cid);
    assert_eq!(node.ask(&path, b""), (200, noise(600_000)));

    let archive = CarFile::open(file).unwrap();
    assert_eq!(archive.roots(), [root.cid]);
    let mut unpack = Unpack::new(&archive);
    let entries = unpack.list(&root.cid).unwrap();
    let paths: Vec<&str> = entries.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["below/large.bin", "small.txt"]);
    let mut whole = Vec::new();
    let Entry { cid, .. } = &entries[0];
    assert_eq!(unpack.write_file(cid, &mut whole).unwrap(), 600_000);
    assert_eq!(whole, noise(600_000));
}

fn send_multipart(node: &IpfsNode, body: &[u8]) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(node.address).unwrap();
    let head = format!(
        "POST /api/v0/dag/import HTTP/1.0\r\ncontent-type: multipart/form-data; boundary=what-lies-between-the-parts-of-it\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn what_others_make_otherwise_is_read() {
    // Written by the JavaScript implementation: a folder that is spread over several blocks, and a file whose leaves are
    // nodes.
    let cases = [
        (
            &include_bytes!("../../../../fuzz/seeds/car/shard")[..],
            "f0=x0 f1=x1 f2=x2 f3=x3 f4=x4 f5=x5",
        ),
        (
            &include_bytes!("../../../../fuzz/seeds/car/leaves")[..],
            "n=abcdefghij",
        ),
    ];
    for (bytes, expected) in cases {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let archive = CarFile::open(file).unwrap();
        let mut unpack = Unpack::new(&archive);
        let mut found = Vec::new();
        for entry in unpack.list(&archive.roots()[0]).unwrap() {
            let mut bytes = Vec::new();
            unpack.write_file(&entry.cid, &mut bytes).unwrap();
            found.push(format!(
                "{}={}",
                entry.path,
                String::from_utf8(bytes).unwrap()
            ));
        }
        found.sort();
        assert_eq!(found.join(" "), expected);
    }
}

#[test]
fn a_damaged_block_of_an_archive_is_named() {
    let (file, _) = archive();
    let mut bytes = bytes_of(&file);
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    let error = read_car(&bytes[..], |_, _| Ok(())).unwrap_err();
    let CarError::Damaged { cid, .. } = &error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(&cid.to_string()), "{error}");
}

#[test]
fn no_flipped_bit_and_no_lost_end_of_an_archive_goes_unseen() {
    let (made, blocks) = made_of(b"a short letter", Layout::Kubo);
    let folder = add_folder(vec![("a".to_owned(), made)], &mut |_| Ok(())).unwrap();
    let whole = bytes_of(&write_car(&blocks, folder));
    assert!(read_car(&whole[..], |_, _| Ok(())).is_ok());
    let header = usize::from(whole[0]) + 1;
    for at in header..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let mut names = Vec::new();
            let read = read_car(&bytes[..], |block, _| {
                names.push(block.cid);
                Ok(())
            });
            // Another codec in a name is another name for the same bytes, and nothing links to it.
            assert!(
                read.is_err() || names != [made.cid],
                "byte {at}, bit {bit} was not seen"
            );
        }
    }
    for end in 1..whole.len() {
        if end != header {
            let read = read_car(&whole[..end], |_, _| Ok(()));
            assert!(read.is_err(), "cut off at {end}");
        }
    }
}

#[test]
fn an_archive_that_lacks_a_block_names_it() {
    let (made, mut blocks) = made_of(&noise(600_000), Layout::Kubo);
    let lost = blocks.remove(1);
    let archive = CarFile::open(write_car(&blocks, made)).unwrap();
    let error = Unpack::new(&archive)
        .write_file(&made.cid, &mut std::io::sink())
        .unwrap_err();
    assert!(
        matches!(&error, CarError::Missing { cid } if *cid == lost.cid),
        "{error}"
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["..", "a/b", "", "."] {
        let (made, mut blocks) = made_of(b"x", Layout::Kubo);
        let entries = vec![(name.to_owned(), made)];
        let root = add_folder(entries, &mut |block| {
            blocks.push(block);
            Ok(())
        });
        let root = root.unwrap();
        let archive = CarFile::open(write_car(&blocks, root)).unwrap();
        let error = Unpack::new(&archive).list(&root.cid).unwrap_err();
        assert!(matches!(error, CarError::BadName { .. }), "{name}: {error}");
    }
}

#[test]
fn a_few_blocks_do_not_become_a_full_disk() {
    // Thirty folders, each of which has the one before twice.
    let (mut made, mut blocks) = made_of(b"x", Layout::Kubo);
    for _ in 0..30 {
        let entries = vec![("a".to_owned(), made), ("b".to_owned(), made)];
        let folder = add_folder(entries, &mut |block| {
            blocks.push(block);
            Ok(())
        });
        made = folder.unwrap();
    }
    let archive = CarFile::open(write_car(&blocks, made)).unwrap();
    let error = Unpack::new(&archive).list(&made.cid).unwrap_err();
    assert!(matches!(error, CarError::TooMuch(_)), "{error}");
}

fn sealed(key: &PublicationKey, plain: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let mut reader = Sealed::new(key, hash_of(plain), plain).unwrap();
    reader.read_to_end(&mut sealed).unwrap();
    sealed
}

#[test]
fn what_is_sealed_is_opened_by_another_implementation_of_age_and_the_other_way_round() {
    const SEGMENT: usize = 64 * 1024;
    let node = IpfsNode::start();
    let key = PublicationKey::generate().unwrap();
    let open = format!("/test/open?key={}", *key.text());
    let seal = format!("/test/seal?recipient={}", key.recipient().unwrap());
    for length in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT] {
        let plain = noise(length);
        let (status, opened) = node.ask(&open, &sealed(&key, &plain));
        assert_eq!((status, opened == plain), (200, true), "{length} bytes");
        let (_, theirs) = node.ask(&seal, &plain);
        let mut opened = Vec::new();
        open_sealed(&key, &theirs[..], &mut opened).unwrap();
        assert_eq!(opened, plain, "{length} bytes");
    }
}

#[test]
fn the_same_original_under_the_same_key_is_sealed_the_same() {
    let (key, other) = (
        PublicationKey::generate().unwrap(),
        PublicationKey::generate().unwrap(),
    );
    let plain = noise(100_000);
    assert_eq!(sealed(&key, &plain), sealed(&key, &plain));
    assert_ne!(sealed(&key, &plain), sealed(&other, &plain));
    assert_ne!(key.name_of(hash_of(&plain)), other.name_of(hash_of(&plain)));
    let written = PublicationKey::parse(&format!("# made today\n{}\n", *key.text()));
    assert_eq!(written, Some(key));
}

#[test]
fn a_wrong_key_and_every_kind_of_damage_are_told() {
    let key = PublicationKey::generate().unwrap();
    let whole = sealed(&key, &noise(70_000));
    let open = |key: &PublicationKey, bytes: &[u8]| {
        open_sealed(key, bytes, &mut std::io::sink()).unwrap_err()
    };
    let other = PublicationKey::generate().unwrap();
    assert!(matches!(open(&other, &whole), SealError::WrongKey));
    assert!(matches!(open(&key, b"a letter"), SealError::NotSealed));
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let error = open(&key, &flipped);
    assert!(
        matches!(
            error,
            SealError::Damaged {
                after_bytes: 65_536
            }
        ),
        "{error}"
    );
    for end in [whole.len() - 1, 66_000, 200] {
        let error = open(&key, &whole[..end]);
        assert!(matches!(error, SealError::Damaged { .. }), "{end}: {error}");
    }
}
