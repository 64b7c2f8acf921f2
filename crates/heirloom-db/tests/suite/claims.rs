//! What is said about an asset, and what follows from it in listings and searches.

use heirloom_core::{
    Actor,
    claim::ClaimKind::{Caption, Date, Person, Tag, Title},
    role::Role,
};
use heirloom_db::DbError;

use crate::harness::{OPERATOR, Store, claim, file, member, on_both_engines};

on_both_engines! {
    async fn what_people_say_outranks_what_the_file_says(store: Store) {
        let id = store.add(file("scan.jpg").dated("2019-03-01").says(Title, "Untitled")).await;
        store.add(file("later.jpg").dated("1980")).await;
        assert_eq!(store.list().await, ["scan.jpg", "later.jpg"]);

        let date = store.say(id, Date, "1942~").await;
        let title = store.say(id, Title, "Oma am Strand").await;
        let asset = store.asset(id).await;
        assert_eq!((asset.date.as_deref(), asset.title.as_deref()), (Some("1942~"), Some("Oma am Strand")));
        assert_eq!(store.list().await, ["later.jpg", "scan.jpg"], "it stands where it was dated");
        assert_eq!(store.find("strand").await, ["scan.jpg"]);
        assert_eq!(store.find("untitled").await, Vec::<String>::new());
        assert_eq!(store.find("date:1940..1945").await, ["scan.jpg"]);
        assert_eq!(store.find("date:2019").await, Vec::<String>::new());

        for claim in [&date, &title] {
            store.db.undo_claim(OPERATOR, id, claim.id, true).await.unwrap();
        }
        let asset = store.asset(id).await;
        assert_eq!((asset.date.as_deref(), asset.title.as_deref()), (Some("2019-03-01"), Some("Untitled")));
        assert_eq!(store.find("strand").await, Vec::<String>::new());
        assert_eq!(store.find("date:2019 untitled").await, ["scan.jpg"]);

        store.db.undo_claim(OPERATOR, id, title.id, false).await.unwrap();
        assert_eq!(store.find("strand").await, ["scan.jpg"], "who undoes may think again");
    }

    async fn what_is_denied_is_no_longer_found(store: Store) {
        let id = store.add(file("a.jpg").says(Person, "Anna").says(Tag, "Beach").dated("1999")).await;
        let denial = store.deny(id, Person, "anna").await;
        store.deny(id, Date, "1999").await;
        assert_eq!(store.find("person:anna").await, Vec::<String>::new());
        assert_eq!(store.find("anna").await, Vec::<String>::new());
        assert_eq!(store.find("tag:beach date:none").await, ["a.jpg"]);
        store.db.undo_claim(OPERATOR, id, denial.id, true).await.unwrap();
        assert_eq!(store.find("person:anna").await, ["a.jpg"]);
    }

    async fn a_machines_claim_is_denied_and_never_undone(store: Store) {
        let id = store.add(file("a.jpg").says(Person, "Anna")).await;
        let found = store.db.list_claims(OPERATOR, id).await.unwrap();
        let error = store.db.undo_claim(OPERATOR, id, found[0].id, true).await.unwrap_err();
        assert!(matches!(error, DbError::Refused(_)), "{error}");
        assert_eq!(store.db.list_claims(OPERATOR, id).await.unwrap(), found);
    }

    async fn viewers_and_strangers_say_nothing(store: Store) {
        let id = store.add(file("a.jpg")).await;
        let viewer = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        let said = store.db.make_claim(&viewer, id, claim(Tag, "beach")).await;
        assert!(matches!(said, Err(DbError::Denied(_))), "{said:?}");
        let said = store.db.make_claim(&Actor::Stranger, id, claim(Tag, "beach")).await;
        assert!(matches!(said, Err(DbError::NotFound { .. })), "{said:?}");
        let anna = member(store.family_id(), Role::Member, &[store.family.audience_id]);
        store.db.make_claim(&anna, id, claim(Caption, "at the beach")).await.unwrap();
        assert_eq!(store.find("beach").await, ["a.jpg"]);
    }
}
