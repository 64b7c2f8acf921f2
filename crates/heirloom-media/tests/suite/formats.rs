//! One small file of each kind that the repository's real media do not have.

use heirloom_core::claim::ClaimKind;
use heirloom_media::property;

use super::{
    best,
    bytes::{atom, chunk, element, jpeg, png, png_chunk, riff, segment, tiff, zip},
    read, read_as,
};

/// Seconds from 1904 of a moment in 2017.
const IN_1904: u32 = 3_568_967_102;

fn film(brand: &[u8; 4], created: u32, others: &[&[u8]]) -> Vec<u8> {
    let header = atom(
        b"mvhd",
        &[
            &[0; 4],
            &created.to_be_bytes(),
            &[0; 4],
            &600_u32.to_be_bytes(),
            &1500_u32.to_be_bytes(),
            &[0; 80],
        ],
    );
    let moov = atom(b"moov", &[&[&header[..]], others].concat());
    [
        atom(b"ftyp", &[brand, &[0; 4]]),
        atom(b"mdat", &[b"..."]),
        moov,
    ]
    .concat()
}

#[test]
fn a_film_has_the_date_of_its_header_unless_its_clock_was_never_set() {
    let (name, found) = read(&film(b"isom", IN_1904, &[]));
    assert_eq!(name, "MP4");
    assert_eq!(found.facts.duration_ms, Some(2500));
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"quicktime:CreateDate "2017-02-03T11:45:02Z""#
    );
    let (_, found) = read(&film(b"isom", 0, &[]));
    assert_eq!(best(&found, ClaimKind::Date), "-");
}

