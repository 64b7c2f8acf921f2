//! The models that abilities need.

use heirloom_models::{Ability, ModelState};

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
