//! What other programs know of pictures beyond what lies beside them: databases, marks, folders of any name.

use std::io::Write as _;

use heirloom_db::stack::StackKind;

use super::{albums, bytes_of, counts, file, named, notes, put, said, take_in, takeout, zip};
use crate::harness::{OPERATOR, on_both_engines, photo, xmp};

on_both_engines! {
    async fn of_photoprism_comes_what_lies_in_folders_of_any_name(home: Home) {
        let pictures = home.place.path().join("Pictures");
        let storage = home.place.path().join("docker/photoprism/storage");
        put(&pictures, &vec![
            file("2012/IMG_1.jpg", photo(1)),
            file("2012/originals/IMG_2.jpg", photo(2)),
            file("storage box/IMG_3.jpg", photo(3)),
        ]);
        put(&storage, &vec![
            file("sidecar/2012/IMG_1.yml", "UID: pq1\nTitle: Sylt\nTitleSrc: manual\nPrivate: true\n"),
            file("sidecar/2012/originals/IMG_2.yml", "UID: pq2\nCaption: Oma\nCaptionSrc: manual\n"),
            file("sidecar/storage box/IMG_3.yml", "UID: pq3\n"),
            file("backup/albums/album/aq1.yml", "UID: aq1\nType: album\nTitle: Ferien\nPhotos:\n- UID: pq2\n- UID: pq1\n"),
            file("backup/mysql/2024-01-01.sql", "--"),
        ]);
        let report = take_in(&home, &[&pictures, &storage], None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.problem_count, report.originals_alone), ("photoprism", 0, 0), "{report:?}");
        assert_eq!(counts(&report), [3, 3, 0, 0, 0, 2], "{report:?}");
        assert_eq!(named(&home, "IMG_1.jpg").await.title.as_deref(), Some("Sylt"));
        let second = named(&home, "IMG_2.jpg").await;
        assert_eq!(said(&home, second.id).await, [r#"caption photoprism:Caption "Oma""#]);
        assert_eq!(albums(&home).await, ["Ferien: IMG_2.jpg, IMG_1.jpg", "Private (PhotoPrism): IMG_1.jpg"]);
    }

    async fn what_only_immich_s_database_knows_comes_from_its_dump(home: Home) {
        let place = home.place.path().join("library");
        let packed = |text: &str| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap()
        };
        let dump = r#"--
-- PostgreSQL database dump
COPY public.asset (id, "originalPath", "originalFileName", "localDateTime", "fileCreatedAt", "isFavorite", visibility, "deletedAt", status, "livePhotoVideoId") FROM stdin;
a1	/data/upload/u1/ab/cd/abcd.jpg	IMG_1.HEIC	2012-07-01 14:00:00+00	2012-07-01 12:00:00+00	t	timeline	\N	active	a2
a2	/data/upload/u1/ef/01/ef01.mov	IMG_1.MOV	2012-07-01 14:00:00+00	2012-07-01 12:00:00+00	f	hidden	\N	active	\N
a3	/data/library/anna/2012/IMG_2.jpg	IMG_2.jpg	2012-07-02 14:00:00+00	2012-07-02 12:00:00+00	f	archive	\N	active	\N
a4	/data/library/karl/2012/IMG_2.jpg	IMG_2.jpg	2012-07-03 14:00:00+00	2012-07-03 12:00:00+00	f	timeline	2024-01-01 00:00:00+00	trashed	\N
a5	/data/library/karl/2012/GONE.jpg	GONE.jpg	2012-07-03 14:00:00+00	2012-07-03 12:00:00+00	f	locked	\N	active	\N
\.
COPY public.asset_exif ("assetId", description, latitude, longitude, "dateTimeOriginal", rating, "lockedProperties") FROM stdin;
a1	Oma am Meer	54.5	8.25	2012-07-01 12:00:00+00	5	{description,dateTimeOriginal}
\.
COPY public.album (id, "albumName", description, "deletedAt") FROM stdin;
b1	Ferien	Sylt	\N
\.
COPY public.album_asset ("albumId", "assetId") FROM stdin;
b1	a3
b1	a1
b1	a5
\.
COPY public.person (id, name) FROM stdin;
p1	Oma
\.
COPY public.asset_face ("assetId", "personId", "deletedAt", "isVisible") FROM stdin;
a1	p1	\N	t
\.
COPY public.tag (id, value) FROM stdin;
t1	Reisen/Sylt
\.
COPY public.tag_asset ("assetId", "tagId") FROM stdin;
a3	t1
\.
"#;
        put(&place, &vec![
            file("upload/u1/ab/cd/abcd.jpg", photo(1)),
            file("upload/u1/ef/01/ef01.mov", "not really a film"),
            file("library/anna/2012/IMG_2.jpg", photo(2)),
            file("library/anna/2012/IMG_2.jpg.xmp", xmp("Am Meer")),
            file("library/karl/2012/IMG_2.jpg", photo(3)),
            file("library/karl/profile/IMG_9.jpg", photo(9)),
            file("thumbs/u1/ab/cd/abcd-preview.jpeg", photo(4)),
            file("backups/immich-db-backup-20260101T020000-v2.4.0-pg14.19.sql.gz", packed(&dump.replace("Oma am Meer", "Older"))),
            file("backups/immich-db-backup-20260201T020000-v2.4.0-pg14.19.sql.gz", packed(dump)),
        ]);
        let report = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!((report.source.as_str(), report.left_out, report.problem_count), ("immich", 2, 0), "{report:?}");
        assert_eq!(counts(&report), [5, 5, 0, 0, 0, 3], "{report:?}");
        assert_eq!((report.hidden, report.stacks, report.sidecars_alone, report.originals_alone), (1, 1, 1, 1), "{report:?}");
        assert_eq!(notes(&report), [
            "/data/library/karl/2012/GONE.jpg: a table describes it, and it is not here",
            "a5: it is in the album \"Ferien\", and it is not here",
            "library/library/karl/profile/IMG_9.jpg: nothing describes it",
        ]);
        let first = named(&home, "IMG_1.HEIC").await;
        assert_eq!(bytes_of(&home, &first).await, photo(1));
        let of_immich: Vec<String> = said(&home, first.id).await.into_iter().filter(|said| said.contains("immich")).collect();
        assert_eq!(of_immich, [
            r#"caption immich:description "Oma am Meer""#,
            r#"date immich:localDateTime "2012-07-01T14:00:00+02:00""#,
            r#"person immich:people "Oma""#,
            r#"position immich:latitude {"latitude":54.5,"longitude":8.25}"#,
            r#"rating immich:rating 5"#,
        ]);
        let stacks = home.ctx.db.list_stacks(OPERATOR, &first).await.unwrap();
        assert_eq!((stacks[0].kind, stacks[0].cover_asset_id), (StackKind::LivePhoto, first.id));
        assert_eq!(albums(&home).await, [
            "Archived (Immich): IMG_2.jpg",
            "Favourites (Immich): IMG_1.HEIC",
            "Ferien: IMG_2.jpg, IMG_1.HEIC",
        ]);
        let lines = home.ctx.db.dump_rows().await.unwrap();
        let again = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!((again.claims, again.added), (0, 0), "{again:?}");
        assert_eq!(home.ctx.db.dump_rows().await.unwrap(), lines);
    }

    async fn what_systems_and_others_leave_among_pictures_is_counted_and_stays_out(home: Home) {
        let zipped = home.place.path().join("Bilder.zip");
        zip(&zipped, &vec![
            file("Bilder/IMG_1.jpg", photo(1)),
            file("Bilder/.DS_Store", "x"),
            file("Bilder/Thumbs.db", "x"),
            file("__MACOSX/Bilder/._IMG_1.jpg", "x"),
        ]);
        let place = home.place.path().join("NAS");
        put(&place, &vec![
            file("IMG_2.jpg", photo(2)),
            file(".DS_Store", "x"),
            file("@eaDir/IMG_2.jpg/SYNOPHOTO_THUMB_XL.jpg", photo(3)),
            file("#recycle/IMG_4.jpg", photo(4)),
        ]);
        let report = take_in(&home, &[&zipped, &place], None, false).await.unwrap();
        assert_eq!(counts(&report), [2, 2, 0, 0, 0, 0], "{report:?}");
        assert_eq!(report.left_out, 6, "{report:?}");
        let left = "left out with all that is in it: a trash, or made by a system or another program for itself";
        assert_eq!(notes(&report), [format!("#recycle: {left}"), format!("@eaDir: {left}")]);
    }

    async fn a_takeout_s_archive_and_locked_folder_are_found_again(home: Home) {
        let place = home.place.path().join("Takeout");
        put(&place, &vec![
            file("Google Fotos/Fotos von 2012/A.jpg", photo(1)),
            file("Google Fotos/Fotos von 2012/A.jpg.supplemental-metadata.json", takeout("A.jpg", r#", "archived": true"#)),
            file("Google Fotos/Fotos von 2012/B.jpg", photo(2)),
            file("Google Fotos/Fotos von 2012/B.jpg.supplemental-metadata.json", takeout("B.jpg", r#", "inLockedFolder": true"#)),
            file("Google Fotos/Sylt/A.jpg", photo(1)),
            file("Google Fotos/Sylt/Metadaten.json", r#"{"title": "Sylt", "enrichments": [
                {"narrativeEnrichment": {"text": "Erster Tag"}},
                {"locationEnrichment": {"location": [{"name": "Westerland", "description": "Sylt"}]}}]}"#),
        ]);
        let report = take_in(&home, &[&place], None, false).await.unwrap();
        assert_eq!(report.problem_count, 0, "{report:?}");
        assert_eq!(albums(&home).await, ["Archived (Google Photos): A.jpg", "Private (Google Photos): B.jpg", "Sylt: A.jpg"]);
        let page = home.ctx.db.list_collections(OPERATOR, home.family.id, false, None, 100).await.unwrap();
        let sylt = page.items.into_iter().find(|it| it.name == "Sylt").unwrap();
        assert_eq!(sylt.description, "Erster Tag\nWesterland, Sylt");
    }
}
