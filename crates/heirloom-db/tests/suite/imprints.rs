//! What looks like a picture: found among what somebody may see, the most alike first, and gone with what was seen.

use heirloom_core::{AssetId, claim::ClaimKind, role::Role};
use heirloom_db::{DbError, artifact::Payload, claim::NewClaim, imprint::TAGS};
use serde_json::json;

use crate::harness::{OPERATOR, Store, claim, file, member, on_both_engines};

/// Two that are much alike, one that is a little like them, and one that is not.
const CAT: &str = "f0c80a00";
const CAT_AGAIN: &str = "f0be1400";
const FOX: &str = "f05a6400";
const SHIP: &str = "000a00ff";

impl Store {
    /// A picture that looks so.
    async fn picture(&self, name: &str, numbers: &str) -> AssetId {
        let picture = self.add(file(name)).await;
        self.see(picture, 1, numbers, Vec::new()).await;
        picture
    }

    async fn see(&self, picture: AssetId, version: i64, numbers: &str, tags: Vec<NewClaim>) {
        let imprint = json!({ "model": "lite@1", "numbers": numbers });
        let payload = Payload::Json(json!({ "tags": [], "imprint": imprint }));
        self.derive(picture, TAGS, (version, "lite@1"), payload, tags)
            .await;
    }

    async fn similar(&self, picture: AssetId) -> Vec<String> {
        let similar = self.db.list_similar(OPERATOR, picture, 10).await.unwrap();
        similar.into_iter().map(|it| it.asset.name).collect()
    }
}

on_both_engines! {
    async fn what_looks_like_a_picture_is_found_the_most_alike_first(store: Store) {
        let cat = store.picture("cat.jpg", CAT).await;
        store.picture("fox.jpg", FOX).await;
        store.picture("again.jpg", CAT_AGAIN).await;
        let ship = store.picture("ship.jpg", SHIP).await;
        store.add(file("unseen.jpg")).await;
        assert_eq!(store.similar(cat).await, ["again.jpg", "fox.jpg"]);
        assert_eq!(store.similar(ship).await, <[&str; 0]>::default());
        let like = format!("like:{cat}");
        assert_eq!(store.find(&like).await, ["again.jpg", "fox.jpg"]);
        // With whatever else is asked for.
        assert_eq!(store.find(&format!("{like} fox")).await, ["fox.jpg"]);
        assert_eq!(store.find(&format!("{like} -fox type:image")).await, ["again.jpg"]);
        assert_eq!(store.find(&format!("{like} -fox")).await, ["again.jpg"]);
        assert_eq!(store.find(&format!("{like} type:video")).await, <[&str; 0]>::default());
        // Page by page in the same order.
        let query = like.parse().unwrap();
        let first = store.db.search(OPERATOR, store.family_id(), &query, None, 1).await.unwrap();
        assert_eq!(first.items[0].asset.name, "again.jpg");
        let second = store.db.search(OPERATOR, store.family_id(), &query, first.next, 1).await.unwrap();
        assert_eq!((second.items[0].asset.name.as_str(), second.next), ("fox.jpg", None));
        let counted = store.db.count_buckets(OPERATOR, store.family_id(), &query).await.unwrap();
        assert_eq!(counted.iter().map(|(_, assets)| assets).sum::<i64>(), 2);
    }

    async fn a_picture_is_like_none_that_somebody_may_not_see(store: Store) {
        let parents = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let cat = store.picture("cat.jpg", CAT).await;
        let hidden = store.picture("hidden.jpg", CAT_AGAIN).await;
        let (id, audience) = (store.literal(hidden.uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let child = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        assert!(store.db.list_similar(&child, cat, 10).await.unwrap().is_empty());
        let found = store.search_as(&child, &format!("like:{cat}")).await.unwrap();
        assert!(found.items.is_empty(), "{found:?}");
        // Nor can be asked for what looks like it.
        for error in [
            store.db.list_similar(&child, hidden, 10).await.unwrap_err(),
            store.search_as(&child, &format!("like:{hidden}")).await.unwrap_err(),
        ] {
            assert!(matches!(error, DbError::NotFound { .. }), "{error:?}");
        }
        assert_eq!(store.similar(cat).await, ["hidden.jpg"]);
        store.db.delete_asset(OPERATOR, hidden, None, true).await.unwrap();
        assert_eq!(store.similar(cat).await, <[&str; 0]>::default());
    }

    async fn what_cannot_be_compared_is_said(store: Store) {
        let cat = store.picture("cat.jpg", CAT).await;
        let unseen = store.add(file("unseen.jpg")).await;
        for (query, message) in [
            (format!("like:{unseen}"), "nobody has looked at"),
            (format!("-like:{cat}"), "one picture can be named"),
            (format!("like:{cat} like:{cat}"), "one picture can be named"),
        ] {
            let error = store.search_as(OPERATOR, &query).await.unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
        }
        assert_eq!(store.similar(unseen).await, <[&str; 0]>::default());
        // What it shows may be known, and not what it looks like.
        let (named, also) = (store.picture("named.jpg", "").await, store.picture("also.jpg", "").await);
        for picture in [named, also] {
            assert_eq!(store.similar(picture).await, <[&str; 0]>::default());
            let error = store.search_as(OPERATOR, &format!("like:{picture}")).await.unwrap_err();
            assert!(error.to_string().contains("a model on this machine looks at pictures"), "{error}");
        }
    }

    async fn what_is_seen_anew_takes_its_place_and_a_purge_takes_it_away(store: Store) {
        let cat = store.picture("cat.jpg", CAT).await;
        let other = store.picture("other.jpg", SHIP).await;
        assert_eq!(store.similar(cat).await, <[&str; 0]>::default());
        store.see(other, 2, CAT_AGAIN, Vec::new()).await;
        assert_eq!(store.similar(cat).await, ["other.jpg"]);
        store.db.delete_asset(OPERATOR, other, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, other).await.unwrap();
        let left = store.sql("SELECT CAST(COUNT(*) AS TEXT) FROM asset_imprint").await;
        assert_eq!(left, ["1"]);
    }

    async fn a_tag_that_somebody_denied_is_not_given_again_by_a_better_model(store: Store) {
        let seen = |word: &str| NewClaim {
            source: "seen:lite".to_owned(),
            confidence: 0.9,
            ..claim(ClaimKind::Tag, word)
        };
        let picture = store.add(file("a.jpg")).await;
        store.see(picture, 1, CAT, vec![seen("cat"), seen("sofa")]).await;
        assert_eq!((store.find("tag:katze").await.len(), store.find("tag:sofa").await.len()), (1, 1));
        let denial = store.deny(picture, ClaimKind::Tag, "Katze").await;
        assert_eq!((store.find("tag:cat").await.len(), store.find("tag:sofa").await.len()), (0, 1));
        store.see(picture, 2, CAT, vec![seen("cat"), seen("lamp")]).await;
        let found = (store.find("tag:cat").await.len(), store.find("tag:sofa").await.len());
        assert_eq!((found, store.find("tag:lampe").await.len()), ((0, 0), 1));
        store.db.undo_claim(OPERATOR, picture, denial.id, true).await.unwrap();
        assert_eq!(store.find("tag:cat").await, ["a.jpg"]);
    }
}
