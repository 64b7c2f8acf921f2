//! `heirloom run …`

use std::{collections::BTreeMap, time::Duration};

use heirloom_core::{RunId, run::RunState};
use heirloom_pipeline::template;
use heirloom_server::{
    Code, Problem,
    wire::{Forecast, NewRun, Page, Run, RunHearing, RunStep, StepForecast, Unit},
};
use http::Method;
use serde_json::{Map, Value as Json};

use super::{
    asset::so_far,
    bar::Bar,
    paging::{collect, more},
    scan::{describe_progress, describe_report},
    signal::Ends,
};
use crate::{
    Ending,
    api::Api,
    arguments::{self, Param},
    output::{Output, count, duration, line, list, number_of, table},
};

/// How often it is asked how far a run is: soon at first, because many have nothing to do.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LONGEST_LOOK: Duration = Duration::from_millis(150);

pub(super) async fn run(
    api: &Api,
    asked: arguments::Run,
    output: &Output,
) -> Result<Ending, Problem> {
    match asked {
        arguments::Run::List { paging } => {
            let page: Page<Run> = collect(api, "/api/v1/runs", &paging).await?;
            output.data(&page, || {
                if page.items.is_empty() {
                    return "No runs yet.".to_owned();
                }
                let rows: Vec<_> = page.items.iter().map(row).collect();
                list(&rows) + &more(page.next.as_deref())
            });
            Ok(Ending::Done)
        }
        arguments::Run::Start {
            pipeline,
            archive,
            asset,
            sample,
            retry_failed,
            param,
            dry_run,
            wait,
        } => {
            let mut parameters: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
            for Param { step, name, value } in param {
                parameters.entry(step).or_default().insert(name, value);
            }
            let new = NewRun {
                pipeline,
                archive_id: archive,
                asset_ids: (!asset.is_empty()).then_some(asset),
                sample,
                retry_failed,
                parameters,
            };
            if dry_run {
                show_forecast(api, &new, output).await?;
                return Ok(Ending::Done);
            }
            let run: Run = api.post("/api/v1/runs", &new).await?;
            follow(api, run, wait, output).await
        }
        arguments::Run::Status { id } => {
            let run: Run = api.get(&format!("/api/v1/runs/{id}")).await?;
            output.data(&run, || describe(&run));
            Ok(Ending::Done)
        }
        arguments::Run::Watch { id } => {
            let run: Run = api.get(&format!("/api/v1/runs/{id}")).await?;
            if !run.state.has_ended() && !api.is_served() {
                return Err(Problem::new(
                    Code::Refused,
                    "no server is running that could go on with it",
                )
                .hint("Start `heirloom serve`: it goes on with what was left."));
            }
            let (run, ending) = wait_for_run(api, id, output).await?;
            output.data(&run, || describe(&run));
            Ok(ending)
        }
        arguments::Run::Pause { id } => {
            let run = tell(api, id, "pause").await?;
            output.data(&run, || describe(&run));
            Ok(Ending::Done)
        }
        arguments::Run::Resume { id } => {
            let run = tell(api, id, "resume").await?;
            follow(api, run, false, output).await
        }
        arguments::Run::Retry { id } => {
            let run = tell(api, id, "retry").await?;
            follow(api, run, false, output).await
        }
        arguments::Run::Cancel { id } => {
            let mut run = tell(api, id, "cancel").await?;
            // It is over in a moment, and within this process nobody else sees to that.
            while run.state == RunState::Cancelling {
                tokio::time::sleep(FIRST_LOOK).await;
                run = api.get(&format!("/api/v1/runs/{id}")).await?;
            }
            output.data(&run, || describe(&run));
            Ok(Ending::Done)
        }
        arguments::Run::Units { id, state, paging } => {
            let state = state.map(|state| format!("?state={state}"));
            let path = format!("/api/v1/runs/{id}/units{}", state.unwrap_or_default());
            show_units(api, &path, &paging, "There are none.", output).await
        }
        arguments::Run::Unit { id } => {
            let unit: Unit = api.get(&format!("/api/v1/units/{id}")).await?;
            output.data(&unit, || describe_unit(&unit));
            Ok(Ending::Done)
        }
        arguments::Run::Failed { id, paging } => {
            let path = format!("/api/v1/runs/{id}/units?state=failed");
            show_units(api, &path, &paging, "Nothing failed.", output).await
        }
        arguments::Run::Changed { id, paging } => {
            let path = format!("/api/v1/runs/{id}/units?changed=true");
            let nothing = "Nothing came out otherwise.";
            show_units(api, &path, &paging, nothing, output).await
        }
    }
}

