//! Whatever the bytes, every reader ends with findings that are valid, within its bounds.
//!
//! The first byte chooses: an odd one lets the content decide the type, an even one forces a reader
//! upon content that is not its own.

#![no_main]

use std::io::{Cursor, Read, Result, Seek, SeekFrom};

use heirloom_core::{MediaKind, claim::Statement};
use heirloom_media::{FileType, Metadata, metadata, sniff};
use libfuzzer_sys::fuzz_target;

/// Counts what is read, for no file may cost more than its bound.
struct Counted<'b> {
    bytes: Cursor<&'b [u8]>,
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let len = self.bytes.read(buffer)?;
        self.read += len as u64;
        Ok(len)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.bytes.seek(to)
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let mut source = Counted {
        bytes: Cursor::new(bytes),
        read: 0,
    };
    let names = [
        "a.jpg",
        "IMG_20170203_114502.nef",
        "notes.txt",
        "x.mp3",
        "a",
    ];
    let name = names[usize::from(choice / 2) % names.len()];
    let sniffed = sniff(&mut source, name).expect("memory has no errors of the disk");
    assert_eq!(FileType::by_name(sniffed.name), Some(sniffed));
    assert_eq!(bytes.is_empty(), sniffed.name == "Empty");
    let forced = FileType::ALL[usize::from(choice / 2) % FileType::ALL.len()];
    let file_type = if choice % 2 == 1 { sniffed } else { forced };
    let found = metadata(&mut source, file_type, name).expect("memory has no errors of the disk");
    assert!(source.read < 200 * 1024 * 1024);
    check(&found);
    if file_type.kind == MediaKind::Document {
        assert!(found.facts.page_count.is_none_or(|pages| pages > 0));
    }
    // The same bytes say the same.
    let again = metadata(&mut source, file_type, name).expect("memory has no errors of the disk");
    assert_eq!(again, found);
});

fn check(found: &Metadata) {
    assert!(found.findings.len() <= 2_000);
    assert!(found.problems.len() <= 20);
    for finding in &found.findings {
        assert!(!finding.source.is_empty());
        assert!((0.0..=1.0).contains(&finding.confidence), "{finding:?}");
        let statement = &finding.statement;
        let again = Statement::from_json(statement.kind(), &statement.value().to_json());
        assert_eq!(again.as_ref(), Ok(statement));
    }
    for problem in &found.problems {
        assert!(problem.what.ends_with('.'), "{problem:?}");
    }
    for (name, value) in &found.properties {
        assert!(!name.is_empty() && !value.is_empty() && !value.contains('\0'));
    }
}
