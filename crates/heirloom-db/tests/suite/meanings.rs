//! What pictures show: found by what words mean, among what somebody may see, and gone with what was seen.

use heirloom_core::{
    AssetId,
    claim::ClaimKind,
    meaning::{Meaning, Meant},
    query::Query,
    role::Role,
};
use heirloom_db::{DbError, artifact::Payload, meaning::MEANING, search::SearchPage};
use serde_json::json;

use crate::harness::{OPERATOR, Store, file, member, on_both_engines};

/// A space of three numbers: dogs, beaches, and anything.
const DOG: &[f32] = &[0.9, 0.0, 0.3];
const DOG_ON_BEACH: &[f32] = &[0.7, 0.7, 0.3];
const BEACH: &[f32] = &[0.1, 0.9, 0.3];
const LETTER: &[f32] = &[0.0, 0.0, 1.0];

fn meaning(numbers: &[f32]) -> Meaning {
    Meaning::of("clip@1", numbers)
}

impl Store {
    /// A picture that shows this.
    async fn scene(&self, name: &str, numbers: &[f32]) -> AssetId {
        let picture = self.add(file(name)).await;
        self.depict(picture, 1, numbers).await;
        picture
    }

    async fn depict(&self, picture: AssetId, version: i64, numbers: &[f32]) {
        let payload = Payload::Json(json!({ "tags": [], "meaning": meaning(numbers) }));
        self.derive(picture, MEANING, (version, "clip@1"), payload, Vec::new())
            .await;
    }

    /// What a query finds whose words for pictures mean this.
    async fn look_for(&self, query: &str, words: &[f32]) -> Vec<String> {
        let found = self
            .db
            .search(OPERATOR, self.family_id(), &meant(query, words), None, 10)
            .await;
        names(&found.unwrap())
    }
}

fn meant(query: &str, words: &[f32]) -> Query {
    let mut query: Query = query.parse().unwrap();
    for scene in query.scenes() {
        scene.meant = Some(Meant::Pictures {
            words: meaning(words),
            nothing: meaning(LETTER),
        });
    }
    query
}

fn names(found: &SearchPage) -> Vec<String> {
    let names = found.items.iter().map(|hit| hit.asset.name.clone());
    names.collect()
}

