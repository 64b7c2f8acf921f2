//! What is purged leaves no trace: in no row, and not in the bytes of a SQLite catalogue.

use std::collections::BTreeSet;

use heirloom_core::claim::ClaimKind::{Caption, Person, Tag, Title};
use heirloom_db::{
    DbError, Location,
    folder::KnownAs,
    record::ScanBatch,
    sidecar::{FoundSidecar, SidecarMatch},
    stack::{NewStack, StackKind},
};

use crate::harness::{OPERATOR, Store, content, file, on_both_engines};

/// Stands in every text of the asset. Written so that no other word begins as it does: an index
/// that leaves out what a word shares with the one before it still holds its end.
const MARK: &str = "qxjzmarkerwv";

impl Store {
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
        let sidecar = FoundSidecar {
            folder_id: folder,
            name: "notes.xmp".to_owned(),
            kind: "xmp",
            content_hash: content("notes"),
            size_bytes: 1,
            modified_at_ns: 1,
            changed_at_ns: 1,
        };
        let batch = ScanBatch { sidecars: vec![sidecar], ..ScanBatch::default() };
        store.db.record_batch(&store.archive, store.run, 0, &batch).await.unwrap();
        let known = store.db.list_known_files(folder, "notes", 1).await.unwrap();
        let KnownAs::Sidecar(sidecar) = known[0].what else { panic!("it is a sidecar") };
        let matched = SidecarMatch { asset: id, sidecars: BTreeSet::from([sidecar]), derived: Vec::new() };
        store.db
            .store_sidecar_matches(store.family_id(), store.run, folder, ("sidecar", 1), vec![matched])
            .await
            .unwrap();
        assert_eq!(store.find(MARK).await.len(), 1);

        let refused = store.db.purge_asset(OPERATOR, id).await;
        assert!(matches!(refused, Err(DbError::Refused(_))), "it is deleted first: {refused:?}");
        store.db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        assert!(!store.traces().await.is_empty(), "what is deleted can be brought back");

        store.db.purge_asset(OPERATOR, id).await.unwrap();
        store.db.sweep_purged().await.unwrap();
        assert_eq!(store.traces().await, BTreeSet::new());
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
        assert_eq!(store.db.check_audit(OPERATOR, store.family_id()).await.unwrap(), Ok(1));
    }

    async fn what_two_assets_were_made_of_stays_until_both_are_gone(store: Store) {
        use heirloom_db::artifact::Payload;
        let with_blob = |name: &str| {
            let store = &store;
            let mut found = file(name);
            found.folder = String::new();
            async move {
                let folder = store.folder(store.archive.id, "").await;
                let mut found = found.found_in(folder);
                found.derived[0].artifact.payload = Payload::Blob(content("shared blob"), 9);
                let recorded = store.db.record_files(&store.archive, store.run, 0, vec![found]).await.unwrap();
                crate::harness::asset_of(&recorded[0])
            }
        };
        let (first, second) = (with_blob("a.jpg").await, with_blob("b.jpg").await);
        for (asset, freed) in [(first, vec![]), (second, vec![content("shared blob")])] {
            store.db.delete_asset(OPERATOR, asset, None, true).await.unwrap();
            assert_eq!(store.db.purge_asset(OPERATOR, asset).await.unwrap().blobs, freed);
        }
        assert!(store.db.find_referenced_blobs(&[content("shared blob")]).await.unwrap().is_empty());
    }
}
