//! What changes in a folder of originals, and what the catalogue makes of it.

use std::fs;

use heirloom_core::claim::ClaimKind::{Caption, Tag, Title};
use heirloom_db::{Engine, asset::AssetState};
use heirloom_pipeline::scan::{
    Outcome::{Copy, Gone, Moved, New, Replaced, Returned, Unchanged},
    ScanOptions,
};

use crate::harness::{Home, OPERATOR, on_both_engines, photo, photo_of, run_on, set_time};

on_both_engines! {
    async fn what_is_found_is_catalogued_with_what_it_says(home: Home) {
        home.write("1998 Sea/beach.jpg", photo_of(1, "1998:07:14 15:00:00"));
        home.write("notes.txt", "Grandmother's notes");
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("1998 Sea/beach.jpg", New), ("notes.txt", New)]);
        assert_eq!((scanned.report.files, scanned.report.folders, scanned.report.new), (2, 2, 2));
        let beach = home.asset("1998 Sea/beach.jpg").await;
        assert_eq!(beach.date.as_deref(), Some("1998-07-14T15:00:00"));
        assert_eq!((beach.width, beach.height, beach.media_type.as_str()), (Some(8), Some(8), "image/jpeg"));
        assert_eq!(home.claims(beach.id).await, ["camera_make Canon", "date 1998-07-14T15:00:00"]);
        let artifacts = home.ctx.db.list_artifacts(&beach).await.unwrap();
        let payload = artifacts[0].payload.clone().unwrap();
        assert_eq!((artifacts[0].tool.as_str(), &payload["type"]), ("metadata", &"JPEG".into()));
        assert_eq!(payload["facts"]["width"], 8);
    }

    async fn a_second_scan_changes_nothing(home: Home) {
        for number in 0..30 {
            home.photo(&format!("{}/{number}.jpg", number % 4), number / 2);
        }
        home.write("0/0.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>");
        home.scan().await;
        let before = home.ctx.db.dump_rows().await.unwrap();
        let scanned = home.scan().await;
        assert_eq!(scanned.report.unchanged, 31);
        assert_eq!(scanned.report.bytes_read, 0);
        assert_eq!(before, home.ctx.db.dump_rows().await.unwrap());
    }

    async fn a_renamed_file_is_the_same_asset(home: Home) {
        home.photo("DSC_1.jpg", 1);
        home.scan().await;
        let before = home.asset("DSC_1.jpg").await;
        home.say(before.id, Title, "Oma").await;
        home.rename("DSC_1.jpg", "Grandma.jpg");
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("DSC_1.jpg", Gone), ("Grandma.jpg", Moved)]);
        assert_eq!((scanned.report.new, scanned.report.moved, scanned.report.lost), (0, 1, 0));
        let after = home.asset("Grandma.jpg").await;
        assert_eq!((after.id, after.state), (before.id, AssetState::Present));
        assert_eq!((after.title.as_deref(), after.name.as_str()), (Some("Oma"), "Grandma.jpg"));
        let places = home.ctx.db.list_locations(&home.ctx.actor, after.family_id, after.id).await.unwrap();
        let places: Vec<_> = places.iter().map(|p| (p.path.as_str(), p.gone_at_ms.is_some())).collect();
        assert_eq!(places, [("DSC_1.jpg", true), ("Grandma.jpg", false)]);
    }

    async fn a_moved_folder_moves_everything_in_it(home: Home) {
        for number in 0..20 {
            home.photo(&format!("Old/{}/{number}.jpg", number % 3), number);
        }
        home.scan().await;
        let before = home.tree().await;
        home.rename("Old", "Albums/New");
        let scanned = home.scan().await;
        assert_eq!((scanned.report.moved, scanned.report.gone, scanned.report.new), (20, 20, 0));
        let after = home.tree().await;
        let moved = before.into_iter().map(|(path, id)| (path.replacen("Old/", "Albums/New/", 1), id));
        assert_eq!(after, moved.collect());
        home.rename("Albums/New", "Old");
        let scanned = home.scan().await;
        assert_eq!((scanned.report.moved, scanned.report.new), (20, 0), "and back into folders that were gone");
        assert_eq!(home.scan().await.report.unchanged, 20);
    }

    async fn a_deleted_file_is_missing_and_what_is_known_of_it_is_kept(home: Home) {
        home.photo("a/oma.jpg", 1);
        home.photo("opa.jpg", 2);
        home.scan().await;
        let oma = home.asset("a/oma.jpg").await;
        home.say(oma.id, Caption, "1944 in Prague").await;
        fs::remove_dir_all(home.path("a")).unwrap();
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a/oma.jpg", Gone), ("opa.jpg", Unchanged)]);
        assert_eq!((scanned.report.gone, scanned.report.lost), (1, 1));
        assert_eq!(home.get(oma.id).await.state, AssetState::Missing);
        assert_eq!(home.claims(oma.id).await, ["caption 1944 in Prague"]);
        home.photo("a/oma.jpg", 1);
        let scanned = home.scan().await;
        assert_eq!(scanned.outcome("a/oma.jpg"), Returned, "it is back, and was nowhere");
        assert_eq!(home.asset("a/oma.jpg").await.id, oma.id);
        assert_eq!(home.get(oma.id).await.state, AssetState::Present);
    }

    async fn copies_are_one_asset_in_several_places(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        home.photo("Best of/a (copy).jpg", 1);
        home.photo("z.jpg", 1);
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("Best of/a (copy).jpg", Copy), ("a.jpg", Unchanged), ("z.jpg", Copy)]);
        let tree = home.tree().await;
        assert!(tree.len() == 3 && tree.values().all(|id| *id == tree["a.jpg"]), "{tree:?}");
        home.remove("a.jpg");
        home.remove("z.jpg");
        let scanned = home.scan().await;
        assert_eq!((scanned.report.gone, scanned.report.lost), (2, 0), "it is still in one place");
        assert_eq!(home.asset("Best of/a (copy).jpg").await.name, "a (copy).jpg");
    }

    async fn copies_that_are_found_together_are_one_asset_too(home: Home) {
        for folder in ["a", "b", "c"] {
            home.photo(&format!("{folder}/x.jpg"), 1);
        }
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.copies), (1, 2));
        assert_eq!(home.assets().await.len(), 1);
    }

    async fn an_edited_file_is_a_new_asset_that_carries_what_people_said(home: Home) {
        home.write("a.jpg", photo_of(1, "1998:07:14 15:00:00"));
        home.scan().await;
        let old = home.asset("a.jpg").await;
        home.say(old.id, Title, "Oma at the sea").await;
        home.write("a.jpg", photo_of(2, "1999:01:01 10:00:00"));
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a.jpg", Replaced)]);
        let new = home.asset("a.jpg").await;
        assert_eq!((new.replaces_asset_id, new.title.as_deref()), (Some(old.id), Some("Oma at the sea")));
        assert_eq!(new.date.as_deref(), Some("1999-01-01T10:00:00"), "the machine's word is its own");
        let old = home.get(old.id).await;
        assert_eq!((old.state, old.title.as_deref()), (AssetState::Replaced, Some("Oma at the sea")));
        assert_eq!(home.assets().await.len(), 1, "the old one is reachable, and not listed");
        assert_eq!(home.scan().await.outcomes(), [("a.jpg", Unchanged)]);
    }

    async fn an_edit_that_is_taken_back_keeps_what_was_said_about_it(home: Home) {
        for round in 0..3 {
            home.photo("a.jpg", 1);
            home.scan().await;
            let first = home.asset("a.jpg").await;
            home.say(first.id, Tag, &format!("first {round}")).await;
            home.photo("a.jpg", 2);
            home.scan().await;
            let second = home.asset("a.jpg").await;
            assert_eq!(second.replaces_asset_id, Some(first.id));
            home.say(second.id, Tag, &format!("second {round}")).await;
        }
        home.photo("a.jpg", 3);
        home.scan().await;
        let third = home.asset("a.jpg").await.id;
        home.photo("a.jpg", 1);
        assert_eq!(home.scan().await.outcomes(), [("a.jpg", Returned)]);
        let first = home.asset("a.jpg").await;
        assert_eq!(first.replaces_asset_id, Some(third));
        let said: Vec<String> = home.claims(first.id).await.into_iter().filter(|c| c.contains("tag")).collect();
        assert_eq!(said.len(), 6, "each once: {said:?}");
        assert_eq!(home.get(third).await.state, AssetState::Replaced);
        assert_eq!(home.assets().await.len(), 1);
    }

    async fn an_edit_that_reaches_one_copy_after_the_other_keeps_what_was_said(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("backup/a.jpg", 1);
        home.scan().await;
        let old = home.asset("a.jpg").await.id;
        home.say(old, Title, "Oma").await;
        home.photo("a.jpg", 2);
        home.scan().await;
        let new = home.asset("a.jpg").await;
        assert_eq!((new.title.as_deref(), new.replaces_asset_id), (Some("Oma"), Some(old)));
        assert_eq!(home.get(old).await.state, AssetState::Present, "the copy is not edited yet");
        home.say(old, Tag, "said of the copy").await;
        home.photo("backup/a.jpg", 2);
        home.scan().await;
        assert_eq!(home.get(old).await.state, AssetState::Replaced);
        assert!(home.claims(new.id).await.concat().contains("said of the copy"));
        assert_eq!(home.claims(new.id).await.len(), home.claims(old).await.len());
    }

    async fn an_edit_is_one_also_when_the_last_old_copy_is_removed(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("backup/a.jpg", 1);
        home.scan().await;
        let old = home.asset("a.jpg").await.id;
        home.photo("a.jpg", 2);
        home.scan().await;
        home.say(old, Title, "Oma").await;
        home.remove("backup/a.jpg");
        home.scan().await;
        assert_eq!(home.get(old).await.state, AssetState::Replaced);
        assert_eq!(home.asset("a.jpg").await.title.as_deref(), Some("Oma"));
    }

    async fn an_editor_that_puts_the_original_aside_has_edited_it(home: Home) {
        let taken = "1998:07:14 15:00:00";
        for aside in ["a.jpg_original", ".picasaoriginals/a.jpg", "Originals/a.jpg"] {
            home.write("a.jpg", photo_of(1, taken));
            home.scan().await;
            let old = home.asset("a.jpg").await.id;
            home.say(old, Title, "Oma").await;
            home.rename("a.jpg", aside);
            home.write("a.jpg", photo_of(2, taken));
            home.scan().await;
            let new = home.asset("a.jpg").await;
            assert_eq!((new.title.as_deref(), new.replaces_asset_id), (Some("Oma"), Some(old)), "{aside}");
            assert_eq!(home.get(old).await.state, AssetState::Present, "{aside}: it is there");
            home.remove("a.jpg");
            home.remove(aside);
            home.write("something", "so that the folder is not empty");
            home.scan().await;
        }
    }

    async fn what_was_deleted_stays_so_when_its_file_is_written_anew(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        let old = home.asset("a.jpg").await.id;
        home.ctx.db.delete_asset(OPERATOR, old, None, true).await.unwrap();
        home.photo("a.jpg", 2);
        home.scan().await;
        assert_eq!(home.assets().await.len(), 0);
    }

    async fn a_date_in_a_name_goes_with_the_name(home: Home) {
        home.photo("20230101_scan.jpg", 1);
        home.scan().await;
        assert_eq!(home.asset("20230101_scan.jpg").await.date.as_deref(), Some("2023-01-01"));
        home.rename("20230101_scan.jpg", "Oma.jpg");
        home.scan().await;
        assert_eq!(home.asset("Oma.jpg").await.date, None);
        home.rename("Oma.jpg", "1944-01-02.jpg");
        home.scan().await;
        assert_eq!(home.asset("1944-01-02.jpg").await.date.as_deref(), Some("1944-01-02"));
        home.write("b/20230101_scan.jpg", std::fs::read(home.path("1944-01-02.jpg")).unwrap());
        home.remove("1944-01-02.jpg");
        home.scan().await;
        assert_eq!(home.asset("b/20230101_scan.jpg").await.date.as_deref(), Some("2023-01-01"));
        let id = home.asset("b/20230101_scan.jpg").await.id;
        home.rename("b/20230101_scan.jpg", "Oma.jpg");
        home.scan().await;
        assert_eq!(home.claims(id).await, Vec::<String>::new());
    }

    async fn what_was_gone_with_its_folder_is_back_again_when_that_is_mounted(home: Home) {
        home.photo("a/1.jpg", 1);
        home.photo("a/2.jpg", 2);
        home.photo("b/2 too.jpg", 2);
        home.scan().await;
        let before = home.tree().await;
        home.rename("a", "../a");
        home.rename("b", "../b");
        let options = ScanOptions { allow_empty: true, ..ScanOptions::default() };
        let scanned = home.scan_with(options).await.unwrap();
        assert_eq!((scanned.report.gone, scanned.report.lost), (3, 2));
        home.rename("../a", "a");
        home.rename("../b", "b");
        let scanned = home.scan().await;
        let all = [("a/1.jpg", Returned), ("a/2.jpg", Returned), ("b/2 too.jpg", Returned)];
        assert_eq!(scanned.outcomes(), all, "copies as well");
        assert_eq!((scanned.report.returned, scanned.report.moved, scanned.report.copies), (3, 0, 0));
        assert_eq!(home.tree().await, before);
        // To where it was once, but from somewhere else.
        home.rename("a/1.jpg", "c/1.jpg");
        assert_eq!(home.scan().await.outcome("c/1.jpg"), Moved);
        home.rename("c/1.jpg", "a/1.jpg");
        assert_eq!(home.scan().await.outcome("a/1.jpg"), Moved);
    }

    async fn what_was_replaced_and_restored_is_itself_again(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        let first = home.asset("a.jpg").await.id;
        home.photo("a.jpg", 2);
        home.scan().await;
        let second = home.asset("a.jpg").await.id;
        home.photo("a.jpg", 1);
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a.jpg", Returned)]);
        assert_eq!(home.asset("a.jpg").await.id, first);
        let states = (home.get(first).await.state, home.get(second).await.state);
        assert_eq!(states, (AssetState::Present, AssetState::Replaced));
        home.photo("a.jpg", 2);
        home.scan().await;
        let states = (home.get(first).await.state, home.get(second).await.state);
        assert_eq!(states, (AssetState::Replaced, AssetState::Present));
    }

    async fn two_files_that_swap_their_names_swap_their_places(home: Home) {
        for (a, b) in [("a.jpg", "b.jpg"), ("x/a.jpg", "y/b.jpg")] {
            home.photo(a, 1);
            home.photo(b, 2);
            home.scan().await;
            let (one, two) = (home.asset(a).await.id, home.asset(b).await.id);
            home.rename(a, "tmp");
            home.rename(b, a);
            home.rename("tmp", b);
            let scanned = home.scan().await;
            assert_eq!(scanned.outcomes().into_iter().filter(|(_, o)| *o == Moved).count(), 2);
            assert_eq!((home.asset(a).await.id, home.asset(b).await.id), (two, one));
            for id in [one, two] {
                let asset = home.get(id).await;
                assert_eq!((asset.state, asset.replaces_asset_id), (AssetState::Present, None));
            }
            fs::remove_dir_all(&home.library).unwrap();
            fs::create_dir(&home.library).unwrap();
            home.write("something", "so that the folder is not empty");
            home.scan().await;
        }
    }

    async fn two_files_of_one_size_and_time_that_swap_their_names_are_told_apart(home: Home) {
        for (name, bytes) in [("a", "one"), ("b", "two")] {
            home.write(name, bytes);
            set_time(&home.path(name), 1_000_000_000);
        }
        home.scan().await;
        let (one, two) = (home.asset("a").await.id, home.asset("b").await.id);
        home.rename("a", "tmp");
        home.rename("b", "a");
        home.rename("tmp", "b");
        assert_eq!(home.scan().await.report.moved, 2);
        assert_eq!((home.asset("a").await.id, home.asset("b").await.id), (two, one));
    }

    async fn a_hard_link_is_a_copy_of_what_is_still_there(home: Home) {
        home.photo("m.jpg", 1);
        home.scan().await;
        for name in ["a.jpg", "z.jpg"] {
            fs::hard_link(home.path("m.jpg"), home.path(name)).unwrap();
        }
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a.jpg", Copy), ("m.jpg", Unchanged), ("z.jpg", Copy)]);
    }

    async fn a_file_in_the_place_of_one_that_moved_replaces_nothing(home: Home) {
        // The old place comes before the new one in the walk, and after it.
        for (number, (old, new)) in [("m/a.jpg", "z/a.jpg"), ("m/b.jpg", "a/b.jpg")].into_iter().enumerate() {
            let number = number as u64 * 10;
            home.photo(old, number);
            home.scan().await;
            let moved = home.asset(old).await.id;
            home.say(moved, Title, "Oma").await;
            home.rename(old, new);
            home.photo(old, number + 1);
            home.scan().await;
            let (kept, other) = (home.asset(new).await, home.asset(old).await);
            assert_eq!((kept.id, kept.state, kept.title.as_deref()), (moved, AssetState::Present, Some("Oma")));
            assert_eq!((other.replaces_asset_id, other.title.as_deref()), (None, None), "{old} to {new}");
            assert_eq!(home.claims(other.id).await, Vec::<String>::new());
        }
    }

    async fn an_edit_of_each_copy_keeps_what_was_said(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 1);
        home.scan().await;
        let old = home.asset("a.jpg").await.id;
        home.say(old, Title, "Oma").await;
        home.photo("a.jpg", 2);
        home.scan().await;
        assert_eq!(home.get(old).await.state, AssetState::Present, "it is still at b.jpg");
        assert_eq!(home.asset("a.jpg").await.title.as_deref(), Some("Oma"));
        home.photo("a.jpg", 3);
        home.photo("b.jpg", 4);
        home.scan().await;
        assert_eq!(home.get(old).await.state, AssetState::Replaced);
        for name in ["a.jpg", "b.jpg"] {
            assert_eq!(home.asset(name).await.title.as_deref(), Some("Oma"), "{name}");
        }
    }

    async fn a_file_that_was_only_touched_is_read_and_is_the_same(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        let before = home.ctx.db.dump().await.unwrap();
        set_time(&home.path("a.jpg"), 1_000_000_000);
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a.jpg", Unchanged)]);
        assert!(scanned.report.bytes_read > 0);
        assert_eq!(before, home.ctx.db.dump().await.unwrap());
        assert_eq!(home.scan().await.report.bytes_read, 0, "its new time is known now");
    }

    async fn a_folder_of_more_files_than_are_asked_for_at_once_is_compared_name_by_name(home: Home) {
        // Files are asked for a thousand at a time: what happens is around those borders.
        let name = |number: u64| format!("{number:04}.jpg");
        for number in 0..2_345 {
            home.write(&name(number), number.to_string());
        }
        // The original is the last of its thousand, its sidecar the first of the next.
        home.write("0999.jpg.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>");
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.sidecars), (2_345, 1));
        let described = home.asset("0999.jpg").await.id;
        assert_eq!(home.ctx.db.list_sidecars(&home.ctx.actor, home.family.id, described).await.unwrap().len(), 1);
        let scanned = home.scan().await;
        assert_eq!((scanned.report.unchanged, scanned.report.bytes_read), (2_346, 0));

        let mut expected = home.tree().await;
        for number in [0, 998, 1_000, 1_001, 1_999, 2_000, 2_344] {
            home.remove(&name(number));
            expected.remove(&name(number));
        }
        for number in [1, 997, 1_002, 1_998, 2_001] {
            let new = format!("{number:04} renamed.jpg");
            home.rename(&name(number), &new);
            let asset = expected.remove(&name(number)).unwrap();
            expected.insert(new, asset);
        }
        let added = ["0999 added.jpg", "1999 added.jpg", "9999 added.jpg"];
        for name in added {
            home.write(name, name);
        }
        let report = home.scan().await.report;
        assert_eq!((report.gone, report.moved, report.new, report.lost), (12, 5, 3, 7));
        assert_eq!(report.unchanged, 2_346 - 12);
        let mut tree = home.tree().await;
        for name in added {
            assert!(tree.remove(name).is_some(), "{name}");
        }
        assert_eq!(tree, expected);
        assert_eq!(home.ctx.db.list_sidecars(&home.ctx.actor, home.family.id, described).await.unwrap().len(), 1);
        let options = ScanOptions { verify: true, ..ScanOptions::default() };
        let report = home.scan_with(options).await.unwrap().report;
        assert_eq!(report.unchanged, 2_346 - 12 + 8, "hashes are asked for in pages too");
    }

    async fn a_file_becomes_a_folder_and_a_folder_a_file(home: Home) {
        home.photo("a", 1);
        home.photo("b/c.jpg", 2);
        home.scan().await;
        let (a, c) = (home.asset("a").await.id, home.asset("b/c.jpg").await.id);
        home.rename("b/c.jpg", "tmp");
        fs::remove_dir(home.path("b")).unwrap();
        home.rename("a", "b");
        home.rename("tmp", "a/c.jpg");
        let scanned = home.scan().await;
        assert_eq!((scanned.report.moved, scanned.report.gone, scanned.report.lost), (2, 2, 0));
        assert_eq!((home.asset("b").await.id, home.asset("a/c.jpg").await.id), (a, c));
    }

    async fn a_new_name_with_a_date_dates_an_asset(home: Home) {
        home.photo("IMG_1.jpg", 1);
        home.scan().await;
        assert_eq!(home.asset("IMG_1.jpg").await.date, None);
        home.rename("IMG_1.jpg", "1944-03-12 Anna.jpg");
        home.scan().await;
        let asset = home.asset("1944-03-12 Anna.jpg").await;
        assert_eq!(asset.date.as_deref(), Some("1944-03-12"));
        let claims = home.ctx.db.list_claims(OPERATOR, asset.id).await.unwrap();
        assert!(claims[0].source.starts_with("name:") && claims[0].confidence < 0.5, "{claims:?}");
    }

    async fn what_was_removed_for_good_is_passed_over(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 2);
        home.scan().await;
        let id = home.asset("a.jpg").await.id;
        home.ctx.db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        heirloom_pipeline::purge::purge_assets(&home.ctx, &[id]).await.unwrap();
        let scanned = home.scan().await;
        assert_eq!(scanned.reason("a.jpg"), "removed for good");
        home.rename("b.jpg", "c.jpg");
        home.write("b.jpg", photo(1));
        let scanned = home.scan().await;
        assert_eq!(scanned.reason("b.jpg"), "removed for good", "also in the place of another");
        assert_eq!(home.tree().await.into_keys().collect::<Vec<_>>(), ["c.jpg"]);
    }
}

