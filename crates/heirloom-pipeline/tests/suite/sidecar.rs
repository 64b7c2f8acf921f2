//! Files that describe originals beside them.

use heirloom_core::claim::ClaimKind::Title;
use heirloom_pipeline::scan::Outcome::{Gone, Moved, New, Returned, Sidecar, Unchanged};
use heirloom_testing::{media, tree::copy_tree};
use serde_json::Value as Json;

use crate::harness::{Home, OPERATOR, on_both_engines, xmp};

async fn title(home: &Home, path: &str) -> Option<String> {
    home.asset(path).await.title
}

async fn sidecars(home: &Home, path: &str) -> Vec<String> {
    let asset = home.asset(path).await.id;
    let sidecars = home
        .ctx
        .db
        .list_sidecars(&home.ctx.actor, home.family.id, asset)
        .await
        .unwrap();
    sidecars.into_iter().map(|sidecar| sidecar.name).collect()
}

on_both_engines! {
    async fn a_sidecar_describes_what_is_beside_it_for_as_long_as_it_is_there(home: Home) {
        home.photo("a.jpg", 1);
        home.photo("b.jpg", 2);
        home.scan().await;
        assert_eq!(title(&home, "a.jpg").await, None);
        home.write("a.xmp", xmp("Oma"));
        let scanned = home.scan().await;
        assert_eq!(scanned.outcomes(), [("a.jpg", Unchanged), ("a.xmp", Sidecar), ("b.jpg", Unchanged)]);
        assert_eq!((title(&home, "a.jpg").await.as_deref(), title(&home, "b.jpg").await), (Some("Oma"), None));
        assert_eq!(sidecars(&home, "a.jpg").await, ["a.xmp"]);
        home.write("a.xmp", xmp("Oma Hilde"));
        assert_eq!(home.scan().await.outcome("a.xmp"), Sidecar);
        assert_eq!(title(&home, "a.jpg").await.as_deref(), Some("Oma Hilde"));
        assert_eq!(home.claims(home.asset("a.jpg").await.id).await, ["title Oma Hilde"], "the old word is gone");
        let before = home.ctx.db.dump_rows().await.unwrap();
        assert_eq!(home.scan().await.outcome("a.xmp"), Unchanged);
        assert_eq!(before, home.ctx.db.dump_rows().await.unwrap());
        home.remove("a.xmp");
        assert_eq!(home.scan().await.outcome("a.xmp"), Gone);
        assert_eq!(title(&home, "a.jpg").await, None);
        assert_eq!(sidecars(&home, "a.jpg").await, Vec::<String>::new());
    }

    async fn a_person_outranks_a_sidecar(home: Home) {
        home.photo("a.jpg", 1);
        home.write("a.xmp", xmp("IMG 1"));
        home.scan().await;
        let id = home.asset("a.jpg").await.id;
        home.say(id, Title, "Oma").await;
        home.write("a.xmp", xmp("IMG 2"));
        home.scan().await;
        assert_eq!(home.claims(id).await, ["title IMG 2", "title Oma"]);
        assert_eq!(title(&home, "a.jpg").await.as_deref(), Some("Oma"));
    }

    async fn a_sidecar_follows_the_file_that_it_is_beside(home: Home) {
        home.photo("a.jpg", 1);
        home.write("a.jpg.xmp", xmp("Oma"));
        home.scan().await;
        home.rename("a.jpg", "new/a.jpg");
        let scanned = home.scan().await;
        assert_eq!(scanned.outcome("a.jpg.xmp"), New, "alone it is a file like others");
        assert_eq!(title(&home, "new/a.jpg").await, None, "nothing beside it describes it any more");
        home.rename("a.jpg.xmp", "new/a.jpg.xmp");
        let scanned = home.scan().await;
        assert_eq!((scanned.outcome("new/a.jpg.xmp"), scanned.outcome("a.jpg.xmp")), (Sidecar, Gone));
        assert_eq!(title(&home, "new/a.jpg").await.as_deref(), Some("Oma"));
        home.rename("new", "old");
        let scanned = home.scan().await;
        assert_eq!((scanned.outcome("old/a.jpg"), scanned.outcome("old/a.jpg.xmp")), (Moved, Sidecar));
        assert_eq!(title(&home, "old/a.jpg").await.as_deref(), Some("Oma"));
    }

    async fn a_sidecar_that_came_first_is_an_asset_until_its_original_comes(home: Home) {
        home.write("a.xmp", xmp("Oma"));
        let scanned = home.scan().await;
        assert_eq!(scanned.outcome("a.xmp"), New);
        home.photo("a.jpg", 1);
        let scanned = home.scan().await;
        assert_eq!((scanned.outcome("a.xmp"), scanned.outcome("a.jpg")), (Sidecar, New));
        assert_eq!(title(&home, "a.jpg").await.as_deref(), Some("Oma"));
        assert_eq!(home.tree().await.into_keys().collect::<Vec<_>>(), ["a.jpg"]);
        home.remove("a.jpg");
        home.write("b", "the folder is not empty");
        let scanned = home.scan().await;
        assert_eq!(scanned.outcome("a.xmp"), Returned, "and again when that went");
        assert_eq!(home.scan().await.report.unchanged, 2);
    }

    async fn sidecars_of_copies_in_two_folders_both_count(home: Home) {
        home.photo("a/x.jpg", 1);
        home.photo("b/x.jpg", 1);
        home.write("a/x.xmp", xmp("Oma"));
        home.write("b/x.xmp", xmp("Granny"));
        home.scan().await;
        let id = home.asset("a/x.jpg").await.id;
        assert_eq!(home.claims(id).await, ["title Granny", "title Oma"]);
        home.remove("b/x.xmp");
        home.scan().await;
        assert_eq!(home.claims(id).await, ["title Oma"]);
        home.write("a/y.txt", "something else in the folder");
        home.remove("a/x.jpg");
        home.scan().await;
        assert_eq!(home.claims(id).await, Vec::<String>::new(), "what is beside a.jpg does not describe b.jpg");
    }

    async fn what_a_sidecar_says_may_be_of_any_length(home: Home) {
        home.photo("a.jpg", 1);
        home.write("a.xmp", xmp(&"x".repeat(50_000)));
        home.photo("b.jpg", 2);
        home.write("b.xmp", xmp(&"long story ".repeat(5_000)));
        let scanned = home.scan().await;
        assert_eq!((scanned.report.new, scanned.report.sidecars), (2, 2));
        assert_eq!(title(&home, "a.jpg").await.map(|title| title.len()), Some(50_000));
    }

    async fn the_sample_library_is_catalogued_as_it_is_described(home: Home) {
        std::fs::remove_dir(&home.library).unwrap();
        copy_tree(media::sample_library(), &home.library);
        let scanned = home.scan().await;
        assert_eq!(scanned.report.failed_count(), 0, "{:?}", scanned.report.failed);
        let tree = home.tree().await;
        for file in media::sample() {
            let truth = &file.entry["truth"];
            let text = |key: &str| truth[key].as_str().map(str::to_owned);
            if let Some(original) = text("sidecar_of") {
                assert_eq!(scanned.outcome(&file.name), Sidecar, "{}", file.name);
                let name = file.name.rsplit('/').next().unwrap().to_owned();
                assert!(sidecars(&home, &original).await.contains(&name), "{} of {original}", file.name);
                continue;
            }
            let id = *tree.get(&file.name).unwrap_or_else(|| panic!("{} is an asset", file.name));
            if let Some(other) = text("duplicate_of") {
                assert_eq!(id, tree[&other], "{}", file.name);
            }
            let asset = home.get(id).await;
            let stacks = home.ctx.db.list_stacks(OPERATOR, &asset).await.unwrap();
            if let Some(other) = text("stack_with") {
                assert_eq!(stacks.len(), 1, "{}", file.name);
                assert!(stacks[0].members.contains(&tree[&other]), "{} with {other}", file.name);
            }
            if let Some(cover) = text("stack_cover") {
                assert_eq!((stacks[0].cover_asset_id, stacks[0].members.len()), (tree[&cover], 3), "{}", file.name);
            }
            if truth["stack"] == Json::Null {
                assert_eq!(stacks, [], "{}", file.name);
            }
        }
        let before = home.ctx.db.dump_rows().await.unwrap();
        home.scan().await;
        assert_eq!(before, home.ctx.db.dump_rows().await.unwrap());
    }
}
