//! What a scan found is prepared, also when its process was killed before it began to.

use heirloom_core::RunId;
use heirloom_db::run::Run;
use heirloom_pipeline::{confinement::Confinement, run::Engine, scan::ScanOptions, template::ALL};
use serde_json::json;

use crate::harness::{Home, OPERATOR, on_both_engines};

impl Home {
    /// An engine that knows how to prepare.
    fn preparing(&self) -> Engine {
        let confinement = Confinement::through(env!("CARGO_BIN_EXE_confined-for-tests"));
        Engine::new(self.ctx.clone(), confinement, self.models(), &ALL)
    }

    /// Scans as a process does that is killed right after that: nobody prepares what was found.
    async fn scan_and_die(&self, process: bool) -> RunId {
        let options = ScanOptions {
            process,
            ..ScanOptions::default()
        };
        self.scan_with(options).await.unwrap().report.run
    }

    async fn preparations(&self) -> Vec<Run> {
        let runs = self.ctx.db.list_runs(OPERATOR, self.family.id, None, 100);
        let mut runs = runs.await.unwrap().items;
        runs.retain(|run| run.pipeline == "prepare");
        runs
    }
}

on_both_engines! {
    async fn what_a_killed_process_found_and_did_not_prepare_is_prepared_by_the_next(home: Home) {
        home.photo("a.jpg", 1);
        let found_by = home.scan_and_die(true).await;
        assert!(home.preparations().await.is_empty());
        for start in 0..2 {
            let engine = home.preparing();
            engine.resume().await.unwrap();
            let runs = home.preparations().await;
            assert_eq!(runs.len(), 1, "start {start}");
            assert_eq!(runs[0].parameters["scope"], json!({ "found_by": found_by }));
            assert_eq!(runs[0].assets, 1);
            let row = home.ctx.db.get_run(OPERATOR, found_by).await.unwrap();
            assert_eq!(row.progress["next_run"], json!(runs[0].id));
            assert_eq!(row.progress["files_done"], 1, "how far it was stays known");
            engine.stop().await;
        }
    }

    async fn what_is_not_to_be_prepared_is_left_alone(home: Home) {
        home.photo("a.jpg", 1);
        home.scan_and_die(false).await;
        // Asked to, it finds nothing new.
        home.scan_and_die(true).await;
        let engine = home.preparing();
        engine.resume().await.unwrap();
        assert!(home.preparations().await.is_empty());
        assert!(home.ctx.db.list_unfollowed_runs().await.unwrap().is_empty());
        engine.stop().await;
    }

    async fn two_that_ask_at_once_get_the_same_run(home: Home) {
        home.photo("a.jpg", 1);
        let found_by = home.scan_and_die(true).await;
        let (a, b) = (home.preparing(), home.preparing());
        let (one, other) = tokio::join!(a.follow(found_by), b.follow(found_by));
        let one = one.unwrap();
        assert!(one.is_some());
        assert_eq!(one, other.unwrap());
        assert_eq!(home.preparations().await.len(), 1);
        a.stop().await;
        b.stop().await;
    }
}
