//! The audit chain: what was done cannot be changed unseen, and can be erased.

use heirloom_core::{Actor, ContentHash, claim::ClaimKind, role::Role};
use heirloom_db::audit::BrokenAt;
use serde_json::json;

use crate::harness::{OPERATOR, Store, claim, file, member, on_both_engines};

/// Seven entries, and whether the chain holds after something was done to them.
async fn check_after(store: &Store, harm: &str) -> Result<i64, BrokenAt> {
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        let id = store.add(file(name)).await;
        store
            .db
            .delete_asset(OPERATOR, id, None, true)
            .await
            .unwrap();
        store.db.purge_asset(OPERATOR, id).await.unwrap();
    }
    let family = store.family_id();
    assert_eq!(store.db.check_audit(OPERATOR, family).await.unwrap(), Ok(7));
    store.sql(harm).await;
    store.db.check_audit(OPERATOR, family).await.unwrap()
}

fn zeros(store: &Store) -> String {
    let zeros = ContentHash::from_bytes([0; 32]);
    match store.db.engine() {
        heirloom_db::Engine::Sqlite => format!("X'{zeros}'"),
        heirloom_db::Engine::Postgres => format!("'\\x{zeros}'::bytea"),
    }
}

const SECOND: &str = "(SELECT id FROM audit WHERE position = 2)";

/// Who did what, in order: everything that was told since the archive of the store was made.
async fn told(store: &Store) -> Vec<String> {
    let entries = "SELECT a.action || ' ' || v.content FROM audit a
        JOIN audit_value v ON v.audit_id = a.id ORDER BY a.position";
    store.sql(entries).await.split_off(1)
}

on_both_engines! {
    async fn whoever_changes_what_people_said_or_see_is_told_of_once(store: Store) {
        let db = &store.db;
        let anna = member(store.family_id(), Role::Owner, &[store.family.audience_id]);
        let Actor::Member { account_id, .. } = anna.clone() else { unreachable!() };
        let id = store.add(file("a.jpg")).await;
        for _ in 0..2 {
            db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        }
        for _ in 0..2 {
            db.delete_asset(&anna, id, None, false).await.unwrap();
        }
        let title = claim(ClaimKind::Title, "Strand");
        let said = db.make_claim(&anna, id, title).await.unwrap().id;
        for is_undone in [true, true, false, false] {
            db.undo_claim(OPERATOR, id, said, is_undone).await.unwrap();
        }
        let attic = db.create_archive(OPERATOR, &store.family, "attic", "/attic").await.unwrap().id;
        for _ in 0..2 {
            db.rename_archive(OPERATOR, attic, "loft").await.unwrap();
        }
        let entry = |action: &str, actor: String, details: serde_json::Value| {
            format!("{action} {}", json!({ "actor": actor, "details": details }))
        };
        let (operator, anna) = (|| "operator".to_owned(), || account_id.to_string());
        assert_eq!(told(&store).await, [
            entry("asset.delete", operator(), json!({ "asset": id })),
            entry("asset.restore", anna(), json!({ "asset": id })),
            entry("claim.make", anna(), json!({ "asset": id, "claim": said })),
            entry("claim.undo", operator(), json!({ "asset": id, "claim": said })),
            entry("claim.redo", operator(), json!({ "asset": id, "claim": said })),
            entry("archive.create", operator(), json!({ "archive": attic, "name": "attic", "root": "/attic" })),
            entry("archive.rename", operator(), json!({ "archive": attic, "name": "loft", "was": "attic" })),
        ]);
    }

    async fn what_was_refused_is_not_told_of(store: Store) {
        let id = store.add(file("a.jpg")).await;
        let viewer = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        store.db.delete_asset(&viewer, id, None, true).await.unwrap_err();
        store.db.delete_asset(OPERATOR, id, Some(99), true).await.unwrap_err();
        store.db.create_archive(OPERATOR, &store.family, "photos", "/b").await.unwrap_err();
        assert_eq!(told(&store).await, [""; 0]);
    }

    async fn those_who_do_something_at_once_follow_one_another(store: Store) {
        let mut assets = Vec::new();
        for name in ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"] {
            assets.push(store.add(file(name)).await);
        }
        let other = store.open_again().await;
        let deleting = assets.iter().enumerate().map(|(at, id)| {
            let db = if at % 2 == 0 { &store.db } else { &other };
            db.delete_asset(OPERATOR, *id, None, true)
        });
        for deleted in futures_util::future::join_all(deleting).await {
            deleted.unwrap();
        }
        let told = store.db.check_audit(OPERATOR, store.family_id()).await.unwrap();
        assert_eq!(told, Ok(7));
        other.close().await;
    }

    async fn another_action_breaks_the_chain(store: Store) {
        let harm = "UPDATE audit SET action = 'asset.seen' WHERE position = 2";
        assert_eq!(check_after(&store, harm).await, Err(BrokenAt(2)));
    }

    async fn another_time_breaks_the_chain(store: Store) {
        let harm = "UPDATE audit SET at_ms = at_ms + 1 WHERE position = 3";
        assert_eq!(check_after(&store, harm).await, Err(BrokenAt(3)));
    }

    async fn other_values_break_the_chain(store: Store) {
        let harm = format!("UPDATE audit_value SET content = '{{}}' WHERE audit_id = {SECOND}");
        assert_eq!(check_after(&store, &harm).await, Err(BrokenAt(2)));
    }

    async fn an_entry_that_is_taken_out_breaks_the_chain(store: Store) {
        let harm = format!("DELETE FROM audit_value WHERE audit_id = {SECOND}; DELETE FROM audit WHERE position = 2");
        assert_eq!(check_after(&store, &harm).await, Err(BrokenAt(3)));
    }

    async fn an_entry_whose_hash_is_made_to_fit_breaks_the_next(store: Store) {
        let harm = format!("UPDATE audit SET entry_hash = {} WHERE position = 1", zeros(&store));
        assert_eq!(check_after(&store, &harm).await, Err(BrokenAt(1)));
    }

    async fn the_chain_holds_when_values_are_erased(store: Store) {
        assert_eq!(check_after(&store, "DELETE FROM audit_value").await, Ok(7));
    }
}
