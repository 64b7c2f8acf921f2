//! What may be told to a run, and what may not: every order in every state.

use heirloom_core::{
    RunId,
    run::{
        RunEvent::{self, Cancel, Drain, Fail, Finish, Pause, Resume, Retry, Start},
        RunState::{self, Cancelled, Cancelling, Done, Failed, Paused, Pending, Running},
    },
};
use heirloom_db::{
    DbError,
    plan::{Parameters, Scope},
};
use heirloom_pipeline::run::{Engine, EngineError};

use crate::harness::{Home, OPERATOR, on_both_engines};

/// What a person can ask for.
const ORDERS: [RunEvent; 4] = [Pause, Resume, Cancel, Retry];

/// A state, how a run comes into it, and where each order leads that it takes there. What is not listed
/// is refused.
type Row = (
    RunState,
    &'static [RunEvent],
    &'static [(RunEvent, RunState)],
);

#[rustfmt::skip]
const STATES: [Row; 7] = [
    (Pending, &[], &[(Pause, Paused), (Cancel, Cancelled)]),
    (Running, &[Start], &[(Pause, Paused), (Cancel, Cancelled)]),
    (Paused, &[Start, Pause], &[(Resume, Done), (Cancel, Cancelled)]),
    (Cancelling, &[Start, Cancel], &[(Cancel, Cancelled)]),
    (Cancelled, &[Start, Cancel, Drain], &[(Retry, Done)]),
    (Done, &[Start, Finish], &[(Retry, Done)]),
    (Failed, &[Start, Fail], &[(Retry, Done)]),
];

impl Home {
    /// A run over nothing, in the state that these events lead to, which nobody drives.
    async fn run_after(&self, events: &[RunEvent]) -> RunId {
        let parameters = Parameters {
            scope: Scope::Assets(Vec::new()),
            ..Parameters::default()
        };
        let (db, family) = (&self.ctx.db, self.family.id);
        let steps = ["look", "again"];
        let made = db.create_deriving_run(OPERATOR, family, "rehearsal", &parameters, &steps);
        let run = made.await.unwrap().id;
        for event in events {
            db.advance_run(OPERATOR, run, *event, None).await.unwrap();
        }
        run
    }

    async fn order(&self, engine: &Engine, run: RunId, order: RunEvent) -> Result<(), EngineError> {
        let row = self.ctx.db.get_run(OPERATOR, run).await.unwrap();
        match order {
            Retry => engine.retry(OPERATOR, &row).await.map(|_| ()),
            order => engine.tell(OPERATOR, &row, order).await,
        }
    }
}

on_both_engines! {
    async fn every_order_is_taken_or_refused_as_the_state_of_the_run_allows(home: Home) {
        let engine = home.engine();
        for (state, events, allowed) in STATES {
            for order in ORDERS {
                let run = home.run_after(events).await;
                assert_eq!(home.state(run).await, state);
                let told = home.order(&engine, run, order).await;
                let leads_to = allowed.iter().find(|(event, _)| *event == order);
                match (told, leads_to) {
                    (Ok(()), Some((_, then))) => home.wait_for(run, *then).await,
                    (Err(EngineError::Db(DbError::Refused(reason))), None) => {
                        assert_eq!(reason, format!("a run that is {state} cannot {order}"));
                        assert_eq!(home.state(run).await, state);
                    }
                    (told, _) => panic!("{order} to a run that is {state}: {told:?}"),
                }
            }
        }
        engine.stop().await;
    }

    async fn a_pipeline_that_there_is_not_is_named_with_those_that_there_are(home: Home) {
        let engine = home.engine();
        match engine.start(OPERATOR, home.family.id, "dreams", &Parameters::default()).await {
            Err(EngineError::NoPipeline { known, .. }) => assert_eq!(known, "rehearsal, encore, new encore"),
            other => panic!("{other:?}"),
        }
        engine.stop().await;
    }
}
