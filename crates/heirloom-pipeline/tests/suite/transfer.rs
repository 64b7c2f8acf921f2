//! What leaves a library comes back equal, and whatever goes wrong on the way loses nothing.

mod kept;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use heirloom_core::{
    AccountId, Actor, AssetId,
    audience::Sight,
    claim::{ClaimKind, Statement},
    role::Role,
};
use heirloom_db::{claim::NewClaim, collection::NewCollection};
use heirloom_pipeline::{
    export::{ExportError, ExportReport, Meter, ProblemCode, check_export, export},
    import::{self, ImportError, check_import, import},
    purge::purge_assets,
};
use heirloom_testing::TreeSnapshot;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Home, OPERATOR, flip_a_byte, on_both_engines, photo, photo_of, rot, xmp};

fn folder(home: &Home, name: &str) -> PathBuf {
    home.place.path().join(name)
}

async fn out(home: &Home, to: &Path) -> Result<ExportReport, ExportError> {
    let to = check_export(&home.ctx, &home.family, to).await?;
    let stop = CancellationToken::new();
    export(&home.ctx, &home.family, &to, None, &stop, &Arc::default()).await
}

async fn take_in(home: &Home, from: &Path) -> Result<import::Report, ImportError> {
    let from = check_import(&home.ctx, &[from.to_owned()], None).await?;
    let stop = CancellationToken::new();
    import(
        &home.ctx,
        &home.family,
        &from,
        false,
        &stop,
        &Arc::default(),
    )
    .await
}

/// The files of an export that say something of the library, without whose it is.
fn payload(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{below}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &path, files);
            } else {
                files.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&folder.join("data"), "data", &mut files);
    let library = files.remove("data/metadata/library.json").unwrap();
    let library: Json = serde_json::from_slice(&library).unwrap();
    files.insert(
        "audiences".to_owned(),
        library["audiences"].to_string().into_bytes(),
    );
    files
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (payload(one), payload(other));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    for (path, bytes) in &one {
        let texts = [bytes, &other[path]].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(texts[0], texts[1], "{path}");
    }
}

/// What the catalogue says, without what it is called and where it lies here.
async fn said(home: &Home) -> Vec<String> {
    let parts = [
        "asset ",
        "claim ",
        "collection_member ",
        "asset_sidecar ",
        "place ",
        "map_cell ",
    ];
    let lines = home.ctx.db.dump().await.unwrap();
    let mut lines: Vec<String> = lines
        .into_iter()
        .filter(|line| parts.iter().any(|part| line.starts_with(part)))
        // Of a link only what it is of and its name: the folder is another one here.
        .map(|line| match line.strip_prefix("asset_sidecar ") {
            Some(link) => {
                let (asset, path) = link.split_once(' ').unwrap();
                format!("asset_sidecar {asset} {}", path.rsplit(' ').next().unwrap())
            }
            None => line.replace(" Home", " the family"),
        })
        .collect();
    lines.sort();
    lines
}

async fn claim_as(
    home: &Home,
    actor: &Actor,
    asset: AssetId,
    kind: ClaimKind,
    value: Json,
    is_negation: bool,
) -> heirloom_core::ClaimId {
    let claim = NewClaim {
        statement: Statement::from_json(kind, &value).unwrap(),
        is_negation,
        source: "album: page 3 <b>&\"".to_owned(),
        confidence: 0.7,
    };
    home.ctx
        .db
        .make_claim(actor, asset, claim)
        .await
        .unwrap()
        .id
}

