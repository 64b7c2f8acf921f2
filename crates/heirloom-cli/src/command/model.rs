//! `heirloom models …`

use std::{path::Path, time::Duration};

use heirloom_server::{
    Code, Problem,
    wire::{Model, ModelCheck, ModelRemoved, Models, NewModel, NewModelFile, NewPull},
};
use http::Method;
use serde_json::json;

use super::{bar::Bar, signal::Ends};
use crate::{
    Ending,
    api::Api,
    arguments::{self, AddModel},
    output::{Output, line, number_of, size, table},
};

const MODELS: &str = "/api/v1/models";
const PULLS: &str = "/api/v1/models/pulls";
const CANCEL: &str = "/api/v1/models/pulls/cancel";
/// How often it is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(150);

pub(super) async fn run(
    api: &Api,
    asked: arguments::Models,
    output: &Output,
) -> Result<Ending, Problem> {
    match asked {
        arguments::Models::List => {
            let models: Models = api.get(MODELS).await?;
            output.data(&models, || describe(&models));
            Ok(Ending::Done)
        }
        arguments::Models::Pull(asked) => {
            let new = NewPull {
                ids: asked.ids,
                default: asked.default,
                all: asked.all,
            };
            let ends = Ends::listen();
            let begun: Models = api.post(PULLS, &new).await?;
            let is_asked = |model: &Model| {
                new.all || (new.default && model.is_default) || new.ids.contains(&model.id)
            };
            let ids = begun.items.iter().filter(|model| is_asked(model));
            let ids: Vec<_> = ids.map(|model| model.id.clone()).collect();
            wait(api, begun, &ids, ends, output).await
        }
        arguments::Models::Check { ids } => check(api, ids, output).await,
        arguments::Models::Add(asked) => {
            let ids = [asked.id.clone()];
            let new = new_model(asked)?;
            let ends = Ends::listen();
            let _begun: Model = api.post(MODELS, &new).await?;
            let models: Models = api.get(MODELS).await?;
            wait(api, models, &ids, ends, output).await
        }
        arguments::Models::Remove { id } => {
            let path = format!("{MODELS}/{id}");
            let is_known = |models: &Models| models.items.iter().any(|model| model.id == id);
            let removed: ModelRemoved = api.ask(Method::DELETE, &path, &[], None).await?;
            // One that somebody added is forgotten.
            let again = match is_known(&api.get(MODELS).await?) {
                true => format!("To have it again: heirloom models pull {id}\n"),
                false => String::new(),
            };
            output.data(&removed, || match &removed.without {
                Some(without) => format!("{id} is removed: {without}.\n{again}"),
                None => format!("{id} is removed.\n"),
            });
            Ok(Ending::Done)
        }
    }
}

/// Waits until models are here, or it is known why not. Ctrl-C stops what is fetched.
async fn wait(
    api: &Api,
    mut models: Models,
    ids: &[String],
    mut ends: Ends,
    output: &Output,
) -> Result<Ending, Problem> {
    let mut bar = Bar::new(*output);
    let mut was_stopped = false;
    loop {
        models.items.retain(|model| ids.contains(&model.id));
        let is_underway = |model: &&Model| matches!(model.state.as_str(), "waiting" | "pulling");
        if !models.items.iter().any(|model| is_underway(&model)) {
            break;
        }
        let all: u64 = models.items.iter().map(|model| model.bytes).sum();
        let done: u64 = models.items.iter().map(bytes_here).sum();
        let now = models.items.iter().find(|model| model.state == "pulling");
        let name = now.map_or("", |model| model.id.as_str());
        bar.show(done, all, format!("{} of {} {name}", size(done), size(all)));
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = ends.wait() => {
                was_stopped = true;
                bar.say("stopping; the next pull goes on with what came");
                let cancelled: Result<Models, Problem> =
                    api.ask(Method::POST, CANCEL, &[], None).await;
                // It may have ended a moment before.
                if let Err(problem) = cancelled
                    && problem.code() != Code::Refused
                {
                    return Err(problem);
                }
            }
        }
        models = api.get(MODELS).await?;
    }
    bar.finish();
    for model in &models.items {
        if let Some(why) = &model.problem {
            let mut problem = Problem::new(Code::Unavailable, why.clone());
            if let Some(hint) = &model.hint {
                problem = problem.hint(hint.clone());
            }
            output.refused_one(&problem);
        }
    }
    output.data(&models, || describe_items(&models.items));
    let is_here = models.items.iter().all(|model| model.state == "here");
    Ok(match is_here && !was_stopped {
        true => Ending::Done,
        false => Ending::Partly,
    })
}

