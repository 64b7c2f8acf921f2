//! Runs on the wire.

use std::collections::BTreeMap;

use heirloom_core::{
    ArchiveId, AssetId, RunId, UnitId,
    run::RunState,
    unit::{FailureCode, UnitState},
};
use heirloom_db as db;
use heirloom_pipeline::{
    run::Waiting,
    scan,
    template::{self, Template},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ExportReport, ImportReport, PublicationReport, schema, transcript::Hearing};
use crate::problem::Code;

/// One execution of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: RunId,
    /// What is executed: `scan`, `prepare`, `rebuild`, `export`, `import`, `publish`, `unpin`, or `add` for what was handed over.
    pub pipeline: String,
    /// Where it stands.
    #[schema(schema_with = schema::run_state)]
    pub state: RunState,
    /// The archive that it works on.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub archive_id: Option<ArchiveId>,
    /// What it was asked.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
    /// How far it is.
    pub progress: Progress,
    /// What it found, once it has ended.
    pub report: Option<ScanReport>,
    /// What was exported, once an export has ended.
    #[serde(default)]
    pub export: Option<ExportReport>,
    /// What was imported, once an import has ended.
    #[serde(default)]
    pub import: Option<ImportReport>,
    /// What was published, once a publication has ended.
    #[serde(default)]
    pub publication: Option<PublicationReport>,
    /// The run that prepares what a scan found or an import brought.
    #[schema(value_type = Option<String>, format = "uuid")]
    #[serde(default)]
    pub next_run_id: Option<RunId>,
    /// How many assets it is to go through; none for a scan.
    #[serde(default)]
    pub assets: i64,
    /// For how many of these it is known what there is to do.
    #[serde(default)]
    pub assets_planned: i64,
    /// Whether that is known for all.
    #[serde(default)]
    pub is_planned: bool,
    /// How far each of its steps is; none for a scan.
    #[serde(default)]
    pub steps: Vec<RunStep>,
    /// The recordings that it has heard now, and how far; only where this process works on it.
    #[serde(default)]
    pub hearing: Vec<RunHearing>,
    /// What it waits for, when it does not go on for a reason that is not its own, such as a full disk. It
    /// goes on by itself when that is over.
    #[serde(default)]
    pub waits_for: Option<String>,
    /// The same for programs.
    #[schema(schema_with = schema::failure_code)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for_code: Option<FailureCode>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// The same for programs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Code>,
    /// When it was asked for.
    pub created_at_ms: i64,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// A recording that a run is hearing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunHearing {
    /// The asset.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// What that is called.
    pub asset_name: String,
    /// How far.
    #[serde(flatten)]
    pub hearing: Hearing,
}

/// A step of a run, in numbers of assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunStep {
    /// What it is called.
    pub step: String,
    /// What would be made was there already.
    pub present: i64,
    /// Waiting, or being worked on.
    pub pending: i64,
    /// Made.
    pub done: i64,
    /// Of these: made again, and something came out otherwise than before.
    #[serde(default)]
    pub changed: i64,
    /// There was nothing to do.
    pub skipped: i64,
    /// Given up.
    pub failed: i64,
    /// The run was cancelled first.
    pub cancelled: i64,
}

/// What is to be run, over which assets. Without an archive or assets named, over all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// What is executed: `prepare`, or `rebuild` to make again what is there.
    pub pipeline: String,
    /// Only the assets of this archive.
    #[schema(value_type = Option<String>, format = "uuid")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_id: Option<ArchiveId>,
    /// Only these assets.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_ids: Option<Vec<AssetId>>,
    /// The most assets, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
    /// Whether what failed before and would fail again is tried all the same.
    #[serde(default)]
    pub retry_failed: bool,
    /// What the tools are asked for other than what they do by themselves: for each such step, its
    /// parameters with their values.
    #[schema(value_type = BTreeMap<String, Object>)]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
}

/// What a run would find to do, in numbers of assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forecast {
    /// For each step.
    pub steps: Vec<StepForecast>,
}

/// What a run would find to do at one of its steps, in numbers of assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepForecast {
    /// What it is called.
    pub step: String,
    /// The version of its tool.
    pub tool_version: i64,
    /// What would be made is there. `prepare` leaves it alone, `rebuild` makes it again.
    pub present: i64,
    /// Something else was made by the same tool: another version of it, or one that was asked for
    /// something else. It is stale, and would be made anew.
    pub stale: i64,
    /// Of these: made by this version of the tool with another model.
    #[serde(default)]
    pub other_model: i64,
    /// Nothing was made yet.
    pub missing: i64,
    /// It failed before and would fail again, so that it would not be tried.
    pub failed: i64,
}

