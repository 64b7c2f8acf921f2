//! What is purged leaves no trace: in no row, and not in the bytes of a SQLite catalogue.

use std::collections::BTreeSet;

use heirloom_core::claim::ClaimKind::{Caption, Person, Tag, Title};
use heirloom_db::{
    DbError, Location,
    artifact::{Derived, NewArtifact, Part, Payload},
    folder::{FolderChange, KnownAs},
    record::{FoundFile, Recorded, ScanBatch},
    sidecar::{FoundSidecar, SidecarMatch},
    stack::{NewStack, StackKind},
};

use heirloom_core::{AssetId, FolderId, SidecarId};
use serde_json::json;

use crate::harness::{OPERATOR, Store, claim, content, file, on_both_engines};

/// Stands in every text of the asset. Written so that no other word begins as it does: an index
/// that leaves out what a word shares with the one before it still holds its end.
const MARK: &str = "qxjzmarkerwv";

/// A sidecar as a scan finds it, with these words in it.
fn sidecar(folder_id: FolderId, name: &str, words: &str) -> FoundSidecar {
    FoundSidecar {
        folder_id,
        name: name.to_owned(),
        kind: "xmp",
        content_hash: content(words),
        size_bytes: 1,
        modified_at_ns: 1,
        changed_at_ns: 1,
    }
}

/// The file of a sidecar that a scan takes for an original.
fn found_alone(folder: FolderId, words: &str) -> FoundFile {
    let mut found = file(&format!("{MARK}.jpg.xmp"))
        .in_folder("summer")
        .found_in(folder);
    found.content_hash = content(words);
    found
}

impl Store {
    /// Stores a sidecar.
    async fn sidecar(&self, folder: FolderId, name: &str, words: &str) -> SidecarId {
        let sidecars = vec![sidecar(folder, name, words)];
        let batch = ScanBatch {
            sidecars,
            ..ScanBatch::default()
        };
        self.db
            .record_batch(&self.archive, self.run, 0, &batch)
            .await
            .unwrap();
        let known = self.db.list_known_files(folder, "", 100).await.unwrap();
        match known.iter().find(|known| known.name == name).unwrap().what {
            KnownAs::Sidecar(id) => id,
            other => panic!("{other:?} is no sidecar"),
        }
    }

    /// Says that these sidecars describe an asset, each with the mark in its words.
    async fn match_sidecars(&self, folder: FolderId, asset: AssetId, sidecars: &[SidecarId]) {
        let words = if sidecars.len() > 1 {
            MARK
        } else {
            "both of us"
        };
        let derived = ["shared", "before", "own"].map(|input| Derived {
            artifact: NewArtifact {
                kind: "metadata",
                part: Part::Whole,
                tool: "sidecar",
                tool_version: 1,
                model: String::new(),
                parameters: serde_json::Value::Null,
                is_deterministic: true,
                inputs: vec![content(input)],
                payload: Payload::Json(json!({ "properties": words })),
            },
            claims: vec![claim(Caption, words)],
        });
        let matched = SidecarMatch {
            asset,
            sidecars: sidecars.iter().copied().collect(),
            derived: derived.into(),
        };
        self.db
            .store_sidecar_matches(
                self.family_id(),
                self.run,
                folder,
                ("sidecar", 1),
                vec![matched],
            )
            .await
            .unwrap();
    }

    /// Where the mark still is.
    async fn traces(&self) -> BTreeSet<String> {
        let mut traces = BTreeSet::new();
        match &self.location {
            Location::File(path) => {
                for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
                    let path = entry.unwrap().path();
                    let bytes = std::fs::read(&path).unwrap();
                    let is_there = bytes
                        .windows(MARK.len())
                        .any(|window| window == MARK.as_bytes());
                    if is_there {
                        traces.insert(path.display().to_string());
                    }
                }
            }
            Location::Url(_) => {
                for table in self
                    .sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                    .await
                {
                    let count =
                        format!("SELECT COUNT(*) FROM {table} AS t WHERE t::text LIKE '%{MARK}%'");
                    if self.sql(&count).await != ["0"] {
                        traces.insert(table);
                    }
                }
            }
        }
        traces
    }
}

