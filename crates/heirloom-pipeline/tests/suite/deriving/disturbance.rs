//! What happens around a run while it goes on: children that hang, files that vanish, clocks that jump,
//! and room that is wanted back.

use std::{
    fs,
    time::{Duration, Instant},
};

use heirloom_core::{
    run::{RunEvent, RunState},
    unit::UnitState,
};
use heirloom_db::plan::Parameters;
use heirloom_pipeline::purge::purge_assets;

use super::all;
use crate::{
    confinement::children,
    harness::{OPERATOR, on_both_engines},
};

/// So many names of files that take their time.
fn slow(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("slow-{number}.jpg"))
        .collect()
}

fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

on_both_engines! {
    async fn a_cancelled_run_ends_the_child_that_hangs(home: Home) {
        home.with(&["hanging-1.jpg"]).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        let hanging = || {
            let mut children = children::children_of(std::process::id()).into_iter();
            children.find(|child| children::is_hanging(*child))
        };
        let mut child = None;
        home.wait_until("a child hangs", async || {
            child = hanging();
            child.is_some()
        })
        .await;
        let child = child.unwrap();
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        let told = Instant::now();
        engine.tell(OPERATOR, &row, RunEvent::Cancel).await.unwrap();
        home.wait_for(run, RunState::Cancelled).await;
        home.wait_until("the child is gone", async || !children::is_running(child)).await;
        // Two seconds are promised; a busy machine is given more before this counts as broken.
        assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
        assert_eq!(home.unit(run, "hanging-1.jpg").await.state, UnitState::Cancelled);
        engine.stop().await;
    }

    async fn a_run_over_assets_that_vanish_ends_and_says_which(home: Home) {
        let all_names = slow(40);
        home.with(&names(&all_names)).await;
        // What is newest is planned first, so that these are still to come.
        let assets = home.assets().await;
        let oldest = |number: usize| assets.iter().find(|asset| asset.name == all_names[number]).unwrap().id;
        let (hidden, purged) = (oldest(0), oldest(1));
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_until("something is made", async || home.counts(run).await.done > 0).await;
        for asset in [hidden, purged] {
            home.ctx.db.delete_asset(OPERATOR, asset, None, true).await.unwrap();
        }
        purge_assets(&home.ctx, &[purged]).await.unwrap();
        let elsewhere = home.place.path().join("unplugged");
        fs::rename(&home.library, &elsewhere).unwrap();
        home.wait_for(run, RunState::Done).await;

        let mut lost = 0;
        for unit in home.units(run).await.into_iter().filter(|unit| unit.step == "look") {
            let reason = unit.error.as_deref().unwrap_or_default();
            match unit.state {
                UnitState::Done => assert!(unit.asset_id != hidden, "{unit:?}"),
                UnitState::Skipped => assert_eq!((unit.asset_id, reason), (hidden, "It was deleted.")),
                UnitState::Failed => {
                    lost += 1;
                    assert!(!unit.is_permanent && reason.contains("none of its places"), "{unit:?}");
                }
                _ => panic!("{unit:?}"),
            }
            assert!(unit.asset_id != purged, "nothing is known of it");
        }
        assert!(lost > 0, "the folder vanished too late to tell");
        let counts = home.counts(run).await;
        assert_eq!((counts.pending, counts.done + counts.failed + counts.skipped), (0, 40), "{counts:?}");

        // It is plugged in again: what was lost is made, and nothing else.
        fs::rename(&elsewhere, &home.library).unwrap();
        let again = home.start(&engine).await;
        home.wait_for(again, RunState::Done).await;
        assert_eq!(home.counts(again).await.done, lost);
        assert_eq!(home.made().await, all(&names(&all_names[2..])));
        // And what was hidden meanwhile, once it is wanted again.
        home.ctx.db.delete_asset(OPERATOR, hidden, None, false).await.unwrap();
        let wanted = home.start(&engine).await;
        home.wait_for(wanted, RunState::Done).await;
        assert_eq!(home.counts(wanted).await.done, 1);
        engine.stop().await;
    }

    async fn what_came_to_nothing_is_known_and_not_tried_again(home: Home) {
        home.with(&["empty-1.jpg", "plain-2.jpg"]).await;
        let engine = home.engine();
        for (done, skipped, tried) in [(1, 1, 2), (0, 1, 0)] {
            let run = home.start(&engine).await;
            home.wait_for(run, RunState::Done).await;
            let counts = home.counts(run).await;
            assert_eq!((counts.done, counts.skipped), (done, skipped), "{counts:?}");
            let looks = home.units(run).await.into_iter().filter(|unit| unit.step == "look");
            assert_eq!(looks.count(), tried);
        }
        let insisting = Parameters { retry_failed: true, ..Parameters::default() };
        let run = home.start_with(&engine, insisting).await;
        home.wait_for(run, RunState::Done).await;
        assert_eq!(home.units(run).await.iter().filter(|unit| unit.step == "look").count(), 1);
        engine.stop().await;
    }

    async fn a_clock_that_was_years_ahead_holds_no_run_up(home: Home) {
        let all_names = slow(30);
        home.with(&names(&all_names)).await;
        let first = home.engine();
        let run = home.start(&first).await;
        home.wait_until("something is made", async || home.counts(run).await.done > 0).await;
        first.stop().await;
        // Whoever takes the rest has a clock that is years ahead, and dies.
        let db = &home.ctx.db;
        let rest = db.list_ready_units(run, "look", 100).await.unwrap();
        let taken = db.lease_units(&rest, 100_000_000_000).await.unwrap();
        assert!(!taken.is_empty(), "nothing was left to take");
        let second = home.engine();
        second.resume().await.unwrap();
        home.wait_for(run, RunState::Done).await;
        assert_eq!(home.made().await, all(&names(&all_names)));
        second.stop().await;
    }

    async fn a_run_that_is_paused_for_weeks_holds_no_bytes_back(home: Home) {
        let all_names = slow(60);
        home.with(&names(&all_names)).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_until("something is made", async || home.counts(run).await.done > 0).await;
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        engine.tell(OPERATOR, &row, RunEvent::Pause).await.unwrap();
        home.wait_until("nobody works", async || {
            home.units(run).await.iter().all(|unit| unit.state != UnitState::Running)
        }).await;
        let units = home.units(run).await;
        let made = units.iter().find(|unit| unit.step == "look" && unit.state == UnitState::Done).unwrap();
        let asset = home.get(made.asset_id).await;
        // The copy that was made of it.
        assert!(home.ctx.blobs.contains(asset.content_hash).await.unwrap());
        home.ctx.db.delete_asset(OPERATOR, asset.id, None, true).await.unwrap();
        let purge = purge_assets(&home.ctx, &[asset.id]).await.unwrap();
        assert_eq!(purge.blobs, 1);
        assert!(!home.ctx.blobs.contains(asset.content_hash).await.unwrap());
        assert_eq!(home.state(run).await, RunState::Paused);
        engine.stop().await;
    }
}
