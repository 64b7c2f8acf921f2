//! Runs that derive: they make each thing once, whatever happens to those who work on them.
//!
//! The tool here does what a file's name tells it to, so that a test says in its library what happens.

mod disturbance;
mod next;
mod orders;
mod pages;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{
    RunId,
    claim::{ClaimKind, ClaimValue, Statement},
    run::{RunEvent, RunState},
    unit::{FailureCode, UnitState},
};
use heirloom_db::{
    Engine as Database,
    artifact::Artifact,
    claim::NewClaim,
    plan::{Aim, Foreseen, Parameters, Scope},
    run::StepCounts,
    unit::{Unit, WhichUnits},
};
use heirloom_pipeline::{
    confinement::{Confinement, JobLimits},
    run::Engine,
    template::{Step, Template},
    tool::{Parameter, ResourceClass, Tool, View},
    work::{Content, Failure, Product, Task},
};
use serde_json::json;
use std::io::Read as _;

use crate::harness::{Home, OPERATOR, on_both_engines};

const LOOK: Tool = Tool {
    name: "rehearsal",
    version: 1,
    outputs: &["look", "copy"],
    view: View::Picture,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[TEMPO],
    ability: None,
};
const TEMPO: Parameter = Parameter {
    name: "tempo",
    meaning: "Beats in a minute.",
    least: 40,
    most: 240,
    default: 100,
};

const LOOK_STEP: Step = Step {
    name: "look",
    tool: LOOK,
    work: look,
};
const COUNT_STEP: Step = Step {
    name: "again",
    tool: Tool {
        name: "again",
        outputs: &["count"],
        class: ResourceClass::Io,
        ..LOOK
    },
    work: count,
};
static REHEARSAL: Template = Template {
    name: "rehearsal",
    aim: Aim::Complete,
    steps: &[LOOK_STEP, COUNT_STEP],
};
/// The same once more.
static ENCORE: Template = Template {
    name: "encore",
    aim: Aim::Again,
    steps: &[LOOK_STEP],
};
/// The same by a newer version of its tool.
const NEW_LOOK: Step = Step {
    tool: Tool { version: 2, ..LOOK },
    ..LOOK_STEP
};
static NEW_ENCORE: Template = Template {
    name: "new encore",
    aim: Aim::Again,
    steps: &[NEW_LOOK],
};
static TEMPLATES: [&Template; 3] = [&REHEARSAL, &ENCORE, &NEW_ENCORE];

/// Rises with each look at a `fickle` file.
static LOOKS: AtomicI64 = AtomicI64::new(0);

/// Does what the name says, before the number: `slow-1.jpg` takes its time.
fn look<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let word = task.asset.name.split('-').next().unwrap_or_default();
        let because = |words: &str| words.to_owned();
        match word {
            "slow" => tokio::time::sleep(Duration::from_millis(30)).await,
            "endless" => tokio::time::sleep(Duration::from_secs(3600)).await,
            "hanging" => hang(task).await?,
            "broken" => {
                return Err(Failure::Permanent(
                    FailureCode::Damaged,
                    because("It is cut off."),
                ));
            }
            "empty" => return Err(Failure::NothingToDo(because("Nothing is to be seen."))),
            "deadly" => return Err(Failure::Crashed(FailureCode::Crashed, because("signal 11"))),
            "panic" => panic!("an invariant is broken"),
            "shy" => {
                task.say("tried");
                return Err(Failure::Temporary(because("It is busy.")));
            }
            _ => {}
        }
        let looks = match word {
            "fickle" => LOOKS.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let mut bytes = Vec::new();
        task.open()
            .await?
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::Unavailable(FailureCode::Other, error.to_string()))?;
        task.say(&format!("{} bytes", bytes.len()));
        Ok(vec![
            Product {
                claims: vec![title(&format!("{word} {looks}"))],
                ..Product::new(
                    "look",
                    Content::Json(json!({ "looks": looks, "tempo": task.parameter(&TEMPO) })),
                )
            },
            Product::new(
                "copy",
                Content::Bytes(json!({ "media_type": "image/jpeg" }), bytes.into()),
            ),
        ])
    }
    .boxed()
}

fn title(words: &str) -> NewClaim {
    let value = ClaimValue::Text(words.to_owned());
    NewClaim {
        statement: Statement::new(ClaimKind::Title, value).unwrap(),
        is_negation: false,
        source: "rehearsal".to_owned(),
        confidence: 0.5,
    }
}