on_both_engines! {
    async fn a_purged_asset_leaves_no_trace(store: Store) {
        // Others around it, so that pages are shared and the index has parts to merge.
        for batch in 0..4 {
            store.record((0..50).map(|n| {
                let name = format!("{batch}_{n}.jpg");
                file(&name).says(Caption, "a day at the beach").says(Tag, "summer").dated("1980")
            })).await;
        }
        let id = store.add(
            file(&format!("{MARK}.jpg"))
                .in_folder("summer")
                .dated("1980")
                .says(Title, &format!("{MARK} title"))
                .says(Person, MARK)
        ).await;
        let neighbour = store.add(file("neighbour.jpg").in_folder("summer").dated("1980")).await;
        store.say(id, Caption, &format!("all about {MARK}")).await;
        store.collect("favourites", store.family.audience_id, &[id, neighbour]).await;
        let folder = store.folder(store.archive.id, "summer").await;
        let stack = NewStack { kind: StackKind::Burst, name: "1".to_owned(), members: vec![id, neighbour] };
        store.db.store_stacks(store.family_id(), folder, &[stack]).await.unwrap();
        // One that describes both, one of its own, and one that was in the place of that.
        let shared = store.sidecar(folder, "shared.xmp", "shared").await;
        let before = store.sidecar(folder, &format!("{MARK}.jpg.xmp"), "before").await;
        store.match_sidecars(folder, id, &[shared, before]).await;
        let gone = ScanBatch { gone: vec![(folder, KnownAs::Sidecar(before))], ..ScanBatch::default() };
        store.db.record_batch(&store.archive, store.run, 0, &gone).await.unwrap();
        let own = store.sidecar(folder, &format!("{MARK}.jpg.xmp"), "own").await;
        store.match_sidecars(folder, id, &[shared, own]).await;
        store.match_sidecars(folder, neighbour, &[shared]).await;
        let settled = ScanBatch { closed: vec![FolderChange::Settled(folder)], ..ScanBatch::default() };
        store.db.record_batch(&store.archive, store.run, 0, &settled).await.unwrap();
        assert_eq!(store.find(MARK).await.len(), 1);

        let refused = store.db.purge_asset(OPERATOR, id).await;
        assert!(matches!(refused, Err(DbError::Refused(_))), "it is deleted first: {refused:?}");
        store.db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        assert!(!store.traces().await.is_empty(), "what is deleted can be brought back");

        store.db.purge_asset(OPERATOR, id).await.unwrap();
        store.db.sweep_purged().await.unwrap();
        assert_eq!(store.traces().await, BTreeSet::new());
        // A scan meets what is still on the disk.
        let found = sidecar(folder, &format!("{MARK}.jpg.xmp"), "own");
        let batch = ScanBatch {
            sidecars: vec![found],
            files: vec![found_alone(folder, "own")],
            ..ScanBatch::default()
        };
        let recorded = store.db.record_batch(&store.archive, store.run, 0, &batch).await.unwrap();
        assert_eq!(recorded, [Recorded::Purged], "without its original it is no original either");
        assert_eq!(store.traces().await, BTreeSet::new());
        let described = store.db.list_sidecars(OPERATOR, store.family_id(), neighbour).await.unwrap();
        assert_eq!(described.iter().map(|sidecar| sidecar.name.as_str()).collect::<Vec<_>>(), ["shared.xmp"]);
        let alike = store.sidecar(folder, "other.jpg.xmp", "own").await;
        assert_ne!(alike, own, "the same few bytes beside another original are another sidecar");
        let gone = store.db.get_asset(OPERATOR, id).await;
        assert!(matches!(gone, Err(DbError::NotFound { .. })), "{gone:?}");
        for query in [MARK, "is:deleted", "summer is:deleted"] {
            assert_eq!(store.find(query).await, Vec::<String>::new(), "{query}");
        }
        let id_literal = store.literal(id.uuid());
        for (table, column) in [
            ("asset", "id"), ("asset_location", "asset_id"), ("claim", "subject_id"), ("artifact", "subject_id"),
            ("stack_member", "asset_id"), ("asset_sidecar", "asset_id"), ("collection_member", "asset_id"),
            ("unit", "subject_id"), ("document_page", "asset_id"),
        ] {
            let count = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE {column} = {id_literal}");
            assert_eq!(store.sql(&count).await, ["0"], "{table}");
        }
        // The others are as they were.
        assert_eq!(store.find("in:favourites").await, ["neighbour.jpg"]);
        let beach = "beach".parse().unwrap();
        let found = store.db.search(OPERATOR, store.family_id(), &beach, None, 1000).await.unwrap();
        assert_eq!(found.items.len(), 200);
        assert_eq!(store.db.check_audit(OPERATOR, store.family_id()).await.unwrap(), Ok(4));
    }

    async fn what_two_assets_were_made_of_stays_until_both_are_gone(store: Store) {
        let with_blob = |name: &str| {
            let store = &store;
            let mut found = file(name);
            found.folder = String::new();
            async move {
                let folder = store.folder(store.archive.id, "").await;
                let mut found = found.found_in(folder);
                found.derived[0].artifact.payload = Payload::Blob(content("shared blob"), 9);
                let recorded = store.db.record_batch(&store.archive, store.run, 0, &ScanBatch { files: vec![found], ..ScanBatch::default() }).await.unwrap();
                crate::harness::asset_of(&recorded[0])
            }
        };
        let (first, second) = (with_blob("a.jpg").await, with_blob("b.jpg").await);
        for (asset, freed) in [(first, vec![]), (second, vec![content("shared blob")])] {
            store.db.delete_asset(OPERATOR, asset, None, true).await.unwrap();
            assert_eq!(store.db.purge_asset(OPERATOR, asset).await.unwrap().blobs, freed);
        }
        assert!(store.db.find_referenced_blobs(&[content("shared blob")]).await.unwrap().is_empty());
        let unneeded = store.db.list_unneeded_blobs(None, 10).await.unwrap();
        assert_eq!(unneeded.iter().map(|blob| blob.hash).collect::<Vec<_>>(), [content("shared blob")]);
        store.db.forget_unneeded_blobs(&unneeded).await.unwrap();
        assert_eq!(store.db.list_unneeded_blobs(None, 10).await.unwrap(), []);
    }
}
