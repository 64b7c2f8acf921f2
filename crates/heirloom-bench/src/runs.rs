//! Runs that derive: how much the engine itself costs, how soon something is there, and what a run costs
//! that finds nothing to do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_blobs::{FolderStore, S3Settings};
use heirloom_core::{Actor, FamilyId, RunId, run::RunState};
use heirloom_db::{
    Db,
    plan::{Aim, Parameters},
};
use heirloom_models::Store;
use heirloom_pipeline::{
    Context,
    confinement::Confinement,
    run::Engine,
    template::{Step, Template},
    tool::{ResourceClass, Tool, View},
    work::{Content, Failure, Product, Task},
};
use heirloom_testing::jpeg::{self, Options as Jpeg};
use serde_json::json;

use crate::{
    catalogue::Catalogue,
    figures::{Figures, resident_mb},
    options::Options,
    served::{Served, heirloom},
};

/// Nothing at all: what is left is the engine.
const NOTHING: Tool = Tool {
    name: "nothing",
    version: 1,
    outputs: &["nothing"],
    view: View::Bytes,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};
/// One small artifact, so that the next run finds it.
const STAMP: Tool = Tool {
    name: "stamp",
    outputs: &["stamp"],
    ..NOTHING
};
static DOING_NOTHING: Template = Template {
    name: "nothing",
    aim: Aim::Complete,
    steps: &[Step {
        name: "nothing",
        tool: NOTHING,
        work: do_nothing,
    }],
};
static STAMPING: Template = Template {
    name: "stamp",
    aim: Aim::Complete,
    steps: &[Step {
        name: "stamp",
        tool: STAMP,
        work: stamp,
    }],
};
static TEMPLATES: [&Template; 2] = [&DOING_NOTHING, &STAMPING];

fn do_nothing<'a>(_: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async { Ok(Vec::new()) }.boxed()
}

fn stamp<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    let about = json!({ "name": task.asset.name });
    async { Ok(vec![Product::new("stamp", Content::Json(about))]) }.boxed()
}

/// How many units go through before they are counted in seconds.
const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const RERUN: u64 = 100_000;
const RERUN_S: f64 = 10.0;
const FIRST_S: f64 = 1.0;
const FLAT: f64 = 1.2;
const UNITS_SQLITE: f64 = 20_000.0;
const UNITS_POSTGRES: f64 = 5_000.0;

pub(crate) async fn measure(options: &Options) {
    measure_engine(options).await;
    if !options.is_postgres {
        measure_first(options).await;
    }
}

/// An engine on the seeded catalogue.
struct Bench {
    engine: Engine,
    db: Db,
    family: FamilyId,
}

impl Bench {
    /// Runs a pipeline over so many assets; gives how long that took.
    async fn run(&self, pipeline: &str, assets: u64) -> Duration {
        let started = Instant::now();
        let parameters = Parameters {
            sample: Some(u32::try_from(assets).unwrap()),
            ..Parameters::default()
        };
        let run = self
            .engine
            .start(&Actor::Operator, self.family, pipeline, &parameters)
            .await
            .unwrap();
        self.wait(run).await;
        started.elapsed()
    }

    async fn wait(&self, run: RunId) {
        loop {
            let run = self.db.get_run(&Actor::Operator, run).await.unwrap();
            if run.state.has_ended() {
                assert_eq!(run.state, RunState::Done);
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
async fn measure_engine(options: &Options) {
    let catalogue = Catalogue::seeded(options).await;
    let db = catalogue.open().await;
    let family = db.get_or_create_family("Family").await.unwrap().id;
    let folder = options.folder();
    let ctx = Context {
        db: db.clone(),
        blobs: Arc::new(FolderStore::create(folder.path().join("blobs")).unwrap()),
        actor: Actor::Operator,
        data_folder: folder.path().to_owned(),
        s3: S3Settings::default(),
    };
    let bench = Bench {
        engine: Engine::new(
            ctx,
            Confinement::of_this_program(),
            Store::open(folder.path().join("models")),
            &TEMPLATES,
        ),
        db,
        family,
    };
    let (name, limit) = match options.is_postgres {
        true => ("PostgreSQL", UNITS_POSTGRES),
        false => ("SQLite", UNITS_SQLITE),
    };
    let figures = Figures::of(&format!("units that do nothing, on {name}"));
    let mut first = None;
    for assets in SIZES.into_iter().filter(|size| *size <= options.assets) {
        let rate = assets as f64 / bench.run("nothing", assets).await.as_secs_f64();
        figures.at_least(&format!("{assets} units"), rate, limit, "/s");
        let first = *first.get_or_insert(rate);
        let memory_mb = resident_mb(std::process::id(), "VmHWM");
        figures.plain("the most memory until then", &format!("{memory_mb:.0} MB"));
        if assets > SIZES[0] {
            let ratio = first / rate;
            figures.at_most("a unit, to one of 10,000", ratio, FLAT, "");
        }
    }
    let assets = RERUN.min(options.assets);
    let figures = Figures::of(&format!("a run over {assets} assets, on {name}"));
    let made = bench.run("stamp", assets).await.as_secs_f64();
    figures.plain(
        "where one artifact is made of each",
        &format!("{made:.1} s"),
    );
    let again = bench.run("stamp", assets).await.as_secs_f64();
    figures.at_most("where all of them are there", again, RERUN_S, "s");
    bench.engine.stop().await;
}

/// The program, on files: from `run start` until something that was made can be seen.
async fn measure_first(options: &Options) {
    let folder = options.folder();
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for number in 0..200 {
        let options = Jpeg::varied(number);
        let file = pictures.join(format!("{number:03}.jpg"));
        std::fs::write(file, jpeg::tiny(number, &options)).unwrap();
    }
    let heirloom = heirloom(&folder.path().join("data"));
    let scan = ["scan", pictures.to_str().unwrap(), "--no-process"];
    assert_eq!(heirloom.run(scan).code, Some(0));
    let mut served = Served::start(&heirloom).await;
    let started = Instant::now();
    let starting = std::thread::spawn(move || heirloom.run(["run", "start", "prepare"]));
    let after = loop {
        let runs = served.json("/api/v1/runs?limit=1").await;
        let steps = runs["items"][0]["steps"].as_array().unwrap().clone();
        if steps.iter().any(|step| step["done"].as_i64() > Some(0)) {
            break started.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert_eq!(starting.join().unwrap().code, Some(0));
    let figures = Figures::of("200 small photographs, through the program");
    let name = "until the first artifact is there";
    figures.at_most(name, after.as_secs_f64(), FIRST_S, "s");
    assert_eq!(served.running.stop().code, Some(0));
}
