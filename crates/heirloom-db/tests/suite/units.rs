//! Units of a run: planned, leased, worked on and ended, by several hands at once.

use std::collections::BTreeSet;

use heirloom_core::{
    AssetId, ContentHash, RunId, UnitId, run::RunEvent, run::RunState, unit::FailureCode,
    unit::UnitState,
};
use heirloom_db::{
    Db, DbError,
    artifact::{Derived, NewArtifact, Part, Payload, Recipe, artifact_key},
    plan::{Aim, Parameters, Scope, Wanted},
    run::StepCounts,
    unit::{Ended, Lease, Outcome, WhichUnits},
    workpiece::Workpiece,
};
use serde_json::{Value as Json, json};

use crate::harness::{OPERATOR, Store, file, on_both_engines};

const LEASE_MS: i64 = 60_000;

fn key(asset: &Workpiece) -> ContentHash {
    artifact_key(
        asset.family_id,
        asset.id,
        &Recipe {
            kind: "look",
            part: Part::Whole,
            tool: ("looking", 1),
            model: "",
            parameters: &Json::Null,
            inputs: &[asset.content_hash],
        },
    )
}

fn wanted(asset: &Workpiece, _: &Parameters) -> Vec<Wanted> {
    vec![Wanted {
        step: "look",
        tool: ("looking", 1),
        model: String::new(),
        key: Some(key(asset)),
    }]
}

fn made(content: ContentHash) -> Derived {
    Derived {
        artifact: NewArtifact {
            kind: "look",
            part: Part::Whole,
            tool: "looking",
            tool_version: 1,
            model: String::new(),
            parameters: Json::Null,
            is_deterministic: true,
            inputs: vec![content],
            payload: Payload::Json(json!({ "seen": true })),
        },
        claims: Vec::new(),
    }
}

impl Store {
    /// So many assets, the oldest first.
    async fn assets(&self, count: u8) -> Vec<AssetId> {
        let mut assets = Vec::new();
        for number in 0..count {
            assets.push(self.add(file(&format!("{number}.jpg"))).await);
        }
        assets
    }

    /// A run that goes through assets, which is running.
    async fn running(&self, parameters: &Parameters) -> RunId {
        let run = self
            .db
            .create_deriving_run(OPERATOR, self.family_id(), "prepare", parameters, &["look"])
            .await
            .unwrap();
        self.db
            .advance_run(OPERATOR, run.id, RunEvent::Start, None)
            .await
            .unwrap();
        run.id
    }

    async fn counts(&self, run: RunId) -> StepCounts {
        let steps = self.db.list_run_steps(run).await.unwrap();
        assert_eq!(steps.len(), 1);
        steps[0].counts
    }

    async fn done(&self, lease: &Lease) -> Ended {
        let asset = self.db.get_asset(OPERATOR, lease.asset).await.unwrap();
        ended(lease, Outcome::Done(vec![made(asset.content_hash)]))
    }
}

fn ended(lease: &Lease, outcome: Outcome) -> Ended {
    Ended {
        lease: lease.clone(),
        outcome,
        has_crashed: false,
        duration_ms: 3,
        log: None,
        measures: None,
    }
}

async fn lease(db: &Db, run: RunId, limit: usize) -> Vec<Lease> {
    let ready = db.list_ready_units(run, "look", limit).await.unwrap();
    db.lease_units(&ready, LEASE_MS).await.unwrap()
}

fn again(after_ms: i64) -> Outcome {
    Outcome::Again {
        reason: "not now".to_owned(),
        after_ms,
    }
}

