//! The models that abilities need, and what they run on.

use std::path::Path;

use heirloom_models::{Ability, ModelState};
use heirloom_pipeline::{
    machine::graphics_cards,
    way::{Reach, ServiceSettings, Way, Ways},
};

use super::{amiss, well};
use crate::{
    library::Library,
    wire::{Check, ModelRun},
};

/// For each ability whether its model is here. That one is missing is no fault: everything else works without it.
pub(super) fn check_models(library: &Library) -> Vec<Check> {
    let store = library.models().store();
    let check = |ability: Ability| {
        let name = format!("model for {}", ability.as_str().replace('_', " "));
        let Some(model) = store.default_for(ability) else {
            return well(
                &name,
                "none is chosen; `heirloom models list` names those there are",
            );
        };
        let id = &model.id;
        match store.state(&model) {
            ModelState::Here => well(&name, format!("{id} is here")),
            ModelState::Missing => well(
                &name,
                format!("{id} is not here: `heirloom models pull {id}`"),
            ),
            ModelState::Damaged => amiss(
                &name,
                format!("{id} is damaged: {}", ability.without()),
                &format!("`heirloom models pull {id}` fetches it again."),
            ),
        }
    };
    Ability::ALL.map(check).into()
}

/// What each ability runs on whose models are here, and whether there is a graphics card.
pub(super) fn check_runs(library: &Library) -> Vec<Check> {
    let runs = library.models().runs();
    let mut checks: Vec<Check> = runs.iter().map(check_run).collect();
    if !checks.is_empty() {
        let cards = graphics_cards(Path::new("/"));
        checks.push(well(
            "graphics card",
            match cards.is_empty() {
                true => "none was found: models compute on processors".to_owned(),
                false => format!(
                    "{} is here, and models compute on processors; a service on this machine may use it",
                    cards.join(", ")
                ),
            },
        ));
    }
    checks
}

fn check_run(run: &ModelRun) -> Check {
    let name = format!("{} runs", run.ability.replace('_', " "));
    let loaded = if run.is_loaded {
        "loaded now"
    } else {
        "not loaded now"
    };
    let threads = match run.threads {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    let detail = format!(
        "{} with {}, on {threads} of {} processors, with at most {:.1} GB of memory; {loaded}",
        run.model,
        run.runtime,
        run.processors,
        run.memory_bytes as f64 / 1e9
    );
    well(&name, detail)
}

/// Who does what models do, where somebody chose more than those of this machine: where what they are sent goes, and whether they
/// answer.
pub(super) fn check_services(library: &Library) -> Vec<Check> {
    let engine = library.engine();
    let tasks = [
        ("transcription", "the sound", engine.transcription()),
        ("reading", "the page", engine.reading()),
        ("tagging", "the picture", engine.tagging()),
    ];
    let checks = tasks.into_iter();
    checks
        .filter_map(|(name, sent, ways)| check_ways(name, sent, ways))
        .collect()
}

fn check_ways(name: &str, sent: &str, ways: &Ways) -> Option<Check> {
    if ways.services().is_empty() && ways.order().len() == 1 {
        return None;
    }
    let order = ways.order().iter().map(|way| match way {
        Way::Local => "a model on this machine".to_owned(),
        Way::Metadata => "else it is noted that nobody could".to_owned(),
        Way::Service(service) => {
            let settings = service.settings();
            let reach = settings.reach().in_words();
            format!("{} at {} ({sent} {reach})", settings.name, settings.address)
        }
    });
    let detail = order.collect::<Vec<_>>().join(", then ");
    let mut used = ways.order().iter().filter_map(|way| match way {
        Way::Service(service) => Some(service),
        _ => None,
    });
    let resting = used
        .clone()
        .find_map(|service| Some((service, service.rest_left()?)));
    let is_open =
        |settings: &ServiceSettings| !settings.is_encrypted() && settings.reach() == Reach::Outside;
    Some(if let Some((service, left)) = resting {
        let who = &service.settings().name;
        amiss(
            name,
            format!(
                "{detail}; {who} failed too often and is left alone for {} seconds",
                left.as_secs() + 1
            ),
            "`heirloom run failed` says why, and a new run of `understand` asks it again.",
        )
    } else if let Some(service) = used.find(|service| is_open(service.settings())) {
        let who = &service.settings().name;
        amiss(
            name,
            format!("{detail}; what {who} is sent can be read on the way"),
            "Write its address with https:// in config.toml.",
        )
    } else {
        well(name, detail)
    })
}