/// Waits for a confined process that hears no signal and never answers.
async fn hang(task: &Task<'_>) -> Result<(), Failure> {
    let job = json!({ "attempt": "hang-deaf" });
    let limits = JobLimits {
        wall: Duration::from_secs(3600),
        ..JobLimits::default()
    };
    let work = task.work(job, task.open().await?, limits);
    work.await?;
    Ok(())
}

fn count<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        Ok(vec![Product::new(
            "count",
            Content::Json(json!({ "name": task.asset.name })),
        )])
    }
    .boxed()
}

impl Home {
    fn engine(&self) -> Engine {
        let confinement = Confinement::through(env!("CARGO_BIN_EXE_confined-for-tests"));
        Engine::new(self.ctx.clone(), confinement, self.models(), &TEMPLATES)
    }

    /// A library of these files, scanned.
    async fn with(&self, names: &[&str]) {
        for (name, number) in names.iter().zip(1..) {
            self.photo(name, number);
        }
        self.scan().await;
    }

    async fn start(&self, engine: &Engine) -> RunId {
        self.start_with(engine, Parameters::default()).await
    }

    async fn start_with(&self, engine: &Engine, parameters: Parameters) -> RunId {
        self.start_pipeline(engine, "rehearsal", parameters).await
    }

    async fn start_pipeline(&self, engine: &Engine, name: &str, parameters: Parameters) -> RunId {
        engine
            .start(OPERATOR, self.family.id, name, &parameters)
            .await
            .unwrap()
    }

    /// Runs a pipeline to its end.
    async fn run(&self, engine: &Engine, name: &str) -> RunId {
        let run = self
            .start_pipeline(engine, name, Parameters::default())
            .await;
        self.wait_for(run, RunState::Done).await;
        run
    }

    /// What the tool of the step `look` has made of the asset of that name.
    async fn looks(&self, name: &str) -> Vec<Artifact> {
        let asset = self.asset(name).await;
        let mut made = self.ctx.db.list_artifacts(&asset).await.unwrap();
        made.retain(|artifact| artifact.tool == LOOK.name);
        made
    }

    async fn state(&self, run: RunId) -> RunState {
        self.ctx.db.get_run(OPERATOR, run).await.unwrap().state
    }

    /// Waits until the run is in this state.
    async fn wait_for(&self, run: RunId, state: RunState) {
        self.wait_until(&format!("{run} is {state}"), async || {
            self.state(run).await == state
        })
        .await;
    }

