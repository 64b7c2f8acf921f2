//! The models that abilities need.

use heirloom_models::{Ability, ModelState};
use heirloom_pipeline::transcription::{Reach, ServiceSettings, Way};

use super::{amiss, well};
use crate::{library::Library, wire::Check};

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

/// Who writes down what is said, where somebody chose more than the models of this machine: where the sound goes, and
/// whether they answer.
pub(super) fn check_transcription(library: &Library) -> Option<Check> {
    const NAME: &str = "transcription";
    let transcription = library.engine().transcription();
    if transcription.services().is_empty() && transcription.order().len() == 1 {
        return None;
    }
    let order = transcription.order().iter().map(|way| match way {
        Way::Local => "a model on this machine".to_owned(),
        Way::Metadata => "else it is noted that nobody could".to_owned(),
        Way::Service(service) => {
            let settings = service.settings();
            let reach = settings.reach().in_words();
            format!(
                "{} at {} (the sound {reach})",
                settings.name, settings.address
            )
        }
    });
    let detail = order.collect::<Vec<_>>().join(", then ");
    let mut used = transcription.order().iter().filter_map(|way| match way {
        Way::Service(service) => Some(service),
        _ => None,
    });
    let resting = used
        .clone()
        .find_map(|service| Some((service, service.rest_left()?)));
    let is_open =
        |settings: &ServiceSettings| !settings.is_encrypted() && settings.reach() == Reach::Outside;
    Some(if let Some((service, left)) = resting {
        let name = &service.settings().name;
        amiss(
            NAME,
            format!(
                "{detail}; {name} failed too often and is left alone for {} seconds",
                left.as_secs() + 1
            ),
            "`heirloom run failed` says why, and a new run of `understand` asks it again.",
        )
    } else if let Some(service) = used.find(|service| is_open(service.settings())) {
        let name = &service.settings().name;
        amiss(
            NAME,
            format!("{detail}; what {name} is sent can be read on the way"),
            "Write its address with https:// in config.toml.",
        )
    } else {
        well(NAME, detail)
    })
}
