//! Templates: what a run does to each asset, as a value that can be read in one place.

use heirloom_db::{
    artifact::{Part, Recipe, artifact_key},
    asset::Asset,
    plan::Wanted,
};
use serde_json::Value as Json;

use crate::{
    tool::{
        Tool,
        film::{FILM, make_stills},
        pages::{DRAWER, draw_pages},
        playback::{PLAYER, make_playable},
        rendition::{RENDITIONS, make_renditions},
        text::{READER, read_document},
        waveform::{LISTENER, draw_waveform},
    },
    work::Work,
};

/// A pipeline that works on assets one by one.
#[derive(Debug)]
pub struct Template {
    /// What it is called in runs.
    pub name: &'static str,
    /// What each asset goes through; no step needs another.
    pub steps: &'static [Step],
}

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
    /// The steps that have something to do with an asset, and how it is known that it is done.
    pub(crate) fn wanted(&self, asset: &Asset) -> Vec<Wanted> {
        let steps = self.steps.iter();
        let steps = steps.filter(|step| step.tool.view.is_offered_by(asset));
        steps
            .map(|step| Wanted {
                step: step.name,
                key: artifact_key(
                    asset.family_id,
                    asset.id,
                    &Recipe {
                        kind: step.tool.outputs[0],
                        part: Part::Whole,
                        tool: (step.tool.name, step.tool.version),
                        parameters: &Json::Null,
                        inputs: &[asset.content_hash],
                    },
                ),
            })
            .collect()
    }
}

/// What makes an asset something to look at, to play and to read: renditions, proxies, waveforms,
/// pages and text.
pub static PREPARE: Template = Template {
    name: "prepare",
    steps: &[
        Step {
            name: "renditions",
            tool: RENDITIONS,
            work: make_renditions,
        },
        Step {
            name: "film",
            tool: FILM,
            work: make_stills,
        },
        Step {
            name: "waveform",
            tool: LISTENER,
            work: draw_waveform,
        },
        Step {
            name: "playback",
            tool: PLAYER,
            work: make_playable,
        },
        Step {
            name: "pages",
            tool: DRAWER,
            work: draw_pages,
        },
        Step {
            name: "text",
            tool: READER,
            work: read_document,
        },
    ],
};

/// Every template.
pub static ALL: [&Template; 1] = [&PREPARE];
