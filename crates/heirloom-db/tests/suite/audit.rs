//! The audit chain: what was done cannot be changed unseen, and can be erased.

use heirloom_core::ContentHash;
use heirloom_db::audit::BrokenAt;

use crate::harness::{OPERATOR, Store, file, on_both_engines};

/// Three entries, and whether the chain holds after something was done to them.
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
    assert_eq!(store.db.check_audit(OPERATOR, family).await.unwrap(), Ok(3));
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

on_both_engines! {
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
        assert_eq!(check_after(&store, "DELETE FROM audit_value").await, Ok(3));
    }
}