on_both_engines! {
    async fn a_run_is_planned_from_the_newest_on_a_few_at_a_time(store: Store) {
        let assets = store.assets(5).await;
        let run = store.running(&Parameters::default()).await;
        let first = store.db.plan_run(run, 2, Aim::Complete, wanted).await.unwrap();
        assert_eq!((first.assets, first.units, first.is_planned), (2, 2, false));
        let leased: Vec<AssetId> =
            lease(&store.db, run, 10).await.iter().map(|lease| lease.asset).collect();
        assert_eq!(leased, [assets[4], assets[3]]);
        let second = store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        assert_eq!((second.units, second.is_planned), (3, true));
        assert_eq!(store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap().assets, 0);
        let row = store.db.get_run(OPERATOR, run).await.unwrap();
        assert_eq!((row.assets, row.assets_planned, row.is_planned), (5, 5, true));
        assert_eq!(store.counts(run).await, StepCounts { pending: 5, ..StepCounts::default() });
    }

    async fn what_is_there_already_gets_no_unit(store: Store) {
        store.assets(3).await;
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        let leases = lease(&store.db, run, 2).await;
        let all = [store.done(&leases[0]).await, store.done(&leases[1]).await];
        assert!(store.db.end_units(run, &all).await.unwrap().is_empty());
        let again = store.running(&Parameters::default()).await;
        let planned = store.db.plan_run(again, 10, Aim::Complete, wanted).await.unwrap();
        assert_eq!(planned.units, 1);
        let counts = StepCounts { present: 2, pending: 1, ..StepCounts::default() };
        assert_eq!(store.counts(again).await, counts);
    }

    async fn each_scope_has_its_assets_and_no_others(store: Store) {
        let assets = store.assets(4).await;
        let other = store.db.create_archive(OPERATOR, &store.family, "films", "/films").await.unwrap();
        let cases = [
            (Scope::All, None, 4),
            (Scope::Archive(store.archive.id), None, 4),
            (Scope::Archive(other.id), None, 0),
            (Scope::FoundBy(store.run), None, 4),
            (Scope::FoundBy(RunId::from_uuid(uuid::Uuid::nil())), None, 0),
            (Scope::Assets(vec![assets[1], assets[3], assets[1]]), None, 2),
            (Scope::All, Some(3), 3),
        ];
        for (scope, sample, expected) in cases {
            let parameters = Parameters { scope: scope.clone(), sample, ..Parameters::default() };
            let run = store.running(&parameters).await;
            let mut units = 0;
            for _ in 0..10 {
                let planned = store.db.plan_run(run, 2, Aim::Complete, wanted).await.unwrap();
                units += planned.units;
                if planned.is_planned {
                    break;
                }
            }
            assert_eq!(units, expected, "{scope:?}");
            assert!(store.db.get_run(OPERATOR, run).await.unwrap().is_planned, "{scope:?}");
        }
        store.db.delete_asset(OPERATOR, assets[0], None, true).await.unwrap();
        let run = store.running(&Parameters::default()).await;
        assert_eq!(store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap().units, 3);
    }

    async fn two_hands_never_hold_the_same_unit(store: Store) {
        store.assets(40).await;
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 100, Aim::Complete, wanted).await.unwrap();
        let other = store.open_again().await;
        // Both ask for the same ones at the same moment.
        let ready = store.db.list_ready_units(run, "look", 40).await.unwrap();
        let (a, b) = tokio::join!(
            store.db.lease_units(&ready, LEASE_MS),
            other.lease_units(&ready, LEASE_MS)
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        let units: BTreeSet<UnitId> = a.iter().chain(&b).map(|lease| lease.unit).collect();
        assert_eq!((units.len(), a.len() + b.len()), (40, 40));
        other.close().await;
    }

    async fn a_holder_that_was_thought_dead_is_refused(store: Store) {
        store.assets(1).await;
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        let ready = store.db.list_ready_units(run, "look", 1).await.unwrap();
        // Its lease has run out before it begins.
        let slow = store.db.lease_units(&ready, -1).await.unwrap().remove(0);
        let quick = lease(&store.db, run, 1).await.remove(0);
        assert_eq!((slow.unit, slow.token + 1), (quick.unit, quick.token));
        let lost = store.db.extend_leases(&[slow.clone(), quick.clone()], LEASE_MS).await.unwrap();
        assert_eq!(lost, [slow.unit]);
        let late = store.done(&slow).await;
        assert_eq!(store.db.end_units(run, std::slice::from_ref(&late)).await.unwrap(), [slow.unit]);
        let asset = store.db.get_asset(OPERATOR, slow.asset).await.unwrap();
        let looks = async || {
            let artifacts = store.db.list_artifacts(&asset).await.unwrap();
            artifacts.iter().filter(|artifact| artifact.kind == "look").count()
        };
        assert_eq!(looks().await, 0);
        let in_time = store.done(&quick).await;
        assert!(store.db.end_units(run, std::slice::from_ref(&in_time)).await.unwrap().is_empty());
        assert_eq!(store.db.end_units(run, &[late]).await.unwrap(), [slow.unit]);
        assert_eq!(store.db.end_units(run, &[in_time]).await.unwrap(), [quick.unit]);
        assert_eq!(looks().await, 1);
        assert_eq!(store.counts(run).await, StepCounts { done: 1, ..StepCounts::default() });
    }

    async fn each_end_leaves_a_unit_as_it_should(store: Store) {
        store.assets(1).await;
        let failed = |is_permanent| Outcome::Failed {
            code: FailureCode::TooLarge, reason: "broken".to_owned(), is_permanent,
        };
        let cases = [
            (Outcome::Skipped { reason: "nothing to see".to_owned(), is_permanent: false }, UnitState::Skipped, Some("nothing to see"), 1),
            (failed(false), UnitState::Failed, Some("broken"), 1),
            (again(500_000), UnitState::Pending, Some("not now"), 1),
            (Outcome::Untouched, UnitState::Pending, None, 0),
            (Outcome::Cancelled, UnitState::Cancelled, None, 1),
            (Outcome::Done(Vec::new()), UnitState::Done, None, 1),
        ];
        for (outcome, state, error, attempts) in cases {
            let run = store.running(&Parameters::default()).await;
            store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
            let held = lease(&store.db, run, 1).await.remove(0);
            store.db.end_units(run, &[ended(&held, outcome.clone())]).await.unwrap();
            let unit = store.db.get_unit(OPERATOR, held.unit).await.unwrap();
            assert_eq!((unit.state, unit.error.as_deref(), unit.attempts), (state, error, attempts));
            assert_eq!(unit.ended_at_ms.is_some(), state.has_ended(), "{outcome:?}");
            let code = (state == UnitState::Failed).then_some(FailureCode::TooLarge);
            assert_eq!(unit.failure_code, code, "{outcome:?}");
            let mut counts = StepCounts::default();
            match state {
                UnitState::Skipped => counts.skipped = 1,
                UnitState::Failed => counts.failed = 1,
                UnitState::Cancelled => counts.cancelled = 1,
                UnitState::Done => counts.done = 1,
                _ => counts.pending = 1,
            }
            assert_eq!(store.counts(run).await, counts, "{outcome:?}");
            // What waits is not ready; what was not begun is.
            let ready = lease(&store.db, run, 1).await.len();
            assert_eq!(ready, usize::from(outcome == Outcome::Untouched), "{outcome:?}");
        }
    }

    async fn what_would_fail_again_is_not_tried_again_unless_asked(store: Store) {
        store.assets(1).await;
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        let held = lease(&store.db, run, 1).await.remove(0);
        let broken = Outcome::Failed {
            code: FailureCode::Damaged, reason: "It is cut off.".to_owned(), is_permanent: true,
        };
        store.db.end_units(run, &[ended(&held, broken)]).await.unwrap();
        let next = store.running(&Parameters::default()).await;
        assert_eq!(store.db.plan_run(next, 10, Aim::Complete, wanted).await.unwrap().units, 0);
        let units = store.db.list_units(OPERATOR, next, WhichUnits::In(UnitState::Failed), None, 10).await.unwrap();
        assert_eq!(units.items[0].error.as_deref(), Some("It is cut off."));
        let asked = Parameters { retry_failed: true, ..Parameters::default() };
        let asked = store.running(&asked).await;
        assert_eq!(store.db.plan_run(asked, 10, Aim::Complete, wanted).await.unwrap().units, 1);
    }

    async fn a_clock_that_jumps_holds_nothing_up(store: Store) {
        store.assets(2).await;
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        let ready = store.db.list_ready_units(run, "look", 1).await.unwrap();
        // Leased by a clock that was years ahead, and then put back.
        store.db.lease_units(&ready, 100_000_000_000).await.unwrap();
        assert_eq!(lease(&store.db, run, 10).await.len(), 1);
        assert_eq!(lease(&store.db, run, 10).await.len(), 0);
        store.db.calm_units(run).await.unwrap();
        let taken = lease(&store.db, run, 10).await;
        assert_eq!(taken.iter().map(|lease| lease.unit).collect::<Vec<_>>(), ready);
    }

    async fn a_run_that_waits_or_stops_gives_no_leases(store: Store) {
        store.assets(3).await;
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 2, Aim::Complete, wanted).await.unwrap();
        let held = lease(&store.db, run, 1).await.remove(0);
        let advance = async |event| store.db.advance_run(OPERATOR, run, event, None).await.unwrap();
        advance(RunEvent::Pause).await;
        assert!(lease(&store.db, run, 10).await.is_empty());
        assert_eq!(store.db.plan_run(run, 2, Aim::Complete, wanted).await.unwrap().assets, 0);
        advance(RunEvent::Resume).await;
        advance(RunEvent::Cancel).await;
        assert!(lease(&store.db, run, 10).await.is_empty());
        // One is still held, so it has not stopped yet.
        assert!(!store.db.cancel_units(run).await.unwrap());
        store.db.end_units(run, &[ended(&held, Outcome::Cancelled)]).await.unwrap();
        assert!(store.db.cancel_units(run).await.unwrap());
        assert_eq!(advance(RunEvent::Drain).await, RunState::Cancelled);
        assert_eq!(store.counts(run).await, StepCounts { cancelled: 2, ..StepCounts::default() });
        // Tried again, it goes on where it was, with what was never planned too.
        assert_eq!(store.db.retry_run(OPERATOR, run).await.unwrap(), 2);
        assert_eq!(store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap().units, 1);
        assert_eq!(lease(&store.db, run, 10).await.len(), 3);
        match store.db.retry_run(OPERATOR, run).await {
            Err(DbError::Refused(reason)) => assert!(reason.contains("running"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }

    async fn only_a_run_that_goes_on_or_is_held_may_be_about_to_store_something(store: Store) {
        store.assets(2).await;
        let holder = async || store.db.find_oldest_holder().await.unwrap();
        assert_eq!(holder().await, None);
        let run = store.running(&Parameters::default()).await;
        let started_at_ms = store.db.get_run(OPERATOR, run).await.unwrap().started_at_ms;
        assert_eq!(holder().await, started_at_ms);
        store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        let ready = store.db.list_ready_units(run, "look", 2).await.unwrap();
        let in_time = store.db.lease_units(&ready[..1], LEASE_MS).await.unwrap().remove(0);
        // Its lease has run out before it begins.
        let late = store.db.lease_units(&ready[1..], -1).await.unwrap().remove(0);
        store.db.advance_run(OPERATOR, run, RunEvent::Pause, None).await.unwrap();
        assert_eq!(holder().await, started_at_ms, "one of its units is held");
        let made = store.done(&late).await;
        assert_eq!(store.db.end_units(run, &[made]).await.unwrap(), [late.unit], "it counts as dead now");
        let made = store.done(&in_time).await;
        assert!(store.db.end_units(run, &[made]).await.unwrap().is_empty());
        assert_eq!(holder().await, None);
        assert_eq!(store.counts(run).await, StepCounts { done: 1, pending: 1, ..StepCounts::default() });
        // Resumed, it goes on with what was let go of.
        store.db.advance_run(OPERATOR, run, RunEvent::Resume, None).await.unwrap();
        assert_eq!(lease(&store.db, run, 10).await.remove(0).unit, late.unit);
    }

    async fn a_purged_asset_takes_its_units_along(store: Store) {
        let asset = store.assets(1).await[0];
        let run = store.running(&Parameters::default()).await;
        store.db.plan_run(run, 10, Aim::Complete, wanted).await.unwrap();
        let held = lease(&store.db, run, 1).await.remove(0);
        let late = store.done(&held).await;
        store.db.delete_asset(OPERATOR, asset, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, asset).await.unwrap();
        assert_eq!(store.db.end_units(run, &[late]).await.unwrap(), [held.unit]);
        assert!(!store.db.has_open_units(run).await.unwrap());
        assert_eq!(store.counts(run).await, StepCounts { skipped: 1, ..StepCounts::default() });
    }
}
