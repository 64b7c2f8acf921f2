//! What a scan finds, and what becomes of what it had found before.

use std::collections::BTreeSet;

use heirloom_core::{
    AssetId, LocationId,
    claim::ClaimKind::{Caption, Tag, Title},
};
use heirloom_db::{
    Engine,
    artifact::{Derived, NewArtifact, Part, Payload},
    asset::AssetState,
    folder::KnownAs,
    record::{Recorded, ScanBatch},
    sidecar::{FoundSidecar, SidecarMatch},
    stack::{NewStack, StackKind},
};

use crate::harness::{OPERATOR, Store, asset_of, claim, content, file, on_both_engines};

impl Store {
    /// What is known at a path of the archive's root.
    pub(crate) async fn known(&self, name: &str) -> (LocationId, AssetId) {
        let root = self.folder(self.archive.id, "").await;
        let files = self.db.list_known_files(root, "", 100).await.unwrap();
        match files
            .into_iter()
            .find(|file| file.name == name)
            .unwrap()
            .what
        {
            KnownAs::Location(location, asset) => (location, asset),
            KnownAs::Sidecar(_) => panic!("{name} is a sidecar"),
        }
    }

    async fn gone(&self, names: &[&str]) {
        let root = self.folder(self.archive.id, "").await;
        let mut gone = Vec::new();
        for name in names {
            let (location, asset) = self.known(name).await;
            gone.push((root, KnownAs::Location(location, asset)));
        }
        let batch = ScanBatch {
            gone,
            ..ScanBatch::default()
        };
        self.db
            .record_batch(&self.archive, self.run, 0, &batch)
            .await
            .unwrap();
    }
}

