//! One statement about many assets: a box of scans.

use heirloom_core::{
    AssetId,
    claim::ClaimKind::{Date, Place, Tag},
    role::Role,
};
use heirloom_db::{DbError, once::Once};

use crate::harness::{OPERATOR, Store, asset_of, claim, file, member, on_both_engines};

async fn fill(store: &Store, count: usize) -> Vec<AssetId> {
    let files: Vec<_> = (0..count).map(|n| file(&format!("{n:04}.jpg"))).collect();
    let mut ids = Vec::new();
    for part in files.chunks(500) {
        ids.extend(store.record(part.to_vec()).await.iter().map(asset_of));
    }
    ids
}

on_both_engines! {
    async fn a_box_of_scans_is_dated_at_once_and_the_date_taken_back_at_once(store: Store) {
        let ids = fill(&store, 6).await;
        store.say(ids[0], Date, "1930").await;
        let family = store.family_id();
        let said = store.db.make_claims_once(OPERATOR, family, &ids[..4], claim(Date, "1953~"), None).await.unwrap();
        assert_eq!((said.assets.len(), said.undone_count), (4, 0));
        assert_eq!(store.find("date:1953").await.len(), 4);
        assert_eq!(store.asset(ids[0]).await.date.as_deref(), Some("1953~"), "the newest word of a person holds");
        assert_eq!(store.list().await[..4].len(), 4);

        let undone = store.db.undo_claims(OPERATOR, family, said.id, true).await.unwrap();
        assert_eq!(undone.undone_count, 4);
        assert_eq!(store.find("date:1953").await, Vec::<String>::new());
        assert_eq!(store.asset(ids[0]).await.date.as_deref(), Some("1930"), "what held before holds again");
        assert_eq!(store.asset(ids[1]).await.date, None);

        let again = store.db.undo_claims(OPERATOR, family, said.id, false).await.unwrap();
        assert_eq!(again.undone_count, 0);
        assert_eq!(store.find("date:1953").await.len(), 4);
    }

    async fn what_was_taken_back_alone_stays_so_when_the_rest_comes_back(store: Store) {
        let ids = fill(&store, 3).await;
        let family = store.family_id();
        let said = store.db.make_claims_once(OPERATOR, family, &ids, claim(Tag, "box"), None).await.unwrap();
        let own = store.db.list_claims(OPERATOR, ids[0]).await.unwrap().pop().unwrap();
        store.db.undo_claim(OPERATOR, ids[0], own.id, true).await.unwrap();
        // So that the two times differ.
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        store.db.undo_claims(OPERATOR, family, said.id, true).await.unwrap();
        assert_eq!(store.find("tag:box").await.len(), 0);
        let back = store.db.undo_claims(OPERATOR, family, said.id, false).await.unwrap();
        assert_eq!((back.undone_count, store.find("tag:box").await.len()), (1, 2));
    }

    async fn what_replaces_one_of_them_is_said_it_of_and_loses_it_with_them(store: Store) {
        let ids = fill(&store, 3).await;
        let family = store.family_id();
        let said = store.db.make_claims_once(OPERATOR, family, &ids, claim(Tag, "box"), None).await.unwrap();
        let known = store.known("0001.jpg").await;
        store.record([file("0001.jpg").of_content("straightened").instead_of(known)]).await;
        store.db.settle_replacements(&store.archive, 0).await.unwrap();
        assert_eq!(store.find("tag:box").await.len(), 3);
        store.db.undo_claims(OPERATOR, family, said.id, true).await.unwrap();
        assert_eq!(store.find("tag:box").await.len(), 0);
        store.db.undo_claims(OPERATOR, family, said.id, false).await.unwrap();
        assert_eq!(store.find("tag:box").await.len(), 3);
    }

    async fn a_thousand_are_dated_in_one_go(store: Store) {
        let ids = fill(&store, 1_000).await;
        let family = store.family_id();
        let said = store.db.make_claims_once(OPERATOR, family, &ids, claim(Date, "1953"), None).await.unwrap();
        assert_eq!(said.assets.len(), 1_000);
        assert_eq!(store.find("date:1953 0123").await, ["0123.jpg"]);
        let undone = store.db.undo_claims(OPERATOR, family, said.id, true).await.unwrap();
        assert_eq!(undone.undone_count, 1_000);
        assert_eq!(store.find("date:1953").await, Vec::<String>::new());
    }

    async fn it_is_said_of_all_or_of_none(store: Store) {
        let ids = fill(&store, 3).await;
        let parents = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let (id, audience) = (store.literal(ids[2].uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let anna = member(store.family_id(), Role::Member, &[store.family.audience_id]);
        let guest = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        let family = store.family_id();
        let db = &store.db;
        let refused = db.make_claims_once(&anna, family, &ids, claim(Place, "Sylt"), None).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("there is no asset {}", ids[2]));
        let refused = db.make_claims_once(&guest, family, &ids[..2], claim(Place, "Sylt"), None).await;
        assert!(matches!(refused, Err(DbError::Denied(_))), "{refused:?}");
        let refused = db.make_claims_once(OPERATOR, family, &[], claim(Place, "Sylt"), None).await;
        assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
        assert_eq!(store.find("place:sylt").await, Vec::<String>::new());

        // Of what was said about all, Anna takes back what she sees.
        let said = db.make_claims_once(OPERATOR, family, &ids, claim(Place, "Sylt"), None).await.unwrap();
        let undone = db.undo_claims(&anna, family, said.id, true).await.unwrap();
        assert_eq!((undone.assets.len(), undone.undone_count), (2, 2));
        assert_eq!(store.find("place:sylt").await, ["0002.jpg"]);
        let refused = db.undo_claims(&guest, family, said.id, false).await;
        assert!(matches!(refused, Err(DbError::Denied(_))), "{refused:?}");
        let nobody = member(family, Role::Owner, &[]);
        let refused = db.undo_claims(&nobody, family, said.id, false).await;
        assert!(matches!(refused, Err(DbError::NotFound { .. })), "{refused:?}");
    }

    async fn the_same_key_says_it_once(store: Store) {
        let ids = fill(&store, 2).await;
        let family = store.family_id();
        let once = Once::new("operator", "a-key", b"box");
        let say = || store.db.make_claims_once(OPERATOR, family, &ids, claim(Tag, "box"), Some(&once));
        let (first, again) = tokio::join!(say(), say());
        let (first, again, later) = (first.unwrap(), again.unwrap(), say().await.unwrap());
        assert_eq!((first.id, first.id), (again.id, later.id));
        assert_eq!(later.assets.len(), 2);
        assert_eq!(store.db.list_claims(OPERATOR, ids[0]).await.unwrap().len(), 1);
    }
}
