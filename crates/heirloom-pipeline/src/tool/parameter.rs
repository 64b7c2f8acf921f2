//! What tools can be asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::template::Template;

/// A whole number that a tool takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// What it is called, with its unit: `short_side_px`.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// The least it may be.
    pub least: i64,
    /// The most it may be.
    pub most: i64,
    /// What it is where nobody asks for anything.
    pub default: i64,
}

/// Why a pipeline cannot be asked for something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// There is no such step.
    #[error("{pipeline} has no step {step:?}")]
    NoStep {
        /// The pipeline.
        pipeline: &'static str,
        /// What was asked for.
        step: String,
        /// The steps that take something.
        known: Vec<&'static str>,
    },
    /// Its tool takes no such parameter.
    #[error("{step} has no parameter {name:?}")]
    NoParameter {
        /// The step.
        step: &'static str,
        /// What was asked for.
        name: String,
        /// What it takes.
        known: Vec<&'static str>,
    },
    /// It is no whole number within its bounds.
    #[error("{step}.{name} has to be a whole number from {least} to {most}, and not {value}", name = parameter.name, least = parameter.least, most = parameter.most)]
    OutOfBounds {
        /// The step.
        step: &'static str,
        /// The parameter.
        parameter: Parameter,
        /// What was asked for.
        value: Json,
    },
}

impl Parameter {
    /// Its JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Json {
        json!({
            "type": "integer",
            "description": self.meaning,
            "minimum": self.least,
            "maximum": self.most,
            "default": self.default,
        })
    }

    /// What it is in what a tool was asked for.
    #[must_use]
    pub fn read(&self, asked: &Json) -> i64 {
        asked[self.name].as_i64().unwrap_or(self.default)
    }

    fn takes(&self, value: &Json) -> bool {
        value
            .as_i64()
            .is_some_and(|value| (self.least..=self.most).contains(&value))
    }
}

/// Checks what the steps of a pipeline are asked for. What they do anyway is left out, so that it is
/// the same work as where nobody asks.
///
/// # Errors
/// [`ParameterError`]: the first thing that is wrong.
pub fn check(
    template: &Template,
    asked: &BTreeMap<String, Map<String, Json>>,
) -> Result<BTreeMap<String, Json>, ParameterError> {
    let mut checked = BTreeMap::new();
    for (name, asked) in asked {
        let step = template.steps.iter().find(|step| step.name == name);
        let step = step.ok_or_else(|| ParameterError::NoStep {
            pipeline: template.name,
            step: name.clone(),
            known: names_of_steps(template),
        })?;
        let mut kept = Map::new();
        for (name, value) in asked {
            let parameters = step.tool.parameters;
            let parameter = parameters.iter().find(|parameter| parameter.name == name);
            let parameter = parameter.ok_or_else(|| ParameterError::NoParameter {
                step: step.name,
                name: name.clone(),
                known: parameters.iter().map(|parameter| parameter.name).collect(),
            })?;
            if !parameter.takes(value) {
                return Err(ParameterError::OutOfBounds {
                    step: step.name,
                    parameter: *parameter,
                    value: value.clone(),
                });
            }
            if value.as_i64() != Some(parameter.default) {
                kept.insert(name.clone(), value.clone());
            }
        }
        if !kept.is_empty() {
            checked.insert(name.clone(), Json::Object(kept));
        }
    }
    Ok(checked)
}

fn names_of_steps(template: &Template) -> Vec<&'static str> {
    let steps = template.steps.iter();
    let steps = steps.filter(|step| !step.tool.parameters.is_empty());
    steps.map(|step| step.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::PREPARE;

    fn asked(step: &str, name: &str, value: Json) -> BTreeMap<String, Map<String, Json>> {
        let parameters = Map::from_iter([(name.to_owned(), value)]);
        BTreeMap::from([(step.to_owned(), parameters)])
    }

    #[test]
    fn what_a_tool_does_anyway_is_not_asked_for() {
        let asked = |value| asked("playback", "short_side_px", json!(value));
        assert!(check(&PREPARE, &asked(1080)).unwrap().is_empty());
        let checked = check(&PREPARE, &asked(720)).unwrap();
        assert_eq!(checked["playback"], json!({ "short_side_px": 720 }));
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused_with_what_can() {
        for (step, name, value, words) in [
            ("dance", "tempo", json!(1), "prepare has no step \"dance\""),
            (
                "playback",
                "tempo",
                json!(1),
                "playback has no parameter \"tempo\"",
            ),
            (
                "playback",
                "short_side_px",
                json!(10),
                "playback.short_side_px has to be a whole number from 144 to 2160, and not 10",
            ),
            (
                "playback",
                "short_side_px",
                json!("high"),
                "and not \"high\"",
            ),
            ("playback", "short_side_px", json!(720.5), "and not 720.5"),
        ] {
            let error = check(&PREPARE, &asked(step, name, value)).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn every_default_is_within_its_bounds() {
        let steps = crate::template::ALL.iter().flat_map(|known| known.steps);
        for parameter in steps.flat_map(|step| step.tool.parameters) {
            assert!(parameter.takes(&json!(parameter.default)), "{parameter:?}");
        }
    }
}