on_both_engines! {
    async fn pictures_that_show_what_is_said_are_found_the_nearest_first(store: Store) {
        store.scene("dog.jpg", DOG).await;
        store.scene("both.jpg", DOG_ON_BEACH).await;
        store.scene("beach.jpg", BEACH).await;
        store.scene("letter.jpg", LETTER).await;
        store.add(file("unseen.jpg")).await;
        let asked = "shows:\"a dog on a beach\"";
        assert_eq!(store.look_for(asked, &[0.75, 0.65, 0.1]).await, ["both.jpg", "dog.jpg", "beach.jpg"]);
        assert_eq!(store.look_for("shows:dog", &[1.0, 0.0, 0.0]).await, ["dog.jpg", "both.jpg"]);
        // With whatever else is asked for.
        assert_eq!(store.look_for("shows:dog both", &[1.0, 0.0, 0.0]).await, ["both.jpg"]);
        assert_eq!(store.look_for("shows:dog -both type:image", &[1.0, 0.0, 0.0]).await, ["dog.jpg"]);
        assert_eq!(store.look_for("shows:dog type:video", &[1.0, 0.0, 0.0]).await, <[&str; 0]>::default());
        // Page by page in the same order, and counted.
        let query = meant("shows:dog", &[1.0, 0.0, 0.0]);
        let first = store.db.search(OPERATOR, store.family_id(), &query, None, 1).await.unwrap();
        let second = store.db.search(OPERATOR, store.family_id(), &query, first.next, 1).await.unwrap();
        assert_eq!((names(&second), second.next), (vec!["both.jpg".to_owned()], None));
        let counted = store.db.count_buckets(OPERATOR, store.family_id(), &query).await.unwrap();
        assert_eq!(counted.iter().map(|(_, assets)| assets).sum::<i64>(), 2);
    }

    async fn a_picture_that_somebody_may_not_see_shows_nothing(store: Store) {
        let parents = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        store.scene("dog.jpg", DOG).await;
        let hidden = store.scene("hidden.jpg", DOG).await;
        let (id, audience) = (store.literal(hidden.uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let child = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        let query = meant("shows:dog", &[1.0, 0.0, 0.0]);
        let found = store.db.search(&child, store.family_id(), &query, None, 10).await.unwrap();
        assert_eq!(names(&found), ["dog.jpg"]);
        assert_eq!(store.look_for("shows:dog", &[1.0, 0.0, 0.0]).await.len(), 2);
        store.db.delete_asset(OPERATOR, hidden, None, true).await.unwrap();
        assert_eq!(store.look_for("shows:dog", &[1.0, 0.0, 0.0]).await, ["dog.jpg"]);
    }

    async fn names_that_mean_something_like_it_take_the_place_of_pictures(store: Store) {
        for (name, tags) in [
            ("dog.jpg", &["dog"][..]),
            ("both.jpg", &["dog", "coast"]),
            ("coast.jpg", &["coast"]),
            ("letter.jpg", &["paper"]),
            ("dog at our beach.jpg", &[]),
        ] {
            let asset = store.add(file(name)).await;
            for tag in tags {
                store.say(asset, ClaimKind::Tag, tag).await;
            }
        }
        let look = async |query: &str| {
            let mut query: Query = query.parse().unwrap();
            for scene in query.scenes() {
                let names = ["coast", "dog", "no \"such\" thing"].map(str::to_owned);
                let words = ["dog", "beach"].map(str::to_owned);
                scene.meant = Some(Meant::Names { near: names.to_vec(), words: words.to_vec() });
            }
            let found = store.db.search(OPERATOR, store.family_id(), &query, None, 10).await;
            names(&found.unwrap())
        };
        // What has two of the names comes first; what has the words themselves is found as well.
        let found = look("shows:\"a dog on a beach\"").await;
        assert_eq!(found[0], "both.jpg");
        let mut others = found[1..].to_vec();
        others.sort();
        assert_eq!(others, ["coast.jpg", "dog at our beach.jpg", "dog.jpg"]);
        assert_eq!(look("shows:\"a dog on a beach\" both").await, ["both.jpg"]);
        assert_eq!(look("shows:\"a dog on a beach\" -tag:dog").await.len(), 2);
    }

    async fn what_nobody_can_say_of_pictures_is_refused(store: Store) {
        let dog = store.scene("dog.jpg", DOG).await;
        for (query, message) in [
            (meant("-shows:dog", DOG), "one picture can be named"),
            (meant("shows:dog shows:cat", DOG), "one picture can be named"),
            (meant(&format!("shows:dog like:{dog}"), DOG), "one picture can be named"),
            ("shows:dog".parse().unwrap(), "what pictures show can be asked for"),
        ] {
            let error = store.db.search(OPERATOR, store.family_id(), &query, None, 10).await.unwrap_err();
            assert!(matches!(error, DbError::Refused(_)), "{error:?}");
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }

    async fn what_is_told_anew_takes_its_place_and_a_purge_takes_it_away(store: Store) {
        let picture = store.scene("a.jpg", BEACH).await;
        assert_eq!(store.look_for("shows:dog", &[1.0, 0.0, 0.0]).await, <[&str; 0]>::default());
        store.depict(picture, 2, DOG).await;
        assert_eq!(store.look_for("shows:dog", &[1.0, 0.0, 0.0]).await, ["a.jpg"]);
        store.db.delete_asset(OPERATOR, picture, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, picture).await.unwrap();
        let left = store.sql("SELECT CAST(COUNT(*) AS TEXT) FROM asset_meaning").await;
        assert_eq!(left, ["0"]);
    }
}