async fn check(api: &Api, ids: Vec<String>, output: &Output) -> Result<Ending, Problem> {
    let models: Models = api.get(MODELS).await?;
    let unknown = ids
        .iter()
        .find(|id| models.items.iter().all(|model| model.id != **id));
    if let Some(id) = unknown {
        return Err(
            Problem::new(Code::NotFound, format!("no model is called {id}"))
                .hint("`heirloom models list` names all there are."),
        );
    }
    let is_asked = |model: &&Model| match ids.is_empty() {
        true => model.files.iter().any(|file| file.state != "missing"),
        false => ids.contains(&model.id),
    };
    let asked: Vec<&Model> = models.items.iter().filter(is_asked).collect();
    let all: u64 = asked.iter().map(|model| model.bytes).sum();
    let mut bar = Bar::new(*output);
    let mut checks = Vec::new();
    let mut done = 0;
    for model in asked {
        bar.show(
            done,
            all,
            format!("{} of {} {}", size(done), size(all), model.id),
        );
        let path = format!("{MODELS}/{}/check", model.id);
        let found: ModelCheck = api.ask(Method::POST, &path, &[], None).await?;
        done += model.bytes;
        checks.push(found);
    }
    bar.finish();
    output.data(&json!({ "items": checks, "next": null }), || {
        describe_checks(&checks)
    });
    let is_well = checks.iter().all(|check| check.faults.is_empty());
    Ok(match is_well {
        true => Ending::Done,
        false => Ending::Partly,
    })
}

fn new_model(asked: AddModel) -> Result<NewModel, Problem> {
    if !asked.sha256.is_empty() && asked.sha256.len() != asked.files.len() {
        return Err(Problem::new(
            Code::InvalidRequest,
            format!(
                "{} and {} were given",
                number_of(asked.files.len() as u64, "file", "files"),
                number_of(asked.sha256.len() as u64, "hash", "hashes")
            ),
        )
        .hint("Give a hash for each file, in their order, or none for files of this machine."));
    }
    let mut hashes = asked.sha256.into_iter();
    let files = asked.files.into_iter().map(|file| {
        Ok(NewModelFile {
            source: source(&file)?,
            name: None,
            sha256: hashes.next(),
        })
    });
    Ok(NewModel {
        id: asked.id,
        ability: asked.ability,
        about: asked.about,
        licence: asked.licence,
        is_default: asked.default,
        files: files.collect::<Result<_, Problem>>()?,
    })
}

/// What is no address is a path, which the server has to know from the root on.
fn source(text: &str) -> Result<String, Problem> {
    let beginnings = ["http://", "https://", "pypi:", "npm:"];
    if beginnings
        .iter()
        .any(|beginning| text.starts_with(beginning))
    {
        return Ok(text.to_owned());
    }
    let path = Path::new(text).canonicalize().map_err(|error| {
        Problem::new(
            Code::NothingThere,
            format!("{text} cannot be read: {error}"),
        )
        .hint("Name a file that is there, or an address.")
    })?;
    let path = path.into_os_string().into_string();
    path.map_err(|_| {
        Problem::new(
            Code::InvalidRequest,
            "a file of a model needs a path in UTF-8",
        )
        .hint("Give the file another name.")
    })
}

fn describe(models: &Models) -> String {
    let mut text = format!("Models are in {}", line(&models.folder));
    if let Some(mirror) = &models.mirror {
        text += &format!(", and are asked for at {} first", line(mirror));
    }
    text += ".\n\n";
    text += &describe_items(&models.items);
    for problem in &models.problems {
        text += &line(&format!("!! {problem}"));
        text.push('\n');
    }
    let is_lacking = |model: &&Model| model.is_default && model.state == "missing";
    let lacking: Vec<_> = models.items.iter().filter(is_lacking).collect();
    if !lacking.is_empty() {
        let bytes = lacking.iter().map(|model| model.bytes).sum();
        text += &format!(
            "\nheirloom models pull --default  fetches the {} marked with * that are missing, {}.\n",
            lacking.len(),
            size(bytes)
        );
    }
    text
}

fn describe_items(models: &[Model]) -> String {
    let rows: Vec<Vec<String>> = models
        .iter()
        .map(|model| {
            let mark = if model.is_default { "*" } else { " " };
            vec![
                format!("{}{mark}", model.id),
                model.ability.replace('_', " "),
                describe_size(model),
                describe_state(model),
                model.licence.clone(),
            ]
        })
        .collect();
    table(&rows)
}

/// A size that is not known before it is here.
fn describe_size(model: &Model) -> String {
    match model.files.iter().any(|file| file.bytes.is_none()) {
        true => "size unknown".to_owned(),
        false => size(model.bytes),
    }
}

fn describe_state(model: &Model) -> String {
    match model.bytes_done {
        Some(done) => format!("{}, {}", model.state, size(done)),
        None => model.state.clone(),
    }
}

fn describe_checks(checks: &[ModelCheck]) -> String {
    if checks.is_empty() {
        return "No model is here.\n".to_owned();
    }
    let mut text = String::new();
    for check in checks {
        if check.faults.is_empty() {
            text += &format!("ok  {}\n", check.id);
        }
        for fault in &check.faults {
            text += &line(&format!("!!  {} {}: {}", check.id, fault.file, fault.why));
            text += &format!("\n    heirloom models pull {}\n", check.id);
        }
    }
    text
}

/// How much of a model is here, as far as that is told.
fn bytes_here(model: &Model) -> u64 {
    match model.state.as_str() {
        "here" => model.bytes,
        _ => model.bytes_done.unwrap_or(0),
    }
}
