//! What other programs hand out comes in whole: originals byte for byte, what was said of them, albums and favourites.

mod known;

use std::{
    fs::{self, File},
    io::{Cursor, Write as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use heirloom_core::{AssetId, claim::ClaimKind};
use heirloom_db::{asset::Asset, stack::StackKind};
use heirloom_pipeline::{
    export::{Meter, ProblemCode},
    import::{Checked, ImportError, Report, Source, check_import, import},
};
use heirloom_testing::TreeSnapshot;
use tokio_util::sync::CancellationToken;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::harness::{Home, OPERATOR, on_both_engines, photo, photo_of, xmp};

/// Files of a part: path and bytes.
type Files = Vec<(String, Vec<u8>)>;

fn file(path: &str, bytes: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
    (path.to_owned(), bytes.into())
}

/// What Takeout says of a picture.
fn takeout(title: &str, rest: &str) -> String {
    format!(r#"{{"title": {title:?}, "photoTakenTime": {{"timestamp": "1341144000"}}{rest}}}"#)
}

fn put(root: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn zip(path: &Path, files: &Files) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        writer
            .start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

fn tgz(path: &Path, files: &Files) {
    let packed =
        flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(packed);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mtime(1_341_144_000);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

async fn take_in(
    home: &Home,
    paths: &[&Path],
    source: Option<Source>,
    is_dry: bool,
) -> Result<Report, ImportError> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let what = check_import(&home.ctx, &paths, source).await?;
    let stop = CancellationToken::new();
    import(
        &home.ctx,
        &home.family,
        &what,
        is_dry,
        &stop,
        &Arc::default(),
    )
    .await
}

/// The asset of a name; hidden ones too.
async fn named(home: &Home, name: &str) -> Asset {
    let db = &home.ctx.db;
    let listed = db
        .list_every_asset(OPERATOR, home.family.id, None, 1_000)
        .await;
    let asset = listed
        .unwrap()
        .0
        .into_iter()
        .find(|asset| asset.name == name);
    asset.unwrap_or_else(|| panic!("nothing is called {name}"))
}

/// What is said of an asset: `kind source value`.
async fn said(home: &Home, asset: AssetId) -> Vec<String> {
    let claims = home.ctx.db.list_claims(OPERATOR, asset).await.unwrap();
    let mut said: Vec<String> = claims
        .iter()
        .map(|claim| {
            let value = claim.statement.value().to_json();
            format!("{} {} {value}", claim.statement.kind(), claim.source)
        })
        .collect();
    said.sort();
    said
}

/// Collections with the names of what is in them, in its order.
async fn albums(home: &Home) -> Vec<String> {
    let db = &home.ctx.db;
    let page = db
        .list_collections(OPERATOR, home.family.id, false, None, 100)
        .await
        .unwrap();
    let mut albums = Vec::new();
    for collection in page.items {
        let members = db
            .list_members(OPERATOR, &collection, None, 100)
            .await
            .unwrap();
        let names: Vec<String> = members
            .items
            .iter()
            .map(|asset| asset.name.clone())
            .collect();
        albums.push(format!("{}: {}", collection.name, names.join(", ")));
    }
    albums.sort();
    albums
}

/// What is kept of an asset's bytes.
async fn bytes_of(home: &Home, asset: &Asset) -> Vec<u8> {
    let reader = home.ctx.blobs.get(asset.content_hash).await.unwrap();
    reader.bytes().await.unwrap().to_vec()
}

/// What keeps a name apart: the notes of a report.
fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = report
        .notes
        .iter()
        .map(|note| format!("{}: {}", note.name, note.what))
        .collect();
    notes.sort();
    notes
}

fn counts(report: &Report) -> [u64; 6] {
    [
        report.originals,
        report.added,
        report.completed,
        report.known,
        report.duplicates,
        report.collections,
    ]
}

const LONG: &str = "a very long name of a picture of the family at the sea in summer.jpg";

/// A Takeout in three parts: what describes a picture is not in the part of the picture.
fn parts(place: &Path) -> [PathBuf; 3] {
    let year = "Takeout/Google Fotos/Fotos von 2012";
    let album = "Takeout/Google Fotos/Ferien am Meer";
    let first: Files = vec![
        file(&format!("{year}/IMG_1.jpg"), photo(1)),
        file(
            &format!("{year}/IMG_2.jpg.supplemental-metadata.json"),
            takeout("IMG_2.jpg", r#", "people": [{"name": "Oma"}]"#),
        ),
        file(&format!("{year}/IMG_3(1).jpg"), photo(3)),
        file(&format!("{year}/{LONG}"), photo(4)),
        file(&format!("{year}/IMG_5.HEIC"), photo(5)),
        file(
            &format!("{year}/IMG_5.HEIC.supplemental-meta.json"),
            takeout("IMG_5.HEIC", ""),
        ),
        file(&format!("{album}/IMG_1.jpg"), photo(1)),
        file("Takeout/archive_browser.html", "<p>"),
    ];
    let second: Files = vec![
        file(
            &format!("{year}/IMG_1.jpg.json"),
            takeout(
                "IMG_1.jpg",
                r#", "favorited": true, "description": "Am Strand",
                   "geoData": {"latitude": 54.5, "longitude": 8.25, "altitude": 0.0}"#,
            ),
        ),
        file(&format!("{year}/IMG_1-bearbeitet.jpg"), photo(101)),
        file(&format!("{year}/IMG_2.jpg"), photo(2)),
        file(
            &format!("{year}/IMG_3.jpg(1).json"),
            takeout("IMG_3.jpg", r#", "trashed": true"#),
        ),
        file(
            &format!("{year}/a very long name of a picture of the family at.json"),
            takeout(LONG, ""),
        ),
        file(&format!("{year}/GONE.jpg.json"), takeout("GONE.jpg", "")),
        file(&format!("{year}/alone.jpg"), photo(6)),
        file(
            &format!("{year}/Metadaten.json"),
            r#"{"title": "Fotos von 2012"}"#,
        ),
    ];
    let third: Files = vec![
        file(&format!("{album}/IMG_2.jpg"), photo(2)),
        file(
            &format!("{album}/Metadaten.json"),
            r#"{"title": "Ferien: am Meer", "description": "1974"}"#,
        ),
        file("Takeout/Drive/letter.txt", "Dear Anna"),
    ];
    let paths = ["takeout-001.zip", "takeout-002.tgz", "takeout-003"].map(|name| place.join(name));
    zip(&paths[0], &first);
    tgz(&paths[1], &second);
    put(&paths[2], &third);
    paths
}

on_both_engines! {
    async fn a_takeout_in_parts_comes_in_as_one(home: Home) {
        let place = home.place.path().join("downloads");
        fs::create_dir(&place).unwrap();
        let paths = parts(&place);
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let before = TreeSnapshot::of(&place);
        let dry = take_in(&home, &paths, None, true).await.unwrap();
        assert_eq!(counts(&dry), [9, 7, 0, 0, 2, 0], "{dry:?}");
        assert!(home.assets().await.is_empty());

        let report = take_in(&home, &paths, None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.is_guessed, report.problem_count), ("takeout", true, 0), "{report:?}");
        assert_eq!(counts(&report), [9, 7, 0, 0, 2, 2], "{report:?}");
        assert_eq!((report.hidden, report.sidecars, report.sidecars_alone, report.originals_alone), (1, 5, 1, 1), "{report:?}");
        assert_eq!(notes(&report), [
            "Drive/letter.txt: left out: of another product than Google Photos",
            "Google Fotos/Fotos von 2012/GONE.jpg.json: what it describes is not here",
            "Google Fotos/Fotos von 2012/alone.jpg: nothing describes it",
            "archive_browser.html: left out: a page of the Takeout itself",
        ]);
        let one = named(&home, "IMG_1.jpg").await;
        assert_eq!(bytes_of(&home, &one).await, photo(1));
        let date = r#"date takeout:photoTakenTime "2012-07-01T12:00:00Z""#;
        let position = r#"position takeout:geoData {"latitude":54.5,"longitude":8.25}"#;
        let caption = r#"caption takeout:description "Am Strand""#;
        assert_eq!(said(&home, one.id).await, [caption, date, position]);
        let edited = named(&home, "IMG_1-bearbeitet.jpg").await;
        assert_eq!(said(&home, edited.id).await, [caption, date, position]);
        let two = named(&home, "IMG_2.jpg").await;
        assert_eq!(said(&home, two.id).await, [date, r#"person takeout:people "Oma""#]);
        let hidden = named(&home, "IMG_3(1).jpg").await;
        assert!(hidden.deleted_at_ms.is_some());
        let long = named(&home, LONG).await;
        assert_eq!(said(&home, long.id).await, [date]);
        assert_eq!(albums(&home).await, [
            "Favourites (Google Photos): IMG_1.jpg, IMG_1-bearbeitet.jpg",
            "Ferien: am Meer: IMG_1.jpg, IMG_2.jpg",
        ]);
        before.assert_same(&TreeSnapshot::of(&place));

        // The same again adds nothing, also with what people did since.
        home.say(one.id, ClaimKind::Title, "Oma am Meer").await;
        let lines = home.ctx.db.dump_rows().await.unwrap();
        let again = take_in(&home, &paths, Some(Source::Takeout), false).await.unwrap();
        assert_eq!(counts(&again), [9, 0, 0, 7, 2, 0], "{again:?}");
        assert_eq!((again.claims, again.is_guessed), (0, false));
        assert_eq!(home.ctx.db.dump_rows().await.unwrap(), lines);
    }

    async fn what_an_import_has_of_what_is_here_is_only_told(home: Home) {
        home.photo("Strand.jpg", 1);
        home.scan().await;
        let known = home.asset("Strand.jpg").await;
        let place = home.place.path().join("Takeout");
        put(&place, &vec![
            file("Google Photos/Photos from 2012/IMG_1.jpg", photo(1)),
            file("Google Photos/Photos from 2012/IMG_1.jpg.json", takeout("IMG_1.jpg", r#", "trashed": true"#)),
        ]);
        let report = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!(counts(&report), [1, 0, 1, 0, 0, 0], "{report:?}");
        let asset = home.get(known.id).await;
        assert_eq!((asset.name.as_str(), asset.deleted_at_ms), ("Strand.jpg", None));
        assert_eq!(said(&home, known.id).await.len(), 1);
    }

    async fn an_import_that_was_stopped_goes_on_where_it_was(home: Home) {
        let place = home.place.path().join("pictures");
        let files: Files = (0..300).map(|number| file(&format!("{}/{number}.jpg", number % 7), photo(number))).collect();
        put(&place, &files);
        let what = Checked { paths: vec![place.clone()], source: Some(Source::Folder) };
        let (stop, meter) = (CancellationToken::new(), Arc::<Meter>::default());
        let stopped = {
            let going = import(&home.ctx, &home.family, &what, false, &stop, &meter);
            let stopping = async {
                while meter.files_done.load(Ordering::Relaxed) == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                stop.cancel();
            };
            tokio::join!(going, stopping).0
        };
        assert!(matches!(stopped, Err(ImportError::Cancelled)), "{stopped:?}");
        let there = home.assets().await.len() as u64;
        let report = take_in(&home, &[&place], Some(Source::Folder), false).await.unwrap();
        assert_eq!(counts(&report), [300, 300 - there, 0, there, 0, 0], "{report:?}");
        assert_eq!(home.assets().await.len(), 300);
    }

    async fn whatever_is_wrong_is_named_and_the_rest_comes_in(home: Home) {
        let place = home.place.path().join("downloads");
        fs::create_dir(&place).unwrap();
        let folder = "Takeout/Google Photos/Trip";
        let good = place.join("good.zip");
        // A path out of the archive, a member with other bytes than its checksum, and one that is sound.
        zip(&good, &vec![
            file("Takeout/Google Photos/../../../../escaped.jpg", photo(1)),
            file(&format!("{folder}/damaged.jpg"), photo(2)),
            file(&format!("{folder}/sound.jpg"), photo(3)),
        ]);
        let stored = photo(2);
        let mut bytes = fs::read(&good).unwrap();
        match bytes.windows(64).position(|part| part == &stored[..64]) {
            Some(at) => bytes[at + 60] ^= 1,
            None => {
                // Deflate left nothing of it as it was: any byte of its stream will do.
                let at = bytes.windows(11).position(|part| part == b"damaged.jpg").unwrap();
                bytes[at + 80] ^= 1;
            }
        }
        fs::write(&good, bytes).unwrap();
        let cut = place.join("cut.zip");
        zip(&cut, &vec![file(&format!("{folder}/lost.jpg"), photo(4))]);
        let bytes = fs::read(&cut).unwrap();
        fs::write(&cut, &bytes[..bytes.len() - 30]).unwrap();
        let torn = place.join("torn.tgz");
        tgz(&torn, &vec![file(&format!("{folder}/first.jpg"), photo(5)), file(&format!("{folder}/second.jpg"), vec![7; 3_000_000])]);
        let bytes = fs::read(&torn).unwrap();
        fs::write(&torn, &bytes[..bytes.len() - 1_000]).unwrap();
        let linked = place.join("linked.tar");
        let mut builder = tar::Builder::new(File::create(&linked).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, format!("{folder}/link.jpg"), "/etc/passwd").unwrap();
        builder.into_inner().unwrap();
        let unpacked = place.join("unpacked");
        put(&unpacked, &vec![file("Takeout/Google Photos/Trip/plain.jpg", photo(6))]);
        symlink("/etc/passwd", unpacked.join("Takeout/Google Photos/Trip/passwd.jpg")).unwrap();

        let paths = [good, cut, torn, linked, unpacked];
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let report = take_in(&home, &paths, Some(Source::Takeout), false).await.unwrap();
        let mut names: Vec<String> = home.assets().await.into_iter().map(|asset| asset.name).collect();
        names.sort();
        assert_eq!(names, ["first.jpg", "plain.jpg", "sound.jpg"], "{report:?}");
        let mut problems: Vec<&str> = report.problems.iter().map(|problem| problem.name.as_str()).collect();
        problems.sort_unstable();
        problems.dedup();
        assert_eq!(problems, [
            "Takeout/Google Photos/../../../../escaped.jpg",
            "Takeout/Google Photos/Trip/damaged.jpg",
            "Takeout/Google Photos/Trip/link.jpg",
            "Takeout/Google Photos/Trip/passwd.jpg",
            "Takeout/Google Photos/Trip/second.jpg",
            "cut.zip",
            "torn.tgz",
        ], "{report:?}");
    }

    async fn what_apple_hands_out_has_its_tables_and_albums(home: Home) {
        let place = home.place.path().join("apple");
        let head = "imgName,fileChecksum,favorite,hidden,deleted,originalCreationDate,viewCount,importDate\n";
        let one = "iCloud Photos Part 1 of 2";
        let two = "iCloud Photos Part 2 of 2";
        let row = |name: &str, marks: &str| format!("{name},x,{marks},\"Friday December 14,2012 2:39 PM GMT\",3,\n");
        zip(&place.with_extension("zip"), &vec![
            file(&format!("{one}/Photos/IMG_1.JPG"), photo(1)),
            file(&format!("{one}/Photos/IMG_9.JPG"), photo(9)),
            file(&format!("{one}/Photos/IMG_E1.JPG"), photo(11)),
            file(&format!("{one}/Photos/IMG_1.AAE"), "<plist/>"),
            file(
                &format!("{one}/Photos/Photo Details.csv"),
                format!("{head}{}{}", row("IMG_1.JPG", "yes,no,no"), "IMG_9.JPG,x,no,no,yes,Friday December 14,2012 2:39 AM GMT,0,\n"),
            ),
            file(&format!("{one}/Albums/Sylt.csv"), "Images\nIMG_1.JPG\nIMG_2.JPG\nIMG_9.JPG\nGONE.JPG\n"),
            file(&format!("{one}/Memories/Summer.csv"), "imageName\nIMG_1.JPG\n"),
        ]);
        put(&place, &vec![
            file(&format!("{two}/Photos/IMG_2.JPG"), photo(2)),
            file(&format!("{two}/Photos/IMG_9.JPG"), photo(19)),
            file(&format!("{two}/Recently Deleted/IMG_3.JPG"), photo(3)),
            file(&format!("{two}/Photos/Photo Details-1.csv"), format!("{head}{}", row("IMG_2.JPG", "no,no,no"))),
        ]);
        let zipped = place.with_extension("zip");
        let report = take_in(&home, &[&zipped, &place], None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.problem_count), ("apple", 0), "{report:?}");
        assert_eq!(counts(&report), [6, 6, 0, 0, 0, 2], "{report:?}");
        assert_eq!(report.hidden, 2, "{report:?}");
        let first = named(&home, "IMG_1.JPG").await;
        assert_eq!(said(&home, first.id).await, [r#"date icloud:originalCreationDate "2012-12-14T14:39:00Z""#]);
        let mut albums = albums(&home).await;
        // Hidden members are not shown.
        albums.retain(|album| !album.is_empty());
        assert_eq!(albums, ["Favourites (Apple Photos): IMG_1.JPG", "Sylt: IMG_1.JPG, IMG_2.JPG"]);
        assert!(notes(&report).contains(&"GONE.JPG: it is in the album \"Sylt\", and it is not here".to_owned()), "{report:?}");
    }

    async fn an_edited_picture_belongs_to_its_original_and_an_album_keeps_its_order(home: Home) {
        let place = home.place.path();
        let (year, part) = ("Takeout/Google Photos/Photos from 2012", "iCloud Photos Part 1 of 1");
        let (takeout_zip, apple_zip) = (place.join("takeout-1.zip"), place.join("icloud.zip"));
        zip(&takeout_zip, &vec![
            file(&format!("{year}/IMG_5.jpg"), photo(5)),
            file(&format!("{year}/IMG_5-modifié.jpg"), photo(6)),
            file(&format!("{year}/IMG_5.jpg.supplemental-metadata.json"), takeout("IMG_5.jpg", "")),
            file(&format!("{year}/beach-edited.jpg"), photo(7)),
        ]);
        zip(&apple_zip, &vec![
            file(&format!("{part}/Photos/IMG_1234.HEIC"), photo(1)),
            file(&format!("{part}/Photos/IMG_1234.AAE"), "<plist/>"),
            file(&format!("{part}/Photos/IMG_E1234.JPG"), photo(2)),
            file(&format!("{part}/Photos/IMG_0001.JPG"), photo(3)),
            file(&format!("{part}/Albums/Sylt.csv"), "Images\nIMG_E1234.JPG\nIMG_0001.JPG\nIMG_1234.HEIC\n"),
        ]);
        for (zip, original, edited) in [
            (&takeout_zip, "IMG_5.jpg", "IMG_5-modifié.jpg"),
            (&apple_zip, "IMG_1234.HEIC", "IMG_E1234.JPG"),
        ] {
            let report = take_in(&home, &[zip], None, false).await.unwrap();
            assert_eq!((report.stacks, report.problem_count), (1, 0), "{report:?}");
            let (original, edited) = (named(&home, original).await, named(&home, edited).await);
            let stacks = home.ctx.db.list_stacks(OPERATOR, &original).await.unwrap();
            assert_eq!(stacks.len(), 1);
            assert_eq!((stacks[0].kind, stacks[0].cover_asset_id), (StackKind::Edited, edited.id));
            let again = take_in(&home, &[zip], None, false).await.unwrap();
            assert_eq!(again.stacks, 0, "{again:?}");
        }
        let edited = named(&home, "IMG_5-modifié.jpg").await;
        assert_eq!(said(&home, edited.id).await, [r#"date takeout:photoTakenTime "2012-07-01T12:00:00Z""#]);
        let lone = named(&home, "beach-edited.jpg").await;
        assert!(home.ctx.db.list_stacks(OPERATOR, &lone).await.unwrap().is_empty());
        assert_eq!(albums(&home).await, ["Sylt: IMG_E1234.JPG, IMG_0001.JPG, IMG_1234.HEIC"]);
    }

    async fn what_immich_keeps_comes_without_what_it_made(home: Home) {
        let place = home.place.path().join("immich");
        put(&place, &vec![
            file("library/anna/2012/2012-07-01/IMG_1.jpg", photo(1)),
            file("library/anna/2012/2012-07-01/IMG_1.jpg.xmp", xmp("Am Meer")),
            file("library/anna/2012/2012-07-01/IMG_2.jpg", photo(2)),
            file("library/anna/2012/2012-07-01/IMG_2.xmp", xmp("Im Watt")),
            file("upload/0b0e/ab/cd/abcd.jpg", photo(3)),
            file("thumbs/0b0e/ab/cd/abcd-preview.jpeg", photo(4)),
            file("encoded-video/0b0e/ab/cd/abcd.mp4", "film"),
            file("profile/0b0e/anna.jpg", photo(5)),
        ]);
        let report = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.left_out, report.problem_count), ("immich", 3, 0), "{report:?}");
        assert_eq!(counts(&report), [3, 3, 0, 0, 0, 0], "{report:?}");
        assert_eq!(named(&home, "IMG_1.jpg").await.title.as_deref(), Some("Am Meer"));
        assert_eq!(named(&home, "IMG_2.jpg").await.title.as_deref(), Some("Im Watt"));
    }

    async fn of_photoprism_comes_what_a_person_set(home: Home) {
        let place = home.place.path().join("photoprism");
        let one = "UID: pq1\nTakenAt: 2012-07-01T10:00:00Z\nTakenAtLocal: 2012-07-01T12:00:00Z\nTakenSrc: manual\n\
                   Title: 2012\nTitleSrc: manual\nFavorite: true\nLat: 54.5\nLng: 8.25\nPlaceSrc: estimate\n\
                   Details:\n  Keywords: meer, oma\n  KeywordsSrc: manual\n  Artist: Karl\n";
        let two = "UID: pq2\nTakenAt: 2013-01-01T00:00:00Z\nTitle: Seashore / 2013\n\
                   DeletedAt: 2022-08-05T18:06:59Z\n";
        let album = "UID: aq1\nType: album\nTitle: Ferien\nDescription: Sylt\nPhotos:\n- UID: pq1\n- UID: pq9\n- UID: pq3\n  Hidden: true\n";
        put(&place, &vec![
            file("originals/2012/IMG_1.jpg", photo_of(1, "2011:01:01 00:00:10")),
            file("originals/2012/IMG_2.jpg", photo(2)),
            file("storage/sidecar/2012/IMG_1.yml", one),
            file("storage/sidecar/2012/IMG_2.yml", two),
            file("storage/sidecar/2012/IMG_1.jpg.jpg", photo(99)),
            file("storage/albums/album/aq1.yml", album),
            file("storage/albums/month/aq2.yml", "UID: aq2\nType: month\nTitle: July 2012\n"),
            file("storage/cache/thumbnails/a.jpg", photo(98)),
        ]);
        let report = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.problem_count, report.hidden), ("photoprism", 0, 1), "{report:?}");
        assert_eq!(counts(&report), [2, 2, 0, 0, 0, 2], "{report:?}");
        let first = named(&home, "IMG_1.jpg").await;
        assert_eq!(first.title.as_deref(), Some("2012"));
        let said = said(&home, first.id).await;
        let of_photoprism: Vec<&String> = said.iter().filter(|said| said.contains("photoprism")).collect();
        assert_eq!(of_photoprism, [
            r#"date photoprism:TakenAtLocal "2012-07-01T12:00:00""#,
            r#"tag photoprism:Keywords "meer""#,
            r#"tag photoprism:Keywords "oma""#,
            r#"title photoprism:Title "2012""#,
        ]);
        assert_eq!(first.date.map(|date| date.to_string()).as_deref(), Some("2012-07-01T12:00:00"));
        assert_eq!(albums(&home).await, ["Favourites (PhotoPrism): IMG_1.jpg", "Ferien: IMG_1.jpg"]);
    }

    async fn a_plain_folder_is_copied_with_what_describes_it(home: Home) {
        let place = home.place.path().join("Bilder");
        // Longer than what is read into memory.
        let long: Vec<u8> = (0..9_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        put(&place, &vec![
            file("Am Meer/Strand.jpg", photo(1)),
            file("Am Meer/Strand.xmp", xmp("Am Strand")),
            file("Am Meer/settings.json", "{}"),
            file("Am Meer/.DS_Store", "x"),
            file("Am Meer/film.bin", long.clone()),
        ]);
        let report = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.problem_count), ("folder", 0), "{report:?}");
        assert_eq!(counts(&report), [3, 3, 0, 0, 0, 0], "{report:?}");
        let asset = named(&home, "Strand.jpg").await;
        assert_eq!(asset.title.as_deref(), Some("Am Strand"));
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(bytes_of(&home, &asset).await, photo(1));
        let film = named(&home, "film.bin").await;
        assert!(bytes_of(&home, &film).await == long, "other bytes");
        let data = fs::read_dir(&home.ctx.data_folder).unwrap();
        let left = data.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("import-"));
        assert_eq!(left.count(), 0);
    }

    async fn what_cannot_be_imported_is_refused_before_anything_is_done(home: Home) {
        let place = home.place.path().join("notes.txt");
        fs::write(&place, "Dear Anna").unwrap();
        let inside = home.ctx.data_folder.join("blobs");
        fs::create_dir_all(&inside).unwrap();
        let nowhere = home.place.path().join("nowhere");
        let refused = async |path: PathBuf| take_in(&home, &[&path], None, false).await.unwrap_err();
        let refused = [refused(place).await, refused(nowhere).await, refused(inside).await];
        let is_told = matches!(
            refused,
            [ImportError::Unreadable { .. }, ImportError::Missing(_), ImportError::InDataFolder(_)]
        );
        assert!(is_told, "{refused:?}");
    }
}

#[test]
fn a_file_that_is_packed_like_a_trap_is_refused_unread() {
    // What a zip says of a file's length is believed only as far as it makes sense.
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file(
            "Takeout/Google Photos/bomb.jpg",
            SimpleFileOptions::default(),
        )
        .unwrap();
    let block = vec![0; 1024 * 1024];
    for _ in 0..300 {
        writer.write_all(&block).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    crate::harness::run_on(heirloom_db::Engine::Sqlite, async |home: Home| {
        let path = home.place.path().join("takeout-bomb.zip");
        fs::write(&path, &bytes).unwrap();
        let report = take_in(&home, &[&path], None, false).await.unwrap();
        assert_eq!(
            (report.originals, report.problem_count),
            (0, 1),
            "{report:?}"
        );
        assert!(report.problems[0].why.what.contains("a trap"), "{report:?}");
        assert_eq!(report.problems[0].why.code, ProblemCode::TooDense);
    });
}