/// A library with something of everything that is kept.
async fn full(home: &Home) {
    home.write("Am Meer/Strand.jpg", photo_of(1, "1974:07:01 10:00:00"));
    home.write("Am Meer/Strand.jpg.xmp", xmp("Am Strand"));
    home.photo("Am Meer/Düne.jpg", 2);
    home.photo("edited.jpg", 3);
    home.photo("gone.jpg", 4);
    home.photo("deleted.jpg", 5);
    home.photo("purged.jpg", 6);
    home.photo("same.JPG", 7);
    home.photo("Same.jpg", 8);
    home.photo("what? \"when\" <then>|*: 100%.jpg", 9);
    home.photo("CON.jpg", 10);
    home.photo("line\nbreak.jpg", 11);
    home.photo("<script>alert(1)</script>.jpg", 12);
    home.photo(&format!("{}.jpg", "ä".repeat(120)), 13);
    home.write("IMG_1.jpg", photo_of(14, "2008:10:22 16:28:39"));
    home.write("IMG_1.cr2", photo_of(15, "2008:10:22 16:28:39"));
    home.photo("copy of Düne.jpg", 2);
    {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"M\xfcller\\1.jpg");
        fs::write(home.library.join(name), photo(16)).unwrap();
    }
    home.scan().await;
    let db = &home.ctx.db;
    let strand = home.asset("Am Meer/Strand.jpg").await.id;
    let dune = home.asset("Am Meer/Düne.jpg").await.id;
    let edited = home.asset("edited.jpg").await.id;
    home.say(edited, ClaimKind::Title, "As it was").await;
    home.write("edited.jpg", photo(30));
    home.remove("gone.jpg");
    home.rename("CON.jpg", "moved/CON.jpg");
    let (deleted, purged) = (
        home.asset("deleted.jpg").await.id,
        home.asset("purged.jpg").await.id,
    );
    home.scan().await;
    for id in [deleted, purged] {
        db.delete_asset(OPERATOR, id, None, true).await.unwrap();
    }
    purge_assets(&home.ctx, &[purged]).await.unwrap();

    let member = Actor::Member {
        family_id: home.family.id,
        account_id: AccountId::from_parts(1_000, [7; 10]),
        role: Role::Owner,
        sight: Sight::Audiences(vec![home.family.audience_id]),
    };
    let member = &member;
    claim_as(
        home,
        member,
        strand,
        ClaimKind::Person,
        json!("Oma & \"Opa\""),
        false,
    )
    .await;
    claim_as(
        home,
        OPERATOR,
        strand,
        ClaimKind::Title,
        json!("Am Strand"),
        true,
    )
    .await;
    claim_as(
        home,
        OPERATOR,
        strand,
        ClaimKind::Caption,
        json!("two\nlines </script>"),
        false,
    )
    .await;
    claim_as(home, OPERATOR, strand, ClaimKind::Rating, json!(5), false).await;
    claim_as(home, member, dune, ClaimKind::Date, json!("195X~"), false).await;
    claim_as(home, OPERATOR, dune, ClaimKind::Place, json!("Sylt"), false).await;
    let position = json!({ "latitude": 54.9, "longitude": 8.3, "altitude_m": -1.5 });
    claim_as(home, OPERATOR, dune, ClaimKind::Position, position, false).await;
    let undone = claim_as(
        home,
        OPERATOR,
        dune,
        ClaimKind::Tag,
        json!("taken back"),
        false,
    )
    .await;
    db.undo_claim(OPERATOR, dune, undone, true).await.unwrap();

    let few = db
        .create_audience(OPERATOR, home.family.id, "the parents")
        .await
        .unwrap();
    let collection = |name: &str, audience_id, query: Option<&str>, assets| NewCollection {
        name: name.to_owned(),
        description: "what it is about & <why>".to_owned(),
        query: query.map(|query| query.parse().unwrap()),
        audience_id,
        assets,
    };
    let all = home.family.audience_id;
    let wanted = [
        collection("By hand", all, None, vec![dune, strand, deleted]),
        collection("For few", few, None, vec![strand]),
        collection("Searched", all, Some("strand"), vec![]),
        collection("Frozen", all, Some("type:image"), vec![]),
        collection("Deleted", all, None, vec![dune]),
    ];
    for (number, new) in wanted.into_iter().enumerate() {
        let made = db
            .create_collection_once(OPERATOR, home.family.id, new, None)
            .await
            .unwrap();
        match number {
            0 => {
                db.move_member(OPERATOR, made.id, strand, Some(dune))
                    .await
                    .unwrap();
            }
            3 => {
                db.freeze_collection(OPERATOR, made.id, None).await.unwrap();
            }
            4 => {
                db.delete_collection(OPERATOR, made.id, None, true)
                    .await
                    .unwrap();
            }
            _ => {}
        }
    }
}