on_both_engines! {
    async fn a_renamed_file_is_the_same_asset(store: Store) {
        let id = store.add(file("DSC_1.jpg").of_content("x")).await;
        store.say(id, Title, "Oma").await;
        let recorded = store.record([file("oma.jpg").of_content("x").in_folder("grandma")]).await;
        assert_eq!(recorded, [Recorded::NewLocation(id)]);
        store.gone(&["DSC_1.jpg"]).await;
        let asset = store.asset(id).await;
        assert_eq!((asset.state, asset.title.as_deref()), (AssetState::Present, Some("Oma")));
        assert_eq!(store.find("grandma").await, ["oma.jpg"]);
        assert_eq!(store.find("dsc").await, Vec::<String>::new(), "it is not found by where it was");
        let places = store.db.list_locations(OPERATOR, asset.family_id, asset.id).await.unwrap();
        let paths: Vec<_> = places.iter().map(|p| (p.path.as_str(), p.gone_at_ms.is_some())).collect();
        assert_eq!(paths, [("DSC_1.jpg", true), ("grandma/oma.jpg", false)]);
    }

    async fn a_file_that_is_gone_is_missing_and_kept(store: Store) {
        let id = store.add(file("oma.jpg")).await;
        store.add(file("opa.jpg")).await;
        store.gone(&["oma.jpg"]).await;
        assert_eq!(store.asset(id).await.state, AssetState::Missing);
        assert_eq!(store.find("oma").await, ["oma.jpg"], "found by where it last was");
        assert_eq!(store.find("is:missing").await, ["oma.jpg"]);
        assert_eq!(store.find("-is:missing").await, ["opa.jpg"]);
        let recorded = store.record([file("oma.jpg")]).await;
        assert_eq!(recorded, [Recorded::NewLocation(id)]);
        assert_eq!(store.asset(id).await.state, AssetState::Present);
        assert_eq!(store.find("is:missing").await, Vec::<String>::new());
    }

    async fn new_bytes_at_a_path_replace_and_carry_what_people_said(store: Store) {
        let old = store.add(file("letter.jpg").of_content("first").says(Tag, "machine")).await;
        store.say(old, Caption, "from the attic").await;
        let undone = store.say(old, Title, "Bill").await;
        store.db.undo_claim(OPERATOR, old, undone.id, true).await.unwrap();
        store.collect("letters", store.family.audience_id, &[old]).await;

        let known = store.known("letter.jpg").await;
        let recorded = store.record([file("letter.jpg").of_content("second").instead_of(known)]).await;
        let new = asset_of(&recorded[0]);
        assert_eq!(recorded, [Recorded::Replacement(new)]);
        assert_eq!(store.db.settle_replacements(&store.archive, 0).await.unwrap(), 1);

        let (was, is) = (store.asset(old).await, store.asset(new).await);
        assert_eq!((was.state, is.state, is.replaces_asset_id), (AssetState::Replaced, AssetState::Present, Some(old)));
        assert_eq!(store.list().await.len(), 1, "the old one is not listed");
        let found = |query: &'static str| {
            let store = &store;
            async move {
                let page = store.search_as(OPERATOR, query).await.unwrap();
                page.items.into_iter().map(|hit| hit.asset.id).collect::<Vec<_>>()
            }
        };
        assert_eq!(found("attic").await, [new]);
        assert_eq!(found("in:letters").await, [new], "it takes its place in collections");
        assert_eq!(found("is:replaced attic").await, [old], "the old one stays reachable");
        assert_eq!(found("tag:machine").await, Vec::<AssetId>::new(), "what a machine read was of the old bytes");
        assert_eq!(found("bill").await, Vec::<AssetId>::new(), "what was undone is not carried");
    }

    async fn content_that_was_purged_is_passed_over(store: Store) {
        let id = store.add(file("secret.jpg")).await;
        store.db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, id).await.unwrap();
        let recorded = store.record([file("secret.jpg"), file("other.jpg")]).await;
        assert_eq!(recorded[0], Recorded::Purged);
        assert_eq!(store.list().await, ["other.jpg"]);
    }

    async fn stacks_are_those_that_were_matched_last(store: Store) {
        let ids: Vec<AssetId> = store.record([file("1.heic"), file("1.mov"), file("2.raw"), file("2.jpg")])
            .await.iter().map(asset_of).collect();
        let root = store.folder(store.archive.id, "").await;
        let stack = |kind, name: &str, members: &[AssetId]| NewStack { kind, name: name.to_owned(), members: members.to_vec() };
        let live = stack(StackKind::LivePhoto, "1", &ids[..2]);
        let raw = stack(StackKind::RawJpeg, "2", &[ids[3], ids[2]]);
        let match_as = |stacks: Vec<NewStack>| {
            let store = &store;
            async move { store.db.store_stacks(store.family_id(), root, &stacks).await.unwrap() }
        };
        assert_eq!(match_as(vec![live.clone(), raw.clone()]).await, 2);
        assert_eq!(match_as(vec![raw.clone(), live]).await, 0, "twice changes nothing");
        let of_raw = store.db.list_stacks(OPERATOR, &store.asset(ids[2]).await).await.unwrap();
        assert_eq!((of_raw[0].kind, of_raw[0].cover_asset_id), (StackKind::RawJpeg, ids[3]));
        assert_eq!(of_raw[0].members, [ids[3], ids[2]]);
        assert_eq!(match_as(vec![raw]).await, 0);
        assert_eq!(store.db.list_stacks(OPERATOR, &store.asset(ids[0]).await).await.unwrap(), []);
    }

    async fn what_a_sidecar_says_holds_while_it_is_there(store: Store) {
        let asset = store.add(file("oma.jpg")).await;
        let root = store.folder(store.archive.id, "").await;
        let sidecar = FoundSidecar {
            folder_id: root,
            name: "oma.xmp".to_owned(),
            kind: "xmp",
            content_hash: content("xmp"),
            size_bytes: 3,
            modified_at_ns: 1,
            changed_at_ns: 2,
        };
        let batch = ScanBatch { sidecars: vec![sidecar], ..ScanBatch::default() };
        store.db.record_batch(&store.archive, store.run, 0, &batch).await.unwrap();
        let files = store.db.list_known_files(root, "", 10).await.unwrap();
        assert_eq!(files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["oma.jpg", "oma.xmp"]);
        let KnownAs::Sidecar(id) = files[1].what else { panic!("it is a sidecar") };

        let derived = Derived {
            artifact: NewArtifact {
                kind: "metadata",
part: Part::Whole,
                tool: "sidecar",
                tool_version: 1,
                model: String::new(),
parameters: serde_json::Value::Null,
                is_deterministic: true,
                inputs: vec![content("xmp")],
                payload: Payload::Json(serde_json::json!({})),
            },
            claims: vec![claim(Caption, "in the garden")],
        };
        let matched = |sidecars: BTreeSet<_>, derived| {
            let store = &store;
            async move {
                let matches = vec![SidecarMatch { asset, sidecars, derived }];
                let stored = store.db.store_sidecar_matches(store.family_id(), store.run, root, ("sidecar", 1), matches);
                stored.await.unwrap();
            }
        };
        matched(BTreeSet::from([id]), vec![derived]).await;
        assert_eq!(store.db.list_sidecars(OPERATOR, store.family_id(), asset).await.unwrap()[0].id, id);
        assert_eq!(store.find("garden").await, ["oma.jpg"]);

        let batch = ScanBatch { gone: vec![(root, KnownAs::Sidecar(id))], ..ScanBatch::default() };
        store.db.record_batch(&store.archive, store.run, 0, &batch).await.unwrap();
        matched(BTreeSet::new(), Vec::new()).await;
        assert_eq!(store.db.list_sidecars(OPERATOR, store.family_id(), asset).await.unwrap(), []);
        assert_eq!(store.find("garden").await, Vec::<String>::new());
    }

    async fn an_archive_is_held_by_one_process_at_a_time(store: Store) {
        let other = store.open_again().await;
        let hold = store.db.hold_archive(store.archive.id).await.unwrap();
        assert!(hold.is_some());
        let second = other.hold_archive(store.archive.id).await.unwrap();
        // A SQLite catalogue belongs to one process, which sees to its own.
        assert_eq!(second.is_none(), store.db.engine() == Engine::Postgres);
        drop((hold, second));
        let mut is_free = false;
        for _ in 0..200 {
            is_free = other.hold_archive(store.archive.id).await.unwrap().is_some();
            if is_free {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(is_free, "a hold ends with whoever has it");
        other.close().await;
    }
}