/// What runs can execute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pipeline {
    /// What it is called.
    pub name: String,
    /// Whether it makes again what is there.
    pub is_again: bool,
    /// What each asset goes through.
    pub steps: Vec<Step>,
}

/// A tool at work in a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// What it is called.
    pub step: String,
    /// The tool that is run.
    pub tool: String,
    /// That tool's version.
    pub tool_version: i64,
    /// What the tool asks to be shown of an asset: `bytes`, `name`, `sidecar`, `picture`, `film`,
    /// `sound`, `document`.
    pub view: String,
    /// What it needs most: `cpu`, `io` or `memory`.
    pub resource_class: String,
    /// Whether the same inputs give the same again.
    pub is_deterministic: bool,
    /// The kinds of artifact that it makes.
    pub outputs: Vec<String>,
    /// What it can be asked for, as JSON Schema.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
}

/// One asset in one step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unit {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: UnitId,
    /// The step.
    pub step: String,
    /// The asset.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// What that is called; null when it is no more.
    pub asset_name: Option<String>,
    /// Where it stands.
    #[schema(schema_with = schema::unit_state)]
    pub state: UnitState,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it failed, was skipped, or is tried again.
    pub error: Option<String>,
    /// Of what failed: why.
    #[schema(schema_with = schema::failure_code)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<FailureCode>,
    /// Whether the same work would fail again.
    pub is_permanent: bool,
    /// Whether it made something again that came out otherwise than before.
    #[serde(default)]
    pub has_changed: bool,
    /// How long the last attempt took.
    pub duration_ms: Option<i64>,
    /// What its tool said, the end of it.
    pub log: Option<String>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// How far a scan is. What is still to come is known as far as folders were listed, which runs ahead
/// of the reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Progress {
    /// Folders that were looked into.
    pub folders: u64,
    /// Files that were found in them.
    pub files: u64,
    /// Of these: those that are dealt with.
    pub files_done: u64,
    /// Bytes of the files that have to be read.
    pub bytes: u64,
    /// Of these: those that are read.
    pub bytes_done: u64,
    /// Whether every folder was listed, so that nothing more comes.
    pub is_listed: bool,
    /// Files dealt with in a second, lately.
    pub files_per_second: f64,
    /// Bytes read in a second, lately.
    pub bytes_per_second: f64,
    /// How long it has been going on.
    pub elapsed_ms: u64,
    /// How long the rest takes at this rate; null while that cannot be said.
    pub remaining_ms: Option<u64>,
}

/// What a scan found, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ScanReport {
    /// Folders that were looked into.
    pub folders: u64,
    /// Files that were found.
    pub files: u64,
    /// Originals that were not known.
    pub new: u64,
    /// Known originals in a new place, and no longer in an old one.
    pub moved: u64,
    /// Known originals in one place more.
    pub copies: u64,
    /// Known originals in a place where they were before and were found gone.
    pub returned: u64,
    /// Files that are as they were.
    pub unchanged: u64,
    /// Paths with new bytes.
    pub replaced: u64,
    /// Paths where nothing is any more.
    pub gone: u64,
    /// Of the originals at such paths: those that are nowhere now.
    pub lost: u64,
    /// Sidecars that are new or have changed.
    pub sidecars: u64,
    /// How many files and folders were passed over, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// How many files and folders failed, by reason.
    pub failed: BTreeMap<String, u64>,
    /// How many bytes were read.
    pub bytes_read: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// Originals whose bytes were found damaged, by this scan or one before, and not right since.
    pub damaged: u64,
}

/// How an archive is to be scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewScan {
    /// Whether every file is read again, also those that look as they did.
    pub verify: bool,
    /// Whether an empty folder is taken for what it is. It is refused otherwise when files were
    /// catalogued there, because it is what a disk that is not mounted looks like.
    pub allow_empty: bool,
    /// Whether a line is kept for each file.
    pub report: bool,
    /// Whether what is found is prepared when the scan has ended: renditions are made of it.
    pub process: bool,
}

impl Default for NewScan {
    fn default() -> Self {
        Self {
            verify: false,
            allow_empty: false,
            report: false,
            process: true,
        }
    }
}

/// What is stored with a run: its progress, or both once it has ended.
#[derive(Default, Deserialize)]
struct Stored {
    progress: Option<Progress>,
    report: Option<ScanReport>,
    export: Option<ExportReport>,
    import: Option<ImportReport>,
    publication: Option<PublicationReport>,
    next_run: Option<RunId>,
}