#[test]
fn a_film_of_a_telephone_says_when_where_and_with_what() {
    let key = |name: &str| {
        let len = u32::try_from(name.len() + 8).unwrap().to_be_bytes();
        [&len[..], b"mdta", name.as_bytes()].concat()
    };
    let value = |number: u32, text: &str| {
        let data = atom(b"data", &[&1_u32.to_be_bytes(), &[0; 4], text.as_bytes()]);
        atom(&number.to_be_bytes(), &[&data])
    };
    let keys = [
        key("com.apple.quicktime.creationdate"),
        key("com.apple.quicktime.location.ISO6709"),
        key("com.apple.quicktime.make"),
        key("com.apple.quicktime.content.identifier"),
        key("com.android.model"),
    ];
    let values = [
        value(1, "2019-07-24T11:25:40+0300"),
        value(2, "+32.0929+034.8620+028.5/"),
        value(3, "Apple"),
        value(4, "ABC-1"),
        value(5, "Pixel 7"),
    ];
    let meta = atom(
        b"meta",
        &[
            &atom(b"hdlr", &[&[0; 8], b"mdta", &[0; 13]]),
            &atom(b"keys", &[&[0; 4], &5_u32.to_be_bytes(), &keys.concat()]),
            &atom(b"ilst", &[&values.concat()]),
        ],
    );
    let (name, found) = read(&film(b"qt  ", IN_1904, &[&meta]));
    assert_eq!(name, "QuickTime");
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"quicktime:com.apple.quicktime.creationdate "2019-07-24T11:25:40+03:00""#
    );
    assert!(
        best(&found, ClaimKind::Position)
            .ends_with(r#"{"altitude_m":28.5,"latitude":32.0929,"longitude":34.862}"#)
    );
    assert!(best(&found, ClaimKind::CameraMake).ends_with(r#""Apple""#));
    assert!(best(&found, ClaimKind::CameraModel).ends_with(r#""Pixel 7""#));
    assert_eq!(found.properties[property::LIVE_PHOTO_ID], "ABC-1");
}

#[test]
fn user_data_of_a_film_is_read_in_quicktimes_and_3gpps_way() {
    let apple = |text: &str| {
        let len = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&len[..], &[0x15, 0xC7], text.as_bytes()].concat()
    };
    let udta = atom(
        b"udta",
        &[
            &atom(b"\xa9xyz", &[&apple("+54.3000+010.1000/")]),
            &atom(b"\xa9day", &[&apple("2004-06-21T23:37:53+0100")]),
            &atom(b"\xa9mod", &[&apple("DSC-T1")]),
            &atom(
                b"titl",
                &[&[0; 4], &[0x15, 0xC7], "Sommerfest".as_bytes(), &[0]],
            ),
        ],
    );
    let (name, found) = read(&film(b"3gp4", IN_1904, &[&udta]));
    assert_eq!(name, "3GP");
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"quicktime:©day "2004-06-21T23:37:53+01:00""#
    );
    assert_eq!(
        best(&found, ClaimKind::Position),
        r#"quicktime:©xyz {"latitude":54.3,"longitude":10.1}"#
    );
    assert_eq!(
        best(&found, ClaimKind::CameraModel),
        r#"quicktime:©mod "DSC-T1""#
    );
    assert_eq!(best(&found, ClaimKind::Title), r#"3gpp:titl "Sommerfest""#);
}

#[test]
fn a_film_without_pictures_is_a_recording() {
    let trak = |kind: &[u8; 4]| {
        let hdlr = atom(b"hdlr", &[&[0; 8], kind, &[0; 13]]);
        atom(b"trak", &[&atom(b"mdia", &[&hdlr])])
    };
    assert_eq!(read(&film(b"isom", 0, &[&trak(b"soun")])).0, "M4A");
    assert_eq!(
        read(&film(b"isom", 0, &[&trak(b"soun"), &trak(b"vide")])).0,
        "MP4"
    );
    assert_eq!(read(&film(b"3gp4", 0, &[&trak(b"soun")])).0, "3GP sound");
}

#[test]
fn matroska_says_when_it_was_made_how_long_it_is_and_what_is_in_it() {
    let ns = 500_000_000_i64 * 1_000_000_000;
    let info = element(
        &[0x15, 0x49, 0xA9, 0x66],
        &[
            &element(&[0x2A, 0xD7, 0xB1], &[&1_000_000_u32.to_be_bytes()]),
            &element(&[0x44, 0x89], &[&1234.5_f64.to_be_bytes()]),
            &element(&[0x44, 0x61], &[&ns.to_be_bytes()]),
            &element(&[0x7B, 0xA9], &["Omas Geburtstag".as_bytes()]),
        ],
    );
    let track = element(
        &[0xAE],
        &[
            &element(&[0x86], &[b"V_MPEG4/ISO/AVC"]),
            &element(&[0x23, 0xE3, 0x83], &[&40_000_000_u32.to_be_bytes()]),
            &element(
                &[0xE0],
                &[
                    &element(&[0xB0], &[&[2, 128]]),
                    &element(&[0xBA], &[&[1, 104]]),
                ],
            ),
        ],
    );
    let tracks = element(&[0x16, 0x54, 0xAE, 0x6B], &[&track]);
    let head = element(
        &[0x1A, 0x45, 0xDF, 0xA3],
        &[&element(&[0x42, 0x82], &[b"matroska"])],
    );
    let (name, found) =
        read(&[head, element(&[0x18, 0x53, 0x80, 0x67], &[&info, &tracks])].concat());
    assert_eq!(name, "Matroska");
    assert_eq!(
        (found.facts.width, found.facts.height),
        (Some(640), Some(360))
    );
    assert_eq!(
        (found.facts.duration_ms, found.facts.frame_rate),
        (Some(1235), Some(25.0))
    );
    assert_eq!(found.facts.video_codec.as_deref(), Some("h264"));
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"matroska:DateUTC "2016-11-05T00:53:20Z""#
    );
    assert_eq!(
        best(&found, ClaimKind::Title),
        r#"matroska:Title "Omas Geburtstag""#
    );
}

#[test]
fn an_avi_of_a_camera_has_its_date_and_size() {
    let mut avih = [0_u8; 56];
    avih[..4].copy_from_slice(&66_666_u32.to_le_bytes());
    avih[16..20].copy_from_slice(&30_u32.to_le_bytes());
    avih[32..36].copy_from_slice(&320_u32.to_le_bytes());
    avih[36..40].copy_from_slice(&240_u32.to_le_bytes());
    let hdrl = chunk(
        b"LIST",
        &[
            b"hdrl",
            &chunk(b"avih", &[&avih]),
            &chunk(b"IDIT", &[b"Mon Mar 10 15:04:43 2003\n\0"]),
        ],
    );
    let (name, found) = read(&riff(b"AVI ", &[&hdrl]));
    assert_eq!(name, "AVI");
    assert_eq!(
        (
            found.facts.width,
            found.facts.height,
            found.facts.duration_ms
        ),
        (Some(320), Some(240), Some(1999))
    );
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"avi:IDIT "2003-03-10T15:04:43""#
    );
}

#[test]
fn a_wav_of_a_recorder_says_when_it_was_recorded() {
    let format = [
        &[1, 0, 1, 0][..],
        &8000_u32.to_le_bytes(),
        &16_000_u32.to_le_bytes(),
        &[2, 0, 16, 0],
    ]
    .concat();
    let mut bext = vec![0_u8; 602];
    bext[..9].copy_from_slice(b"Interview");
    bext[320..338].copy_from_slice(b"2009-05-0114:30:00");
    let bytes = riff(
        b"WAVE",
        &[
            &chunk(b"fmt ", &[&format]),
            &chunk(b"bext", &[&bext]),
            &chunk(b"data", &[&[0; 32_000]]),
        ],
    );
    let (name, found) = read(&bytes);
    assert_eq!(name, "WAV");
    assert_eq!(
        (found.facts.duration_ms, found.facts.sample_rate_hz),
        (Some(2000), Some(8000))
    );
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"wav:bext:OriginationDate "2009-05-01T14:30:00""#
    );
    assert_eq!(
        best(&found, ClaimKind::Caption),
        r#"wav:bext:Description "Interview""#
    );
}