async fn show_units(
    api: &Api,
    path: &str,
    paging: &arguments::Paging,
    nothing: &str,
    output: &Output,
) -> Result<Ending, Problem> {
    let page: Page<Unit> = collect(api, path, paging).await?;
    output.data(&page, || {
        if page.items.is_empty() {
            return nothing.to_owned();
        }
        let rows: Vec<_> = page.items.iter().map(unit_row).collect();
        list(&rows) + &more(page.next.as_deref())
    });
    Ok(Ending::Done)
}

/// Shows what such a run would find to do.
pub(super) async fn show_forecast(api: &Api, new: &NewRun, output: &Output) -> Result<(), Problem> {
    let forecast: Forecast = api.post("/api/v1/runs/forecast", new).await?;
    output.data(&forecast, || {
        let is_again = new.pipeline == template::REBUILD.name;
        let rows = forecast
            .steps
            .iter()
            .map(|step| forecast_row(step, is_again));
        table(&rows.collect::<Vec<_>>())
    });
    Ok(())
}

fn forecast_row(step: &StepForecast, is_again: bool) -> Vec<String> {
    let stale = match step.tool_version {
        1 => "stale".to_owned(),
        version => format!("stale, from before version {version}"),
    };
    let counts = [
        (step.missing, "to make"),
        (step.other_model, "made by another model"),
        (step.stale - step.other_model, stale.as_str()),
        (
            step.present,
            if is_again { "to make again" } else { "there" },
        ),
        (step.failed, "failed before"),
    ];
    vec![step.step.clone(), numbers(&counts)]
}

async fn tell(api: &Api, id: RunId, what: &str) -> Result<Run, Problem> {
    let path = format!("/api/v1/runs/{id}/{what}");
    api.ask(Method::POST, &path, &[], None).await
}

/// Waits for a run where that was asked for, or where nobody goes on with it when this command ends.
async fn follow(api: &Api, run: Run, is_waiting: bool, output: &Output) -> Result<Ending, Problem> {
    if api.is_served() && !is_waiting {
        output.data(&run, || {
            format!(
                "The server works on it. See `heirloom run watch {}`.",
                run.id
            )
        });
        return Ok(Ending::Done);
    }
    let (run, ending) = wait_for_run(api, run.id, output).await?;
    output.data(&run, || describe(&run));
    Ok(ending)
}

/// Waits for a run, and for what goes on with what it came upon, until nothing does. Gives how that ended, and tells
/// of each of them.
pub(super) async fn see_all_through(
    api: &Api,
    first: RunId,
    output: &Output,
) -> Result<(Ending, String), Problem> {
    let (mut next, mut ending, mut said) = (Some(first), Ending::Done, String::new());
    while let Some(id) = next {
        let (run, then) = wait_for_run(api, id, output).await?;
        if !matches!(then, Ending::Done) {
            ending = Ending::Partly;
        }
        said += &describe(&run);
        next = run.next_run_id;
    }
    Ok((ending, said))
}