    /// Waits until something is so, generously.
    async fn wait_until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let started = Instant::now();
        while !is_so().await {
            assert!(started.elapsed() < Duration::from_secs(60), "{what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn units(&self, run: RunId) -> Vec<Unit> {
        self.ctx
            .db
            .list_units(OPERATOR, run, WhichUnits::All, None, 10_000)
            .await
            .unwrap()
            .items
    }

    async fn find_unit(&self, run: RunId, name: &str) -> Option<Unit> {
        let mut units = self.units(run).await.into_iter();
        units.find(|unit| unit.step == "look" && unit.asset_name.as_deref() == Some(name))
    }

    async fn unit(&self, run: RunId, name: &str) -> Unit {
        let found = self.find_unit(run, name).await;
        found.unwrap_or_else(|| panic!("no unit of {name}"))
    }

    async fn counts(&self, run: RunId) -> StepCounts {
        self.ctx.db.list_run_steps(run).await.unwrap()[0].counts
    }

    /// The kinds of what a run made, and how often, by the name of the asset.
    async fn made(&self) -> BTreeMap<String, Vec<String>> {
        let mut made = BTreeMap::new();
        for asset in self.assets().await {
            let artifacts = self.ctx.db.list_artifacts(&asset).await.unwrap();
            let mut kinds: Vec<String> = artifacts
                .into_iter()
                .map(|artifact| artifact.kind)
                .collect();
            kinds.retain(|kind| kind != "metadata");
            kinds.sort();
            made.insert(asset.name, kinds);
        }
        made
    }
}

fn all(names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let kinds = || ["copy", "count", "look"].map(str::to_owned).to_vec();
    names
        .iter()
        .map(|name| ((*name).to_owned(), kinds()))
        .collect()
}

on_both_engines! {
    async fn a_run_makes_everything_once_and_says_so(home: Home) {
        home.with(&["a-1.jpg", "b-2.jpg", "c-3.jpg"]).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_for(run, RunState::Done).await;
        assert_eq!(home.made().await, all(&["a-1.jpg", "b-2.jpg", "c-3.jpg"]));
        let unit = home.unit(run, "a-1.jpg").await;
        assert_eq!((unit.state, unit.attempts), (UnitState::Done, 1));
        assert!(unit.log.unwrap().ends_with(" bytes\n"));
        assert!(unit.duration_ms.is_some());
        let asset = home.asset("a-1.jpg").await;
        let artifacts = home.ctx.db.list_artifacts(&asset).await.unwrap();
        let copy = artifacts.iter().find(|artifact| artifact.kind == "copy").unwrap();
        // The bytes are in the store, under the hash of the original here.
        assert_eq!(copy.blob_hash, Some(asset.content_hash));
        assert!(home.ctx.blobs.contains(asset.content_hash).await.unwrap());
        // Once more: there is nothing to do, and no unit is made.
        let again = home.start(&engine).await;
        home.wait_for(again, RunState::Done).await;
        assert_eq!(home.units(again).await, []);
        assert_eq!(home.counts(again).await, StepCounts { present: 3, ..StepCounts::default() });
        engine.stop().await;
    }

    async fn what_is_made_again_and_comes_out_the_same_stays_as_it_is(home: Home) {
        home.with(&["a-1.jpg", "b-2.jpg"]).await;
        let engine = home.engine();
        home.run(&engine, "rehearsal").await;
        let before = home.looks("a-1.jpg").await;
        let run = home.run(&engine, "encore").await;
        assert_eq!(home.looks("a-1.jpg").await, before);
        assert_eq!(home.counts(run).await, StepCounts { done: 2, ..StepCounts::default() });
        engine.stop().await;
    }

    async fn what_comes_out_otherwise_takes_the_place_of_what_was_there(home: Home) {
        home.with(&["fickle-1.jpg", "b-2.jpg"]).await;
        let engine = home.engine();
        home.run(&engine, "rehearsal").await;
        let before = home.looks("fickle-1.jpg").await;
        let run = home.run(&engine, "encore").await;
        assert_eq!(home.counts(run).await, StepCounts { done: 2, changed: 1, ..StepCounts::default() });
        let changed = home.ctx.db.list_units(OPERATOR, run, WhichUnits::Changed, None, 10).await.unwrap().items;
        let names: Vec<_> = changed.iter().map(|unit| unit.asset_name.as_deref().unwrap()).collect();
        assert_eq!(names, ["fickle-1.jpg"]);
        assert!(changed[0].has_changed);
        let after = home.looks("fickle-1.jpg").await;
        let find = |kind: &str, made: &[Artifact]| made.iter().find(|one| one.kind == kind).unwrap().clone();
        assert_eq!(after.len(), 2, "{after:?}");
        assert_ne!(find("look", &after).payload, find("look", &before).payload);
        assert_eq!(find("look", &after).run_id, Some(run));
        assert_eq!(find("copy", &after), find("copy", &before), "what is the same stays");
        // What was claimed goes with what claimed it, and the asset is called what it is called now.
        let asset = home.asset("fickle-1.jpg").await;
        let claims = home.ctx.db.list_claims(OPERATOR, asset.id).await.unwrap();
        let titles = claims.iter().filter(|claim| claim.statement.kind() == ClaimKind::Title);
        assert_eq!(titles.count(), 1);
        let looks = find("look", &after).payload.unwrap()["looks"].as_i64().unwrap();
        assert_eq!(asset.title, Some(format!("fickle {looks}")));
        engine.stop().await;
    }

    async fn a_newer_version_takes_the_place_of_an_older_one_and_that_is_foreseen(home: Home) {
        home.with(&["a-1.jpg", "broken-2.jpg"]).await;
        let engine = home.engine();
        home.run(&engine, "rehearsal").await;
        let foresee = async |name: &str| {
            let all = Parameters::default();
            let foreseen = engine.foresee(OPERATOR, home.family.id, name, &all).await.unwrap();
            foreseen[0].1
        };
        let known = Foreseen { present: 1, failed: 1, ..Foreseen::default() };
        assert_eq!(foresee("rehearsal").await, known);
        let stale = Foreseen { stale: 1, missing: 1, ..Foreseen::default() };
        assert_eq!(foresee("new encore").await, stale);
        let run = home.run(&engine, "new encore").await;
        let counts = home.counts(run).await;
        assert_eq!((counts.done, counts.changed, counts.failed), (1, 0, 1), "no wonder, and no difference");
        let versions: Vec<i64> = home.looks("a-1.jpg").await.iter().map(|made| made.tool_version).collect();
        assert_eq!(versions, [2, 2]);
        engine.stop().await;
    }

    async fn what_a_tool_is_asked_for_is_part_of_what_it_makes(home: Home) {
        home.with(&["a-1.jpg"]).await;
        let engine = home.engine();
        home.run(&engine, "rehearsal").await;
        let ask = |tempo: i64| {
            let asked = serde_json::Map::from_iter([("tempo".to_owned(), json!(tempo))]);
            let asked = BTreeMap::from([("look".to_owned(), asked)]);
            Parameters { tools: engine.check("rehearsal", &asked).unwrap(), ..Parameters::default() }
        };
        for (tempo, done, made) in [(120, 1, 4), (120, 0, 4), (100, 0, 4), (40, 1, 6)] {
            let run = home.start_with(&engine, ask(tempo)).await;
            home.wait_for(run, RunState::Done).await;
            assert_eq!((home.counts(run).await.done, home.looks("a-1.jpg").await.len()), (done, made), "{tempo}");
        }
        let newest = home.looks("a-1.jpg").await.into_iter().rfind(|made| made.kind == "look").unwrap();
        assert_eq!(newest.parameters, json!({ "tempo": 40 }));
        assert_eq!(newest.payload.unwrap()["tempo"], 40);
        engine.stop().await;
    }

    async fn each_failure_ends_as_it_should(home: Home) {
        home.with(&["broken-1.jpg", "empty-2.jpg", "deadly-3.jpg", "panic-4.jpg", "gone-5.jpg", "ok-6.jpg"]).await;
        home.remove("gone-5.jpg");
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_for(run, RunState::Done).await;
        use FailureCode::{Crashed, Damaged, Gone};
        // Name, state, attempts, whether it is for good, the word for the reason and words of it.
        let cases = [
            ("broken-1.jpg", UnitState::Failed, 1, true, Some(Damaged), "It is cut off."),
            ("empty-2.jpg", UnitState::Skipped, 1, true, None, "Nothing is to be seen."),
            ("deadly-3.jpg", UnitState::Failed, 3, true, Some(Crashed), "ended the process that worked on it 3 times: signal 11"),
            ("panic-4.jpg", UnitState::Failed, 1, true, Some(Crashed), "failed on it"),
            ("gone-5.jpg", UnitState::Failed, 1, false, Some(Gone), "at none of its places"),
            ("ok-6.jpg", UnitState::Done, 1, false, None, ""),
        ];
        for (name, state, attempts, is_permanent, code, words) in cases {
            let unit = home.unit(run, name).await;
            assert_eq!((unit.state, unit.attempts, unit.is_permanent), (state, attempts, is_permanent), "{name}");
            assert_eq!(unit.failure_code, code, "{name}");
            let error = unit.error.unwrap_or_default();
            assert!(error.contains(words), "{name}: {error}");
        }
        let counts = StepCounts { done: 1, skipped: 1, failed: 4, ..StepCounts::default() };
        assert_eq!(home.counts(run).await, counts);
        // Another run tries only what may have changed.
        home.photo("gone-5.jpg", 5);
        home.scan().await;
        let again = home.start(&engine).await;
        home.wait_for(again, RunState::Done).await;
        assert_eq!(home.unit(again, "gone-5.jpg").await.state, UnitState::Done);
        let broken = home.unit(again, "broken-1.jpg").await;
        assert_eq!((broken.attempts, broken.failure_code), (0, Some(Damaged)));
        assert_eq!(broken.error.as_deref(), Some("It is cut off."));
        engine.stop().await;
    }

    async fn what_fails_for_the_moment_is_tried_again_later(home: Home) {
        home.with(&["shy-1.jpg"]).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_until("it was tried twice", async || home.find_unit(run, "shy-1.jpg").await.is_some_and(|unit| unit.attempts >= 2)).await;
        let unit = home.unit(run, "shy-1.jpg").await;
        assert_eq!(unit.error.as_deref(), Some("It is busy."));
        assert_eq!(unit.log.as_deref(), Some("tried\n"));
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        engine.tell(OPERATOR, &row, RunEvent::Cancel).await.unwrap();
        home.wait_for(run, RunState::Cancelled).await;
        engine.stop().await;
    }

    async fn a_cancelled_run_lets_go_of_everything_even_when_its_work_hangs(home: Home) {
        home.with(&["endless-1.jpg", "endless-2.jpg", "endless-3.jpg", "b-4.jpg"]).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_until("it is worked on", async || home.find_unit(run, "endless-3.jpg").await.is_some_and(|unit| unit.state == UnitState::Running)).await;
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        let told = Instant::now();
        engine.tell(OPERATOR, &row, RunEvent::Cancel).await.unwrap();
        home.wait_for(run, RunState::Cancelled).await;
        // Two seconds are promised; a busy machine is given more before this counts as broken.
        assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
        for unit in home.units(run).await {
            let is_over = matches!(unit.state, UnitState::Cancelled | UnitState::Done);
            assert!(is_over, "{unit:?}");
        }
        engine.stop().await;
    }

    async fn a_paused_run_waits_and_goes_on(home: Home) {
        let names: Vec<String> = (1..=60).map(|number| format!("slow-{number}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        home.with(&names).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_until("something is made", async || home.counts(run).await.done > 0).await;
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        engine.tell(OPERATOR, &row, RunEvent::Pause).await.unwrap();
        home.wait_until("nobody works", async || {
            home.units(run).await.iter().all(|unit| unit.state != UnitState::Running)
        }).await;
        let done = home.counts(run).await.done;
        assert!(done < 60, "it was paused too late to tell");
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(home.counts(run).await.done, done);
        engine.tell(OPERATOR, &row, RunEvent::Resume).await.unwrap();
        home.wait_for(run, RunState::Done).await;
        assert_eq!(home.made().await, all(&names));
        engine.stop().await;
    }

    async fn what_was_cancelled_or_failed_is_tried_again_when_asked(home: Home) {
        home.with(&["broken-1.jpg", "a-2.jpg"]).await;
        let engine = home.engine();
        let run = home.start(&engine).await;
        home.wait_for(run, RunState::Done).await;
        let row = home.ctx.db.get_run(OPERATOR, run).await.unwrap();
        assert_eq!(engine.retry(OPERATOR, &row).await.unwrap(), 1);
        home.wait_until("it was tried", async || {
            home.state(run).await == RunState::Done && home.unit(run, "broken-1.jpg").await.state == UnitState::Failed
        }).await;
        assert_eq!(home.counts(run).await, StepCounts { done: 1, failed: 1, ..StepCounts::default() });
        engine.stop().await;
    }

    async fn who_comes_next_goes_on_where_work_stopped(home: Home) {
        let names: Vec<String> = (1..=40).map(|number| format!("slow-{number}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        home.with(&names).await;
        let first = home.engine();
        let run = home.start(&first).await;
        home.wait_until("something is made", async || home.counts(run).await.done > 0).await;
        first.stop().await;
        assert_eq!(home.state(run).await, RunState::Running);
        assert!(home.units(run).await.iter().all(|unit| unit.state != UnitState::Running));
        let second = home.engine();
        second.resume().await.unwrap();
        home.wait_for(run, RunState::Done).await;
        assert_eq!(home.made().await, all(&names));
        second.stop().await;
    }

    async fn two_runs_take_turns(home: Home) {
        let names: Vec<String> = (1..=60).map(|number| format!("slow-{number}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        home.with(&names).await;
        let assets = home.assets().await;
        let half = |from: usize, to: usize| Parameters {
            scope: Scope::Assets(assets[from..to].iter().map(|asset| asset.id).collect()),
            ..Parameters::default()
        };
        let engine = home.engine();
        let long = home.start_with(&engine, half(0, 55)).await;
        home.wait_until("it is at work", async || home.counts(long).await.done > 0).await;
        let short = home.start_with(&engine, half(55, 60)).await;
        home.wait_for(short, RunState::Done).await;
        assert_ne!(home.state(long).await, RunState::Done, "the short run waited for the long one");
        home.wait_for(long, RunState::Done).await;
        engine.stop().await;
    }
}

/// Two processes with one catalogue share a run.
#[test]
fn two_engines_share_a_run_without_doing_anything_twice() {
    crate::harness::run_on(Database::Postgres, async |home: Home| {
        let names: Vec<String> = (1..=80)
            .map(|number| format!("slow-{number}.jpg"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        home.with(&names).await;
        let (a, b) = (home.engine(), home.engine());
        b.resume().await.unwrap();
        let run = home.start(&a).await;
        home.wait_for(run, RunState::Done).await;
        assert_eq!(home.made().await, all(&names));
        // Nobody began what the other had.
        assert!(home.units(run).await.iter().all(|unit| unit.attempts == 1));
        a.stop().await;
        b.stop().await;
    });
}