#[test]
fn an_mp3_says_who_and_what_in_any_of_its_character_sets() {
    let frame = |name: &[u8; 4], content: &[u8]| {
        let len = u32::try_from(content.len()).unwrap().to_be_bytes();
        [name, &len[..], &[0, 0], content].concat()
    };
    let wide: Vec<u8> = "Märchen"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let frames = [
        frame(b"TIT2", &[&[1, 0xFF, 0xFE][..], &wide].concat()),
        frame(b"TPE1", b"\0Oma Hilde"),
        frame(b"COMM", b"\0deu\0Vor dem Schlafen"),
        frame(b"TYER", b"\x001987"),
        frame(b"TDAT", b"\x002412"),
    ]
    .concat();
    let len = u8::try_from(frames.len()).unwrap();
    // Two frames of silence: 32 kbit/s at 44.1 kHz.
    let sound = [&[0xFF, 0xFB, 0x10, 0xC0][..], &[0; 100]]
        .concat()
        .repeat(2);
    let bytes = [
        b"ID3\x03\0\0\0\0",
        &[len >> 7, len & 0x7F][..],
        &frames,
        &sound,
    ]
    .concat();
    let (name, found) = read(&bytes);
    assert_eq!(name, "MP3");
    assert_eq!(found.facts.audio_codec.as_deref(), Some("mp3"));
    assert_eq!(best(&found, ClaimKind::Title), r#"id3:TIT2 "Märchen""#);
    assert_eq!(best(&found, ClaimKind::Author), r#"id3:TPE1 "Oma Hilde""#);
    assert_eq!(
        best(&found, ClaimKind::Caption),
        r#"id3:COMM "Vor dem Schlafen""#
    );
    assert_eq!(best(&found, ClaimKind::Date), r#"id3:TYER "1987-12-24""#);
}

#[test]
fn comments_of_flac_and_its_length_are_read() {
    let comment = |text: &str| {
        [
            &u32::try_from(text.len()).unwrap().to_le_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    };
    let comments = [
        comment("a program"),
        2_u32.to_le_bytes().to_vec(),
        comment("TITLE=Wiegenlied"),
        comment("DATE=1962-05"),
    ]
    .concat();
    // 8000 Hz, one channel, 16 bits, 16000 samples.
    let stream = (8_000_u64 << 44 | 15 << 36 | 16_000).to_be_bytes();
    let bytes = [
        b"fLaC\0\0\0\x22".to_vec(),
        vec![0; 10],
        stream.to_vec(),
        vec![0; 16],
        vec![0x84, 0, 0, u8::try_from(comments.len()).unwrap()],
        comments,
    ]
    .concat();
    let (name, found) = read(&bytes);
    assert_eq!(name, "FLAC");
    assert_eq!(
        (found.facts.duration_ms, found.facts.channels),
        (Some(2000), Some(1))
    );
    assert_eq!(
        best(&found, ClaimKind::Title),
        r#"vorbis:TITLE "Wiegenlied""#
    );
    assert_eq!(best(&found, ClaimKind::Date), r#"vorbis:DATE "1962-05""#);
}

#[test]
fn an_exif_date_has_the_offset_that_stands_beside_it() {
    let block = tiff(&[(0x9003, "2016:07:01 12:00:00"), (0x9011, "+02:00")], &[]);
    let (_, found) = read(&jpeg(&[&segment(0xE1, &[b"Exif\0\0", &block])]));
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"exif:DateTimeOriginal "2016-07-01T12:00:00+02:00""#
    );
    assert!(found.findings[0].confidence > 0.9);
}

#[test]
fn the_day_of_a_scan_is_less_sure_than_any_name() {
    let (model, original, digitized) = (0x0110, 0x9003, 0x9004);
    for (texts, file_source, is_of_scan) in [
        (
            vec![
                (model, "Perfection V370"),
                (original, "2011:11:05 14:01:10"),
            ],
            0,
            true,
        ),
        (
            vec![
                (model, "CanoScan 9000F"),
                (digitized, "2011:11:05 14:01:10"),
            ],
            0,
            true,
        ),
        (
            vec![
                (original, "2011:11:05 14:01:10"),
                (digitized, "2011:11:05 14:01:10"),
            ],
            1,
            true,
        ),
        (vec![(original, "2011:11:05 14:01:10")], 2, true),
        // A camera, and scans that somebody dated.
        (
            vec![(model, "Canon EOS 5D"), (original, "2011:11:05 14:01:10")],
            3,
            false,
        ),
        (
            vec![
                (model, "Perfection V370"),
                (original, "1944:05:30 00:00:00"),
            ],
            0,
            false,
        ),
        (
            vec![
                (original, "1999:05:30 00:00:00"),
                (digitized, "2011:11:05 14:01:10"),
            ],
            2,
            false,
        ),
    ] {
        let block = tiff(&texts, &[(0xA300, file_source)]);
        let (_, found) = read(&jpeg(&[&segment(0xE1, &[b"Exif\0\0", &block])]));
        let dates = found
            .findings
            .iter()
            .filter(|f| f.statement.kind() == ClaimKind::Date);
        let surest = dates.map(|f| f.confidence).fold(0.0, f32::max);
        assert_eq!(surest < 0.2, is_of_scan, "{texts:?}: {surest}");
    }
}

#[test]
fn what_a_camera_writes_into_every_picture_is_no_caption() {
    for (words, caption) in [
        ("OLYMPUS DIGITAL CAMERA         ", "-"),
        ("SONY DSC", "-"),
        (
            "Anna im Garten",
            r#"exif:ImageDescription "Anna im Garten""#,
        ),
    ] {
        let block = tiff(&[(0x010E, words)], &[]);
        let (_, found) = read(&jpeg(&[&segment(0xE1, &[b"Exif\0\0", &block])]));
        assert_eq!(best(&found, ClaimKind::Caption), caption);
    }
}

#[test]
fn an_extended_xmp_is_put_together_in_its_order() {
    let packet = br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="Am Meer"/></rdf:RDF></x:xmpmeta>"#;
    let (first, second) = packet.split_at(80);
    let part = |offset: usize, content: &[u8]| {
        let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
        let offset = u32::try_from(offset).unwrap().to_be_bytes();
        segment(
            0xE1,
            &[
                b"http://ns.adobe.com/xmp/extension/\0",
                &[b'0'; 32],
                &len,
                &offset,
                content,
            ],
        )
    };
    let (_, found) = read(&jpeg(&[&part(80, second), &part(0, first)]));
    assert_eq!(best(&found, ClaimKind::Title), r#"xmp:dc:title "Am Meer""#);
}

#[test]
fn texts_of_a_png_are_read_packed_or_not() {
    let packed = miniz_oxide::deflate::compress_to_vec_zlib("Grüße".as_bytes(), 6);
    let bytes = png(&[
        &png_chunk(b"tEXt", b"Title\0Am Meer"),
        &png_chunk(b"iTXt", &[b"Description\0\x01\0\0\0", &packed[..]].concat()),
        &png_chunk(b"tEXt", b"Creation Time\x002017:02:03 11:45:02"),
        &png_chunk(b"eXIf", &tiff(&[(0x010F, "Kamera")], &[(0x0112, 6)])),
        &png_chunk(b"tIME", &[7, 0xE1, 2, 4, 1, 2, 3]),
    ]);
    let (name, found) = read(&bytes);
    assert_eq!(name, "PNG");
    assert_eq!(
        (
            found.facts.width,
            found.facts.height,
            found.facts.orientation
        ),
        (Some(3), Some(2), Some(6))
    );
    assert_eq!(best(&found, ClaimKind::Title), r#"png:Title "Am Meer""#);
    assert_eq!(
        best(&found, ClaimKind::Caption),
        r#"png:Description "Grüße""#
    );
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"png:Creation Time "2017-02-03T11:45:02""#
    );
    assert_eq!(best(&found, ClaimKind::CameraMake), r#"exif:Make "Kamera""#);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[test]
fn office_files_say_title_author_pages_and_when_they_were_written() {
    let core = r#"<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="t"><dc:title>Brief</dc:title><dc:creator>Anna</dc:creator><dcterms:created>2004-06-21T23:37:53Z</dcterms:created></cp:coreProperties>"#;
    let app = r#"<Properties><Pages>3</Pages><Application>Writer</Application></Properties>"#;
    let docx = zip(&[
        ("[Content_Types].xml", ""),
        ("word/document.xml", ""),
        ("docProps/core.xml", core),
        ("docProps/app.xml", app),
    ]);
    let meta = r#"<office:document-meta xmlns:office="o" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="m"><dc:title>Brief</dc:title><meta:initial-creator>Anna</meta:initial-creator><meta:creation-date>2004-06-21T23:37:53Z</meta:creation-date><meta:document-statistic meta:page-count="3"/></office:document-meta>"#;
    let odt = zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("meta.xml", meta),
    ]);
    for (bytes, name) in [(docx, "Word"), (odt, "OpenDocument text")] {
        let (seen, found) = read(&bytes);
        assert_eq!(seen, name);
        assert_eq!(found.facts.page_count, Some(3), "{name}");
        assert_eq!(best(&found, ClaimKind::Title), r#"document:title "Brief""#);
        assert!(best(&found, ClaimKind::Author).ends_with(r#""Anna""#));
        assert!(best(&found, ClaimKind::Date).ends_with(r#""2004-06-21T23:37:53Z""#));
    }
    assert_eq!(read(&zip(&[("a.txt", "x")])).0, "ZIP");
    let epub = zip(&[
        ("mimetype", "application/epub+zip"),
        ("OEBPS/content.opf", core),
    ]);
    assert_eq!(read(&epub).0, "EPUB");
}

#[test]
fn a_pdf_is_read_by_its_table_or_without_one() {
    let objects = [
        "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
        "2 0 obj\n<< /Type /Pages /Count 7 /Kids [] >>\nendobj\n",
        "3 0 obj\n<< /Title (Das Familienbuch \\(1\\)) /Author <FEFF004B00E400740065> /CreationDate (D:20040621233753+01'00') >>\nendobj\n",
    ];
    let mut body = String::from("%PDF-1.4\n");
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for object in objects {
        table += &format!("{:010} 00000 n \n", body.len());
        body += object;
    }
    let at = body.len();
    let whole = format!(
        "{body}{table}trailer\n<< /Size 4 /Root 1 0 R /Info 3 0 R >>\nstartxref\n{at}\n%%EOF"
    );
    let broken = whole.replace(&format!("startxref\n{at}"), "startxref\n9");
    for (text, problems) in [(whole, 0), (broken, 1)] {
        let (name, found) = read(text.as_bytes());
        assert_eq!(name, "PDF");
        assert_eq!(found.facts.page_count, Some(7));
        assert_eq!(
            best(&found, ClaimKind::Title),
            r#"pdf:Title "Das Familienbuch (1)""#
        );
        assert_eq!(best(&found, ClaimKind::Author), r#"pdf:Author "Käte""#);
        assert_eq!(
            best(&found, ClaimKind::Date),
            r#"pdf:CreationDate "2004-06-21T23:37:53+01:00""#
        );
        assert_eq!(found.problems.len(), problems, "{:?}", found.problems);
    }
}

#[test]
fn an_rtf_letter_has_title_and_date() {
    let text = br"{\rtf1\ansi{\info{\title Gr\'fc\'dfe}{\author Karl}{\creatim\yr1998\mo5\dy1\hr9\min30}} Lieber Karl}";
    let (name, found) = read(text);
    assert_eq!(name, "RTF");
    assert_eq!(best(&found, ClaimKind::Title), r#"rtf:title "Grüße""#);
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"rtf:creatim "1998-05-01T09:30:00""#
    );
}

#[test]
fn the_name_of_a_file_is_the_weakest_word_about_its_date() {
    let block = tiff(&[(0x9003, "2016:07:01 12:00:00")], &[]);
    let bytes = jpeg(&[&segment(0xE1, &[b"Exif\0\0", &block])]);
    let (_, found) = read_as(&bytes, "IMG_20170203_114502.jpg");
    assert_eq!(found.of_kind(ClaimKind::Date).count(), 2);
    assert!(best(&found, ClaimKind::Date).starts_with("exif:DateTimeOriginal"));
    let found = heirloom_media::read_name("IMG-20150101-WA0001.jpg");
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"name:IMG-20150101-WA0001.jpg "2015-01-01""#
    );
}

#[test]
fn a_clock_that_was_never_set_is_no_date() {
    for (date, expected) in [
        ("0000:00:00 00:00:00", "-"),
        ("    :  :     :  :  ", "-"),
        ("1970:01:01 00:00:00", "-"),
        ("1952:  :     :  :  ", r#"exif:DateTimeOriginal "1952""#),
    ] {
        let block = tiff(&[(0x9003, date)], &[]);
        let (_, found) = read(&jpeg(&[&segment(0xE1, &[b"Exif\0\0", &block])]));
        assert_eq!(best(&found, ClaimKind::Date), expected, "{date}");
    }
}
