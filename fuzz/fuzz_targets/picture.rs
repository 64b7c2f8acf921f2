//! Whatever the bytes, drawing them ends with renditions of the sizes that they say, within the limits and
//! twice the same, or with words.
//!
//! The first byte chooses: an odd one lets the content decide the type, an even one forces a decoder
//! upon content that is not its own.

#![no_main]

use std::io::Cursor;

use heirloom_media::{
    FileType,
    picture::{Limits, RenditionKind, Want, decode, render},
    sniff,
};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    pixels: 1 << 20,
    full_side: 2_000,
    output_bytes: 8 * 1024 * 1024,
};

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let file_type = if choice % 2 == 1 {
        sniff(&mut Cursor::new(bytes), "a").expect("memory has no errors of the disk")
    } else {
        FileType::ALL[usize::from(choice / 2) % FileType::ALL.len()]
    };
    let want = Want {
        page: u32::from(choice / 64),
        longest_side: (choice % 3 == 0).then_some(100),
    };
    if let Ok(picture) = decode(bytes, file_type, &LIMITS, want) {
        let channels = if picture.has_alpha { 4 } else { 3 };
        let wanted = picture.width as usize * picture.height as usize * channels;
        assert_eq!(picture.pixels.len(), wanted);
    }
    match render(bytes, file_type, &LIMITS) {
        Ok(rendered) => {
            assert!(u64::from(rendered.width) * u64::from(rendered.height) <= LIMITS.pixels);
            let mut total = 0;
            for rendition in &rendered.renditions {
                let most = match rendition.kind {
                    RenditionKind::Grid => 250,
                    RenditionKind::Screen => 1440,
                    RenditionKind::Full => LIMITS.full_side,
                };
                let longest = rendition.width.max(rendition.height);
                assert!(longest <= most && longest <= rendered.width.max(rendered.height));
                total += rendition.bytes.len();
            }
            assert!(total <= LIMITS.output_bytes);
            assert!(!rendered.thumbhash.is_empty());
            assert_eq!(render(bytes, file_type, &LIMITS), Ok(rendered));
        }
        Err(error) => assert!(error.to_string().ends_with('.')),
    }
});
