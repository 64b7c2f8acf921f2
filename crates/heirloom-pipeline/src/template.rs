//! Templates: what a run does to each asset, as a value that can be read in one place.

use std::collections::HashMap;

use heirloom_db::{
    artifact::{Part, Recipe, artifact_key},
    plan::{Aim, Parameters, Wanted},
    workpiece::Workpiece,
};
use heirloom_models::Ability;

use crate::{
    tool::{
        FILE_NAME, METADATA, SIDECAR, Tool,
        faces::{FACES, find_faces},
        film::{FILM, make_stills},
        meaning::{INTERPRETER, tell_meaning},
        pages::{DRAWER, draw_pages},
        place::{NAMER, name_position},
        playback::{PLAYER, make_playable},
        reading::{EYES, read_writing},
        rendition::{RENDITIONS, make_renditions},
        reread,
        tags::{BEHOLDER, tag_picture},
        text::{READER, read_document},
        transcript::{HEARER, write_down},
        waveform::{LISTENER, draw_waveform},
    },
    work::Work,
    workshop::{ModelKeys, Workshop},
};

/// A pipeline that works on assets one by one.
#[derive(Debug)]
pub struct Template {
    /// What it is called in runs.
    pub name: &'static str,
    /// Whether it makes what is missing, or all of it again.
    pub aim: Aim,
    /// What each asset goes through; no step needs another.
    pub steps: &'static [Step],
}

/// The keys of the models that steps use, by the names of the steps.
pub type Models = HashMap<&'static str, ModelKeys>;

/// A tool at work in a template.
#[derive(Debug)]
pub struct Step {
    /// What it is called in units.
    pub name: &'static str,
    /// What is run.
    pub tool: Tool,
    /// Its function.
    pub work: Work,
}

impl Template {
    /// What its steps are called.
    pub(crate) fn step_names(&self) -> Vec<&'static str> {
        self.steps.iter().map(|step| step.name).collect()
    }

    /// The steps for which every model is here, with the keys of these.
    pub(crate) fn ready(&self, workshop: &Workshop) -> Models {
        let is_ready = |step: &&Step| {
            let ability = step.tool.ability;
            ability.is_none_or(|ability| workshop.has(ability))
        };
        let steps = self.steps.iter().filter(is_ready);
        steps
            .map(|step| (step.name, workshop.model_keys(step.tool.ability)))
            .collect()
    }

    /// What those of its steps are called for which every model is here.
    pub(crate) fn ready_names(&self, workshop: &Workshop) -> Vec<&'static str> {
        let ready = self.ready(workshop);
        let mut names = self.step_names();
        names.retain(|name| ready.contains_key(name));
        names
    }

    /// The models that its steps use now. A step that is extra is left out where nobody can do it: nothing waits for it.
    pub(crate) fn models(&self, workshop: &Workshop) -> Models {
        let is_asked = |ability: Ability| !ability.is_extra() || workshop.has(ability);
        let steps = self.steps.iter();
        let steps = steps.filter(|step| step.tool.ability.is_some_and(is_asked));
        steps
            .map(|step| (step.name, workshop.model_keys(step.tool.ability)))
            .collect()
    }

    /// The steps that have something to do with an asset, and how it is known that it is done.
    pub(crate) fn wanted(
        &self,
        asset: &Workpiece,
        parameters: &Parameters,
        models: &Models,
    ) -> Vec<Wanted> {
        let steps = self.steps.iter();
        let is_asked = |step: &&Step| step.tool.ability.is_none() || models.contains_key(step.name);
        let steps = steps.filter(is_asked);
        let steps = steps.filter(|step| step.tool.view.is_offered_by(asset));
        let model_of = |step: &Step| models.get(step.name).map_or("", |keys| keys.of(asset.kind));
        let key_of = |step: &Step| {
            let input = step.tool.view.input_of(asset)?;
            let asked = step.tool.asked_of(asset, parameters.of_step(step.name));
            let recipe = Recipe {
                kind: step.tool.outputs[0],
                part: Part::Whole,
                tool: (step.tool.name, step.tool.version),
                model: model_of(step),
                parameters: &asked,
                inputs: &[input],
            };
            Some(artifact_key(asset.family_id, asset.id, &recipe))
        };
        steps
            .map(|step| Wanted {
                step: step.name,
                tool: (step.tool.name, step.tool.version),
                model: model_of(step).to_owned(),
                key: key_of(step),
            })
            .collect()
    }
}

