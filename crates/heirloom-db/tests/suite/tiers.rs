//! What the catalogue knows of blobs that says where they are kept.

use heirloom_core::Actor;
use heirloom_db::{
    artifact::Payload,
    collection::NewCollection,
    record::ScanBatch,
    tier::{MoveState, StoreMove},
};

use crate::harness::{OPERATOR, Store, asset_of, content, file, on_both_engines};

on_both_engines! {
    async fn what_was_made_is_known_with_its_album(store: Store) {
        let (shared, other) = (content("shared blob"), content("another blob"));
        let folder = store.folder(store.archive.id, "").await;
        let files = [("sea.jpg", shared), ("dune.jpg", shared), ("garden.jpg", other)];
        let files = files.into_iter().map(|(name, blob)| {
            let mut found = file(name).found_in(folder);
            found.derived[0].artifact.payload = Payload::Blob(blob, 9);
            found
        });
        let batch = ScanBatch { files: files.collect(), ..ScanBatch::default() };
        let recorded = store.db.record_batch(&store.archive, store.run, 0, &batch).await.unwrap();
        let unknown = content("nobody refers to it");
        let hashes = [shared, other, unknown];
        let facts = store.db.find_blob_facts(OPERATOR, &hashes).await.unwrap();
        assert_eq!(facts.len(), 2);
        assert_eq!((facts[&shared].is_original, facts[&shared].size_bytes), (false, 9));
        assert!(facts[&shared].added_at_ms > 0);

        let page = store.db.find_blobs_of_album(OPERATOR, "Sea", &hashes).await.unwrap();
        assert!(page.is_empty());
        let new = NewCollection {
            name: "Sea".to_owned(),
            description: String::new(),
            query: None,
            audience_id: store.family.audience_id,
            assets: vec![asset_of(&recorded[1])],
        };
        let family = store.family.id;
        store.db.create_collection_once(OPERATOR, family, new, None).await.unwrap();
        let found = store.db.find_blobs_of_album(OPERATOR, "Sea", &hashes).await.unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [shared]);
        assert!(store.db.find_blob_facts(&Actor::Stranger, &hashes).await.is_err());
    }

    async fn moves_are_remembered_the_last_first_and_not_for_ever(store: Store) {
        assert_eq!(store.db.list_store_moves(OPERATOR).await.unwrap(), []);
        let mut last = None;
        for number in 0..30 {
            let begun = StoreMove::begin(last.as_ref());
            assert!(last.as_ref().is_none_or(|last| begun.began_at_ms > last.began_at_ms));
            store.db.save_store_move(&begun).await.unwrap();
            let ended = StoreMove {
                state: MoveState::Failed,
                blobs: number,
                problems: serde_json::json!([{ "blob": "a", "place": "folder", "why": "damaged" }]),
                error: Some("the line is dead".to_owned()),
                ended_at_ms: Some(begun.began_at_ms + 5),
                ..begun
            };
            store.db.save_store_move(&ended).await.unwrap();
            last = Some(ended);
        }
        let moves = store.db.list_store_moves(OPERATOR).await.unwrap();
        assert_eq!(moves.len(), 24);
        assert_eq!(moves.first(), last.as_ref());
        assert!(store.db.list_store_moves(&Actor::Stranger).await.is_err());
    }
}