on_both_engines! {
    async fn what_leaves_a_library_comes_back_equal(home: Home) {
        full(&home).await;
        let before = TreeSnapshot::of(&home.library);
        let (first, second) = (folder(&home, "first"), folder(&home, "second"));
        let report = out(&home, &first).await.unwrap();
        let missing: Vec<&str> = report.problems.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(missing, ["gone.jpg"], "{report:?}");
        assert_eq!(report.copied, report.originals);
        assert_eq!(TreeSnapshot::of(&home.library), before, "originals are read and never written");
        let all = payload(&first);
        assert!(!all.keys().any(|path| path.contains("purged")), "{:?}", all.keys());

        let other = home.twin().await;
        let taken = take_in(&other, &first).await.unwrap();
        assert_eq!((taken.added, taken.problem_count), (report.assets, 0), "{taken:?}");
        assert_eq!(said(&other).await, said(&home).await);
        out(&other, &second).await.unwrap();
        assert_same(&first, &second);

        // A second time brings nothing.
        let rows = other.ctx.db.dump_rows().await.unwrap();
        let again = take_in(&other, &first).await.unwrap();
        assert_eq!((again.added, again.completed, again.collections, again.stacks), (0, 0, 0, 0));
        assert_eq!(again.known, report.assets);
        assert_eq!(other.ctx.db.dump_rows().await.unwrap(), rows);
    }

    async fn an_export_that_was_stopped_goes_on_and_leaves_no_half_file(home: Home) {
        full(&home).await;
        let (whole, broken) = (folder(&home, "whole"), folder(&home, "broken"));
        let all = out(&home, &whole).await.unwrap();
        let to = check_export(&home.ctx, &home.family, &broken).await.unwrap();
        // Dropped in the middle, as a kill does, and told to stop, at many a moment.
        for moment in 0..40_u64 {
            let (stop, meter) = (CancellationToken::new(), Arc::<Meter>::default());
            let going = export(&home.ctx, &home.family, &to, None, &stop, &meter);
            if moment % 2 == 0 {
                let _ = tokio::time::timeout(Duration::from_micros(moment * 900), going).await;
            } else {
                tokio::pin!(going);
                let ended = loop {
                    tokio::select! {
                        ended = &mut going => break ended,
                        () = tokio::task::yield_now() => {
                            if meter.files_done.load(Ordering::Relaxed) >= moment / 4 {
                                stop.cancel();
                            }
                        }
                    }
                };
                assert!(matches!(ended, Ok(_) | Err(ExportError::Cancelled | ExportError::Busy(_))), "{ended:?}");
            }
            if to.exists() {
                for (path, bytes) in payload_so_far(&to) {
                    let known = fs::read(whole.join(&path)).unwrap_or_default();
                    assert!(path.contains("metadata") || known == bytes, "half of {path}");
                }
            }
        }
        // Somebody may still be writing who was dropped.
        let last = loop {
            match out(&home, &to).await {
                Err(ExportError::Busy(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                ended => break ended.unwrap(),
            }
        };
        assert_eq!(last.originals, all.originals);
        assert!(!to.join("unfinished").exists());
        assert_same(&whole, &to);
        let again = out(&home, &to).await.unwrap();
        assert_eq!(again.copied, 0, "what is there is not copied again");
    }

    async fn whoever_comes_while_an_export_ends_waits_or_goes_on_with_it(home: Home) {
        home.photo("one.jpg", 1);
        home.scan().await;
        let to = folder(&home, "out");
        let again = async || {
            let mut ended = 0;
            for _ in 0..60 {
                match out(&home, &to).await {
                    Ok(_) => ended += 1,
                    Err(ExportError::Busy(_)) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error:?}"),
                }
            }
            ended
        };
        let ended = tokio::join!(again(), again(), again());
        assert!(ended.0 + ended.1 + ended.2 > 0);
        out(&home, &to).await.unwrap();
        assert!(!to.join("unfinished").exists());
    }

    async fn an_export_is_brought_up_to_date_and_forgets_what_was_purged(home: Home) {
        home.photo("stays.jpg", 1);
        home.photo("goes.jpg", 2);
        home.scan().await;
        let to = folder(&home, "out");
        out(&home, &to).await.unwrap();
        let goes = home.asset("goes.jpg").await.id;
        home.ctx.db.delete_asset(OPERATOR, goes, None, true).await.unwrap();
        purge_assets(&home.ctx, &[goes]).await.unwrap();
        home.photo("comes.jpg", 3);
        home.scan().await;
        let report = out(&home, &to).await.unwrap();
        assert_eq!((report.originals, report.copied), (2, 1));
        let names: Vec<String> = payload(&to).into_keys().filter(|it| it.ends_with(".jpg")).collect();
        assert_eq!(names, ["data/originals/library/comes.jpg", "data/originals/library/stays.jpg"]);
        let text = String::from_utf8_lossy(&fs::read(to.join("manifest-sha512.txt")).unwrap()).into_owned();
        assert!(!text.contains("goes"), "{text}");
        assert!(!text.contains('%'));
    }

    async fn what_is_damaged_is_named_and_the_rest_is_exported(home: Home) {
        home.photo("sound.jpg", 1);
        home.photo("rotten.jpg", 2);
        home.scan().await;
        rot(&home, "rotten.jpg").await;
        let to = folder(&home, "out");
        let report = out(&home, &to).await.unwrap();
        assert_eq!((report.originals, report.problem_count), (1, 1));
        assert_eq!(report.problems[0].name, "rotten.jpg");
        assert!(report.problems[0].why.what.contains("no longer those"), "{report:?}");
        assert_eq!(report.problems[0].why.code, ProblemCode::Damaged);
        assert!(!to.join("data/originals/library/rotten.jpg").exists());
        assert!(to.join("data/originals/library/sound.jpg").exists());
    }

    async fn a_sound_copy_is_exported_in_the_place_of_a_damaged_one(home: Home) {
        home.photo("a/first.jpg", 1);
        home.photo("b/second.jpg", 1);
        home.scan().await;
        rot(&home, "a/first.jpg").await;
        let to = folder(&home, "out");
        let report = out(&home, &to).await.unwrap();
        assert_eq!((report.originals, report.problem_count), (1, 0), "{report:?}");
        let files: Vec<Vec<u8>> = payload(&to).into_iter()
            .filter_map(|(path, bytes)| path.ends_with(".jpg").then_some(bytes)).collect();
        assert_eq!(files, [photo(1)]);
        // Without a sound one it is named.
        rot(&home, "b/second.jpg").await;
        let bare = folder(&home, "bare");
        let report = out(&home, &bare).await.unwrap();
        assert_eq!((report.originals, report.problem_count), (0, 1), "{report:?}");
    }

    async fn nothing_is_written_where_something_else_is(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        let (other, used) = (home.twin().await, folder(&home, "used"));
        fs::create_dir(&used).unwrap();
        fs::write(used.join("diary.txt"), "mine").unwrap();
        let theirs = folder(&home, "theirs");
        out(&other, &theirs).await.unwrap();
        let inside = home.library.join("export");
        let data = home.ctx.data_folder.join("export");
        for (path, words) in [
            (&used, "is not empty"),
            (&theirs, "is not empty"),
            (&inside, "in the archive"),
            (&data, "in the data folder"),
            (&used.join("diary.txt"), "is not a folder"),
        ] {
            let refused = out(&home, path).await.unwrap_err();
            assert!(refused.to_string().contains(words), "{refused}");
        }
        assert!(!inside.exists() && !data.exists());
        assert_eq!(fs::read_to_string(used.join("diary.txt")).unwrap(), "mine");
    }

    async fn a_damaged_export_is_named_file_by_file_and_can_be_mended(home: Home) {
        full(&home).await;
        let whole = folder(&home, "whole");
        out(&home, &whole).await.unwrap();
        let other = home.twin().await;
        let strand = whole.join("data/originals/library/Am Meer/Strand.jpg");
        let bytes = fs::read(&strand).unwrap();
        flip_a_byte(&strand);
        let dune = whole.join("data/originals/library/copy of Düne.jpg");
        fs::rename(&dune, whole.join("kept")).unwrap();
        let taken = take_in(&other, &whole).await.unwrap();
        let named: Vec<&str> = taken.problems.iter().map(|it| it.name.as_str()).collect();
        assert!(named.contains(&"data/originals/library/Am Meer/Strand.jpg"), "{named:?}");
        assert!(named.contains(&"data/originals/library/copy of Düne.jpg"), "{named:?}");
        // What is said of them is here, and their bytes come once they are mended.
        fs::write(&strand, bytes).unwrap();
        fs::rename(whole.join("kept"), &dune).unwrap();
        let taken = take_in(&other, &whole).await.unwrap();
        assert_eq!((taken.problem_count, taken.completed), (0, 2), "{taken:?}");
        assert_eq!(said(&other).await, said(&home).await);
        // Without a manifest that can be believed, nothing is.
        let manifest = whole.join("manifest-sha512.txt");
        flip_a_byte(&manifest);
        let refused = take_in(&home.twin().await, &whole).await.unwrap_err();
        assert!(refused.to_string().contains("manifest is damaged"), "{refused}");
        for name in ["bagit.txt", "data/metadata/library.json"] {
            fs::remove_file(whole.join(name)).unwrap();
            let refused = take_in(&other, &whole).await.unwrap_err();
            assert!(refused.to_string().contains("is no export"), "{refused}");
        }
    }

    async fn an_import_that_was_killed_is_done_once_more_with_the_same_end(home: Home) {
        full(&home).await;
        let from = folder(&home, "from");
        out(&home, &from).await.unwrap();
        let mut other = home.twin().await;
        let what = check_import(&other.ctx, std::slice::from_ref(&from), None).await.unwrap();
        for moment in 0..12_u64 {
            let stop = CancellationToken::new();
            let meter = Arc::<Meter>::default();
            let going = import(&other.ctx, &other.family, &what, false, &stop, &meter);
            let _ = tokio::time::timeout(Duration::from_millis(moment * 4), going).await;
            other.reopen().await;
        }
        take_in(&other, &from).await.unwrap();
        assert_eq!(said(&other).await, said(&home).await);
        let again = folder(&home, "again");
        out(&other, &again).await.unwrap();
        assert_same(&from, &again);
    }

    async fn what_is_here_stays_as_it_is(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 2);
        home.photo("c.jpg", 3);
        home.scan().await;
        home.say(home.asset("a.jpg").await.id, ClaimKind::Title, "said there").await;
        let from = folder(&home, "from");
        out(&home, &from).await.unwrap();
        // The same originals, catalogued by somebody else; one of them they never want to see again.
        let other = home.twin().await;
        other.scan().await;
        let (a, c) = (other.asset("a.jpg").await, other.asset("c.jpg").await);
        other.say(a.id, ClaimKind::Title, "said here").await;
        other.ctx.db.delete_asset(OPERATOR, c.id, None, true).await.unwrap();
        purge_assets(&other.ctx, &[c.id]).await.unwrap();
        let taken = take_in(&other, &from).await.unwrap();
        assert_eq!((taken.added, taken.passed_over), (0, 1), "{taken:?}");
        let now = other.get(a.id).await;
        assert_eq!((now.title.as_deref(), now.content_hash), (Some("said here"), a.content_hash));
        let claims = other.claims(a.id).await;
        assert!(claims.contains(&"title said there".to_owned()), "{claims:?}");
        assert_eq!(other.assets().await.len(), 2);
    }
}

/// What has its own name in an export that may not be finished.
fn payload_so_far(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.join("data/originals")];
    while let Some(below) = folders.pop() {
        let Ok(entries) = fs::read_dir(&below) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.insert(name, bytes);
            }
        }
    }
    found
}
