//! Files that are broken, cut, or built to cost as much as possible.

use std::{
    fs::{self, File},
    io::{self, Cursor, Read, Seek, SeekFrom},
};

use heirloom_media::{FileType, Metadata, SidecarKind, metadata, read_sidecar, sniff};
use heirloom_testing::media::{known, malformed};

use super::bytes::{atom, entry, jpeg, png, png_chunk, segment};

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.read += len as u64;
        Ok(len)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// How much text a finding and property list holds.
fn weight(found: &Metadata) -> usize {
    let findings = found
        .findings
        .iter()
        .map(|f| f.statement.value().to_json().to_string().len() + f.source.len());
    findings.sum::<usize>() + found.properties.values().map(String::len).sum::<usize>()
}

#[test]
fn every_broken_file_is_read_to_an_end_within_bounds() {
    let files = malformed();
    assert!(files.len() > 50);
    for file in files {
        let mut source = Counted {
            inner: File::open(&file.path).unwrap(),
            read: 0,
        };
        let name = file.path.file_name().unwrap().to_str().unwrap();
        let file_type = sniff(&mut source, name).unwrap();
        let found = metadata(&mut source, file_type, name).unwrap();
        assert!(weight(&found) < 3_000_000, "{}", file.name);
        assert!(
            source.read < 16 * 1024 * 1024,
            "{} took {} bytes",
            file.name,
            source.read
        );
        // Offered as a sidecar or a dump it does no harm either.
        let bytes = fs::read(&file.path).unwrap();
        let dump = heirloom_media::immich::read_dump(&mut bytes.as_slice(), &|| true);
        assert!(dump.unwrap().is_none(), "{}", file.name);
        for kind in [SidecarKind::Xmp, SidecarKind::Takeout, SidecarKind::Immich] {
            assert!(
                weight(&read_sidecar(&bytes, kind)) < 3_000_000,
                "{}",
                file.name
            );
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_still_read() {
    for file in known("media/manifest.json", "media") {
        let bytes = fs::read(&file.path).unwrap();
        if bytes.len() > 60_000 {
            continue;
        }
        let name = file.path.file_name().unwrap().to_str().unwrap();
        let whole = sniff(&mut Cursor::new(&bytes), name).unwrap();
        for part in 0..24 {
            let cut = &bytes[..bytes.len() * part / 24];
            let found = metadata(&mut Cursor::new(cut), whole, name).unwrap();
            assert!(
                found
                    .problems
                    .iter()
                    .all(|problem| problem.what.ends_with('.')),
                "{}",
                file.name
            );
        }
    }
}

#[test]
fn every_reader_bears_the_content_of_every_other_type() {
    let samples: Vec<Vec<u8>> = known("media/manifest.json", "media")
        .into_iter()
        .filter(|file| file.entry["bytes"].as_u64().unwrap() < 6_000)
        .map(|file| fs::read(file.path).unwrap())
        .collect();
    assert!(samples.len() > 40);
    for bytes in &samples {
        for file_type in FileType::ALL {
            let found = metadata(&mut Cursor::new(bytes), *file_type, "a").unwrap();
            assert!(weight(&found) < 3_000_000);
        }
    }
}

#[test]
fn of_a_long_film_little_is_read() {
    let film = [
        atom(b"ftyp", &[b"isom\0\0\0\0"]),
        atom(b"mdat", &[&vec![7; 40_000_000]]),
        atom(
            b"moov",
            &[&atom(
                b"mvhd",
                &[
                    &[0; 12],
                    &1000_u32.to_be_bytes(),
                    &5000_u32.to_be_bytes(),
                    &[0; 80],
                ],
            )],
        ),
    ]
    .concat();
    let mut source = Counted {
        inner: Cursor::new(film),
        read: 0,
    };
    let file_type = sniff(&mut source, "a").unwrap();
    let found = metadata(&mut source, file_type, "a").unwrap();
    assert_eq!(found.facts.duration_ms, Some(5000));
    assert!(source.read < 100_000, "{} bytes were read", source.read);
}

#[test]
fn of_a_photograph_only_what_is_before_the_picture_is_read() {
    let mut bytes = jpeg(&[&segment(
        0xE1,
        &[b"Exif\0\0", &super::bytes::tiff(&[(0x010F, "Canon")], &[])],
    )]);
    bytes.truncate(bytes.len() - 2);
    bytes.extend(segment(0xDA, &[&[0; 10]]));
    bytes.extend(vec![0x55; 5_000_000]);
    let mut source = Counted {
        inner: Cursor::new(bytes),
        read: 0,
    };
    let file_type = sniff(&mut source, "a").unwrap();
    let found = metadata(&mut source, file_type, "a").unwrap();
    assert_eq!(found.findings.len(), 1);
    assert!(source.read < 100_000, "{} bytes were read", source.read);
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    let huge = u32::MAX.to_be_bytes();
    let cases: [(&str, Vec<u8>); 6] = [
        (
            "tiff",
            [
                b"II*\0\x08\0\0\0\x01\0",
                &entry(0x010F, 2, u32::MAX, [0; 4])[..],
                &[0; 8],
            ]
            .concat(),
        ),
        ("png", [b"\x89PNG\r\n\x1a\n", &huge[..], b"tEXt"].concat()),
        (
            "mp4",
            [
                &atom(b"ftyp", &[b"isom\0\0\0\0"])[..],
                &huge,
                b"moov",
                &[0; 64],
            ]
            .concat(),
        ),
        (
            "flac",
            [b"fLaC\x84\xff\xff\xff", &huge[..], &[0xFF; 40]].concat(),
        ),
        (
            "psd",
            [
                b"8BPS\0\x01\0\0\0\0\0\0\0\x03",
                &[0, 0, 0, 9, 0, 0, 0, 9][..],
                &[0; 4],
                &[0; 4],
                &huge,
            ]
            .concat(),
        ),
        (
            "heic",
            [
                &atom(b"ftyp", &[b"heic\0\0\0\0"])[..],
                &atom(
                    b"meta",
                    &[
                        &[0; 4],
                        &atom(b"iloc", &[&[2, 0, 0, 0, 0x44, 0, 0xFF, 0xFF, 0xFF, 0xFF]]),
                    ],
                ),
            ]
            .concat(),
        ),
    ];
    for (name, bytes) in cases {
        let (_, found) = super::read(&bytes);
        assert!(weight(&found) < 10_000, "{name}");
        assert!(found.findings.is_empty(), "{name}: {:?}", found.findings);
    }
}

#[test]
fn a_packed_text_unpacks_to_no_more_than_its_bound() {
    // Four thousand texts of which each would unpack to two megabytes.
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b'a'; 2_000_000], 9);
    let text = png_chunk(b"zTXt", &[b"Comment\0\0", &bomb[..]].concat());
    let bytes = png(&vec![text.as_slice(); 4_000]);
    let (name, found) = super::read(&bytes);
    assert_eq!(name, "PNG");
    assert!(weight(&found) < 3_000_000);
    assert!(
        found
            .problems
            .iter()
            .any(|problem| problem.what.contains("more metadata")),
        "{:?}",
        found.problems
    );
}

#[test]
fn directories_in_a_circle_end() {
    // The directory names itself as its EXIF, its GPS, its maker note and its successor.
    let mut bytes = b"MM\0*\0\0\0\x08\0\x03".to_vec();
    for tag in [0x8769_u16, 0x8825, 0x014A] {
        bytes.extend([&tag.to_be_bytes()[..], &[0, 4, 0, 0, 0, 1, 0, 0, 0, 8]].concat());
    }
    bytes.extend([0, 0, 0, 8]);
    let (name, found) = super::read(&bytes);
    assert_eq!(name, "TIFF");
    assert!(found.findings.is_empty());
}

#[test]
fn an_error_of_the_disk_is_an_error_and_not_a_problem_of_the_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(1_000)
        }
    }
    assert_eq!(
        sniff(&mut Broken, "a.jpg").unwrap_err().to_string(),
        "the disk is gone"
    );
    let jpeg = FileType::by_name("JPEG").unwrap();
    assert_eq!(
        metadata(&mut Broken, jpeg, "a.jpg")
            .unwrap_err()
            .to_string(),
        "the disk is gone"
    );
}