impl Run {
    /// A run, with how far it is now and what it waits for if it runs here.
    pub(crate) fn new(
        run: &db::run::Run,
        steps: &[db::run::RunStep],
        live: Option<&scan::Progress>,
        waits_for: Option<Waiting>,
    ) -> Self {
        let stored: Stored = serde_json::from_value(run.progress.clone()).unwrap_or_default();
        // Whoever sees that it has ended must see what it found, which is stored a moment later.
        let is_ending = live.is_some()
            && run.state.has_ended()
            && run.pipeline == scan::PIPELINE
            && stored.report.is_none();
        let mut progress = live
            .map(Progress::from)
            .or(stored.progress)
            .or_else(|| serde_json::from_value(run.progress.clone()).ok())
            .unwrap_or_default();
        if run.state.has_ended() {
            progress.remaining_ms = None;
        }
        let waits_for = waits_for.filter(|_| run.state == RunState::Running);
        Self {
            id: run.id,
            pipeline: run.pipeline.clone(),
            state: if is_ending {
                RunState::Running
            } else {
                run.state
            },
            archive_id: run.archive_id,
            parameters: run.parameters.clone(),
            progress,
            report: stored.report,
            export: stored.export,
            import: stored.import,
            publication: stored.publication,
            next_run_id: stored.next_run,
            assets: run.assets,
            assets_planned: run.assets_planned,
            is_planned: run.is_planned,
            steps: steps.iter().map(RunStep::from).collect(),
            hearing: Vec::new(),
            waits_for_code: waits_for.as_ref().map(|waiting| waiting.code),
            waits_for: waits_for.map(|waiting| waiting.said),
            error: run.error.clone(),
            error_code: serde_json::from_value(run.progress["problem"]["code"].clone()).ok(),
            created_at_ms: run.created_at_ms,
            started_at_ms: run.started_at_ms,
            ended_at_ms: run.ended_at_ms,
        }
    }
}

impl Pipeline {
    pub(crate) fn new(template: &Template) -> Self {
        Self {
            name: template.name.to_owned(),
            is_again: template.aim == db::plan::Aim::Again,
            steps: template.steps.iter().map(Step::from).collect(),
        }
    }
}

impl From<&template::Step> for Step {
    fn from(step: &template::Step) -> Self {
        let tool = step.tool;
        let properties = tool.parameters.iter();
        let properties = properties.map(|one| (one.name.to_owned(), one.schema()));
        Self {
            step: step.name.to_owned(),
            tool: tool.name.to_owned(),
            tool_version: tool.version,
            view: tool.view.as_str().to_owned(),
            resource_class: tool.class.as_str().to_owned(),
            is_deterministic: tool.is_deterministic,
            outputs: tool.outputs.iter().map(|kind| (*kind).to_owned()).collect(),
            parameters: serde_json::json!({
                "type": "object",
                "properties": properties.collect::<serde_json::Map<_, _>>(),
                "additionalProperties": false,
            }),
        }
    }
}

impl StepForecast {
    pub(crate) fn new(step: &template::Step, foreseen: db::plan::Foreseen) -> Self {
        Self {
            step: step.name.to_owned(),
            tool_version: step.tool.version,
            present: foreseen.present,
            stale: foreseen.stale,
            other_model: foreseen.other_model,
            missing: foreseen.missing,
            failed: foreseen.failed,
        }
    }
}

impl From<&db::run::RunStep> for RunStep {
    fn from(step: &db::run::RunStep) -> Self {
        let counts = step.counts;
        Self {
            step: step.step.clone(),
            present: counts.present,
            pending: counts.pending,
            done: counts.done,
            changed: counts.changed,
            skipped: counts.skipped,
            failed: counts.failed,
            cancelled: counts.cancelled,
        }
    }
}

impl From<db::unit::Unit> for Unit {
    fn from(unit: db::unit::Unit) -> Self {
        Self {
            id: unit.id,
            step: unit.step,
            asset_id: unit.asset_id,
            asset_name: unit.asset_name,
            state: unit.state,
            attempts: unit.attempts,
            error: unit.error,
            failure_code: unit.failure_code,
            is_permanent: unit.is_permanent,
            has_changed: unit.has_changed,
            duration_ms: unit.duration_ms,
            log: unit.log,
            ended_at_ms: unit.ended_at_ms,
        }
    }
}

impl From<&scan::Progress> for Progress {
    fn from(progress: &scan::Progress) -> Self {
        Self {
            folders: progress.folders,
            files: progress.files,
            files_done: progress.files_done,
            bytes: progress.bytes,
            bytes_done: progress.bytes_done,
            is_listed: progress.is_listed,
            files_per_second: progress.files_per_second,
            bytes_per_second: progress.bytes_per_second,
            elapsed_ms: progress.elapsed_ms,
            remaining_ms: progress.remaining_ms(),
        }
    }
}