const RENDITIONS_STEP: Step = Step {
    name: "renditions",
    tool: RENDITIONS,
    work: make_renditions,
};
const FILM_STEP: Step = Step {
    name: "film",
    tool: FILM,
    work: make_stills,
};
const WAVEFORM_STEP: Step = Step {
    name: "waveform",
    tool: LISTENER,
    work: draw_waveform,
};
const PLAYBACK_STEP: Step = Step {
    name: "playback",
    tool: PLAYER,
    work: make_playable,
};

const PAGES_STEP: Step = Step {
    name: "pages",
    tool: DRAWER,
    work: draw_pages,
};
const TEXT_STEP: Step = Step {
    name: "text",
    tool: READER,
    work: read_document,
};

const PLACE_STEP: Step = Step {
    name: "place",
    tool: NAMER,
    work: name_position,
};

/// What makes an asset something to look at, to play and to read: renditions, proxies, waveforms,
/// pages and text; and what its position is called.
pub static PREPARE: Template = Template {
    name: "prepare",
    aim: Aim::Complete,
    steps: &[
        RENDITIONS_STEP,
        FILM_STEP,
        WAVEFORM_STEP,
        PLAYBACK_STEP,
        PAGES_STEP,
        TEXT_STEP,
        PLACE_STEP,
    ],
};

/// What is in it: what is said, what stands there, whose faces are seen and what it shows, as far as models are here that
/// find it out.
pub static UNDERSTAND: Template = Template {
    name: "understand",
    aim: Aim::Complete,
    steps: &[
        Step {
            name: "transcript",
            tool: HEARER,
            work: write_down,
        },
        Step {
            name: "reading",
            tool: EYES,
            work: read_writing,
        },
        Step {
            name: "faces",
            tool: FACES,
            work: find_faces,
        },
        Step {
            name: "tags",
            tool: BEHOLDER,
            work: tag_picture,
        },
        Step {
            name: "meaning",
            tool: INTERPRETER,
            work: tell_meaning,
        },
    ],
};

/// Makes again what deterministic tools made, those of a scan included, and says what comes out
/// otherwise.
pub static REBUILD: Template = Template {
    name: "rebuild",
    aim: Aim::Again,
    steps: &[
        Step {
            name: "metadata",
            tool: METADATA,
            work: reread::read_original,
        },
        Step {
            name: "file_name",
            tool: FILE_NAME,
            work: reread::read_names,
        },
        Step {
            name: "sidecar",
            tool: SIDECAR,
            work: reread::read_sidecars,
        },
        RENDITIONS_STEP,
        FILM_STEP,
        WAVEFORM_STEP,
        PLAYBACK_STEP,
        PAGES_STEP,
        TEXT_STEP,
        PLACE_STEP,
    ],
};

/// Every template.
pub static ALL: [&Template; 3] = [&PREPARE, &UNDERSTAND, &REBUILD];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_prepared_is_rebuilt_where_it_comes_out_the_same_again() {
        let rebuilt: HashSet<&str> = REBUILD.steps.iter().map(|step| step.tool.name).collect();
        for step in PREPARE.steps {
            let is_rebuilt = rebuilt.contains(step.tool.name);
            assert_eq!(is_rebuilt, step.tool.is_deterministic, "{}", step.name);
        }
        assert!(REBUILD.steps.iter().all(|step| step.tool.is_deterministic));
    }

    #[test]
    fn each_tool_has_a_name_of_its_own() {
        for template in ALL {
            let names: HashSet<&str> = template.steps.iter().map(|step| step.tool.name).collect();
            assert_eq!(names.len(), template.steps.len(), "{}", template.name);
        }
    }
}