/// Waits until a run has ended, and shows how far it is. Ctrl-C leaves it alone.
pub(super) async fn wait_for_run(
    api: &Api,
    id: RunId,
    output: &Output,
) -> Result<(Run, Ending), Problem> {
    let mut ends = Ends::listen();
    let mut bar = Bar::new(*output);
    let mut pause = FIRST_LOOK;
    let path = format!("/api/v1/runs/{id}");
    loop {
        let run: Run = api.get(&path).await?;
        let is_waiting_here = run.state == RunState::Paused && !api.is_served();
        if run.state.has_ended() || is_waiting_here {
            bar.finish();
            let failed = run.steps.iter().any(|step| step.failed > 0);
            let is_done = run.state == RunState::Done && !failed;
            let ending = if is_done {
                Ending::Done
            } else {
                Ending::Partly
            };
            return Ok((run, ending));
        }
        let (done, all) = share(&run);
        let mut text = progress_line(&run);
        if let Some(reason) = &run.waits_for {
            text += &format!(": {}", line(reason));
        }
        bar.show(done, all, text);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ends.wait() => {
                bar.finish();
                let how = if api.is_served() {
                    format!("The server goes on with it. To stop it: `heirloom run cancel {id}`")
                } else {
                    "`heirloom serve` goes on with it where it was.".to_owned()
                };
                return Err(Problem::new(Code::Stopping, "the run was left in the middle").hint(how));
            }
        }
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// What is said when somebody stops what goes on.
pub(super) struct Stopping {
    /// Once.
    pub(super) said: &'static str,
    /// Twice.
    pub(super) left: &'static str,
    /// What to do then.
    pub(super) hint: &'static str,
}

/// Waits until a run has ended that Ctrl-C stops, and has it shown how far that is. Once more, Ctrl-C ends the command.
pub(super) async fn see_through(
    api: &Api,
    run: &Run,
    mut ends: Ends,
    stopping: &Stopping,
    output: &Output,
    show: impl Fn(&mut Bar, &Run),
) -> Result<Run, Problem> {
    let mut bar = Bar::new(*output);
    let mut pause = FIRST_LOOK;
    let path = format!("/api/v1/runs/{}", run.id);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ends.wait() => {
                if is_stopping {
                    return Err(Problem::new(Code::Stopping, stopping.left).hint(stopping.hint));
                }
                is_stopping = true;
                bar.say(stopping.said);
                let cancelled: Result<Run, Problem> =
                    api.ask(Method::POST, &format!("{path}/cancel"), &[], None).await;
                // It may have ended a moment before.
                if let Err(problem) = cancelled
                    && problem.code() != Code::Refused
                {
                    return Err(problem);
                }
            }
        }
        let run: Run = api.get(&path).await?;
        if run.state.has_ended() {
            bar.finish();
            return Ok(run);
        }
        show(&mut bar, &run);
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// Goes on with all runs that have not ended, and waits for them, where no server does: with those that were just begun,
/// and with those that a process left that died.
pub(super) async fn work_off(api: &Api, output: &Output) -> Result<(), Problem> {
    if api.is_served() {
        return Ok(());
    }
    api.go_on().await?;
    let runs: Page<Run> = api.get("/api/v1/runs?limit=500").await?;
    let is_left = |run: &Run| {
        let is_derived = template::ALL.iter().any(|it| it.name == run.pipeline);
        is_derived && !run.state.has_ended() && run.state != RunState::Paused
    };
    for run in runs.items.into_iter().rev().filter(is_left) {
        wait_for_run(api, run.id, output).await?;
    }
    Ok(())
}

/// How many pieces of work are done, and about how many there are: what is not planned yet is taken
/// to be like what is.
fn share(run: &Run) -> (u64, u64) {
    let sum = |of: fn(&RunStep) -> i64| run.steps.iter().map(of).sum::<i64>().max(0).unsigned_abs();
    let done = sum(|step| step.present + step.done + step.skipped + step.failed);
    let known = done + sum(|step| step.pending + step.cancelled);
    let (assets, planned) = (run.assets.max(0), run.assets_planned.max(1));
    let all =
        u128::from(known) * u128::from(assets.unsigned_abs()) / u128::from(planned.unsigned_abs());
    let all = u64::try_from(all).unwrap_or(u64::MAX);
    (
        done,
        if run.is_planned {
            known
        } else {
            all.max(known)
        },
    )
}

fn progress_line(run: &Run) -> String {
    let (done, all) = share(run);
    let failed: i64 = run.steps.iter().map(|step| step.failed).sum();
    let mut text = format!("{} of {}", count(done), count(all));
    if failed > 0 {
        text += &format!(", {} failed", count(failed.unsigned_abs()));
    }
    if run.waits_for.is_some() {
        text += ", waiting";
    }
    if let Some(hearing) = run.hearing.first() {
        text += &format!(", at {}", hearing_line(hearing));
    }
    text
}

/// How far a recording has been heard.
fn hearing_line(of: &RunHearing) -> String {
    format!("{}: {}", line(&of.asset_name), so_far(&of.hearing))
}

fn row(run: &Run) -> Vec<String> {
    let progress = if run.steps.is_empty() {
        describe_progress(run)
    } else {
        progress_line(run)
    };
    vec![
        run.id.to_string(),
        run.pipeline.clone(),
        run.state.to_string(),
        progress,
    ]
}

fn unit_row(unit: &Unit) -> Vec<String> {
    vec![
        unit.id.to_string(),
        unit.step.clone(),
        unit.state.to_string(),
        name_of(unit),
        line(unit.error.as_deref().unwrap_or_default()),
    ]
}

fn name_of(unit: &Unit) -> String {
    line(unit.asset_name.as_deref().unwrap_or("(no longer there)"))
}

fn describe_unit(unit: &Unit) -> String {
    let mut rows = vec![
        vec!["step".to_owned(), unit.step.clone()],
        vec!["original".to_owned(), name_of(unit)],
        vec!["its id".to_owned(), unit.asset_id.to_string()],
        vec!["state".to_owned(), unit.state.to_string()],
        vec!["tried".to_owned(), count(unit.attempts.unsigned_abs())],
    ];
    let took = unit.duration_ms.map(|ms| duration(ms.unsigned_abs()));
    let error = unit.error.as_deref().map(line);
    for (name, value) in [("took", took), ("because", error)] {
        rows.extend(value.map(|value| vec![name.to_owned(), value]));
    }
    let said = unit.log.iter().flat_map(|log| log.lines());
    rows.extend(said.map(|words| vec!["said".to_owned(), line(words)]));
    table(&rows)
}

pub(super) fn describe(run: &Run) -> String {
    let mut text = table(&[row(run)]);
    if let Some(error) = &run.error {
        text += &format!("{}\n", line(error));
    }
    if let Some(reason) = &run.waits_for {
        text += &format!("It waits: {}. It goes on by itself.\n", line(reason));
    }
    for hearing in &run.hearing {
        text += &format!("It hears {}\n", hearing_line(hearing));
    }
    if let Some(report) = &run.report {
        text += &describe_report(report);
    }
    let is_again = run.pipeline == template::REBUILD.name;
    let rows = run.steps.iter().map(|step| step_row(step, is_again));
    text += &table(&rows.collect::<Vec<_>>());
    if let (Some(from), Some(until)) = (run.started_at_ms, run.ended_at_ms)
        && !run.steps.is_empty()
    {
        let took = duration(until.abs_diff(from));
        let assets = number_of(run.assets_planned.unsigned_abs(), "original", "originals");
        text += &format!("{assets} in {took}\n");
    }
    if run.steps.iter().any(|step| step.failed > 0) {
        text += &format!("Why: `heirloom run failed {}`\n", run.id);
    }
    if run.steps.iter().any(|step| step.changed > 0) {
        text += &format!("What: `heirloom run changed {}`\n", run.id);
    }
    text
}

fn step_row(step: &RunStep, is_again: bool) -> Vec<String> {
    let made = if is_again {
        "made the same again"
    } else {
        "made"
    };
    let counts = [
        (step.done - step.changed, made),
        (step.changed, "made otherwise than before"),
        (step.present, "there already"),
        (step.skipped, "with nothing to do"),
        (step.failed, "failed"),
        (step.cancelled, "cancelled"),
        (step.pending, "to come"),
    ];
    vec![format!("  {}", step.step), numbers(&counts)]
}

/// Those of these numbers that are any, in words.
fn numbers(counts: &[(i64, &str)]) -> String {
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let words: Vec<String> = counts
        .map(|(number, what)| format!("{} {what}", count(number.unsigned_abs())))
        .collect();
    if words.is_empty() {
        return "nothing to do".to_owned();
    }
    words.join(", ")
}