#[test]
fn whoever_may_not_see_an_original_does_not_see_its_edits() {
    run_on(Engine::Postgres, async |home: Home| {
        home.photo("m/edited.jpg", 1);
        home.photo("m/copied.jpg", 2);
        home.photo("z/copied.jpg", 2);
        home.photo("m/moved.jpg", 3);
        home.write("m/dated.jpg", photo_of(4, "1998:07:14 15:00:00"));
        home.scan().await;
        let sql = |statement: &str| home.database.as_ref().unwrap().sql(statement);
        let _ = sql(
            "INSERT INTO audience (id, family_id, kind, name, created_at_ms) \
             SELECT decode('00000000000000000000000000000001', 'hex'), id, 'members', 'us two', 0 FROM family",
        );
        let _ =
            sql("UPDATE asset SET audience_id = (SELECT id FROM audience WHERE name = 'us two')");
        let limited = home.asset("m/edited.jpg").await.audience_id;
        assert_ne!(limited, home.family.audience_id);
        home.photo("m/edited.jpg", 11);
        home.photo("m/copied.jpg", 12);
        for name in ["m/moved.jpg", "m/dated.jpg"] {
            home.rename(name, &name.replace("m/", "z/"));
        }
        home.photo("m/moved.jpg", 13);
        home.write("m/dated.jpg", photo_of(14, "1998:07:15 10:00:00"));
        home.scan().await;
        for (name, audience) in [
            ("m/edited.jpg", limited),
            ("m/copied.jpg", limited),
            ("z/moved.jpg", limited),
            // Nothing tells whether an editor put the original aside.
            ("m/moved.jpg", limited),
            ("z/dated.jpg", limited),
            // It only came into the place of one that moved.
            ("m/dated.jpg", home.family.audience_id),
        ] {
            assert_eq!(home.asset(name).await.audience_id, audience, "{name}");
        }
    });
}
