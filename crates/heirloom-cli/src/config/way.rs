//! What is configured of who writes down what is said, who reads, and who says what pictures show: the order in which they are
//! tried, and services elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use heirloom_pipeline::{pictures, reading, transcription, way::Task};
use heirloom_server::{Code, Method, Problem, ServiceKey, ServiceSettings, WaySettings};
use serde::Deserialize;

use super::{ByteCount, Origin, Setting, first, text_variable};

/// Something that services may do, as the configuration has it.
#[derive(Debug)]
pub(super) struct Services {
    /// What its order is called.
    name: &'static str,
    order: &'static str,
    /// The key of a service, with the service's name in capital letters after it, where no file has it.
    key: &'static str,
    example: &'static str,
    task: &'static Task,
}

pub(super) const TRANSCRIPTION: Services = Services {
    name: "transcription",
    order: "HEIRLOOM_TRANSCRIPTION",
    key: "HEIRLOOM_TRANSCRIPTION_KEY_",
    example: "[\"local\", \"openai\", \"metadata\"]",
    task: &transcription::TASK,
};

pub(super) const READING: Services = Services {
    name: "reading",
    order: "HEIRLOOM_READING",
    key: "HEIRLOOM_READING_KEY_",
    example: "[\"local\", \"olmocr\"]",
    task: &reading::TASK,
};

pub(super) const TAGGING: Services = Services {
    name: "tagging",
    order: "HEIRLOOM_TAGGING",
    key: "HEIRLOOM_TAGGING_KEY_",
    example: "[\"local\", \"openai\"]",
    task: &pictures::TASK,
};

/// A service, as `[[transcription_services]]`, `[[reading_services]]` or `[[tagging_services]]` declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    name: String,
    kind: Option<String>,
    address: String,
    model: Option<String>,
    key_file: Option<PathBuf>,
    #[serde(default)]
    languages: Vec<String>,
    max_bytes: Option<ByteCount>,
    patience_s: Option<u64>,
}

impl Services {
    /// Files are looked for in the data folder where they do not begin at the root.
    pub(super) fn load(
        &self,
        (order, declared): (Option<Vec<String>>, Option<&[Declared]>),
        data: &Path,
        from_file: impl Fn() -> Origin,
    ) -> Result<Setting<WaySettings>, Problem> {
        let words = text_variable(self.order)?.map(|text| {
            let words = text.split(',').map(|word| word.trim().to_owned());
            words.collect::<Vec<_>>()
        });
        let order = first(None, words, self.order, order, from_file());
        let declared = declared.unwrap_or_default();
        let services = declared
            .iter()
            .map(|declared| declared.settings(self, data));
        let services = services.collect::<Result<Vec<_>, _>>()?;
        let origin = match (&order.origin, services.is_empty()) {
            (Origin::Default, false) => from_file(),
            (origin, _) => origin.clone(),
        };
        let order = order.value.map(|words| {
            let methods = words.iter().map(|word| Method::from(word.as_str()));
            methods.collect()
        });
        let value = WaySettings {
            order: order.unwrap_or_else(|| WaySettings::default().order),
            services,
        };
        value.check(self.task).map_err(|why| {
            let name = self.name;
            Problem::new(
                Code::InvalidRequest,
                format!("{name} ({}): {why}", origin.in_words()),
            )
            .hint(format!(
                "`{name}` is an order such as {}, and each service has its [[{name}_services]].",
                self.example
            ))
        })?;
        Ok(Setting { value, origin })
    }
}

impl Declared {
    fn settings(&self, services: &Services, data: &Path) -> Result<ServiceSettings, Problem> {
        let usual = ServiceSettings::default();
        let kind = self.kind.clone().unwrap_or(usual.kind);
        let mut kinds = services.task.kinds.iter();
        let known = kinds.find(|known| known.word == kind);
        let model = known.map_or("unknown", |known| known.model);
        Ok(ServiceSettings {
            name: self.name.clone(),
            kind,
            address: self.address.clone(),
            model: self.model.clone().unwrap_or_else(|| model.to_owned()),
            key: self
                .key(services.key, data)?
                .map(|key| ServiceKey::new(&key)),
            languages: self.languages.clone(),
            max_bytes: self.max_bytes.map_or(usual.max_bytes, |count| count.0),
            patience: self.patience_s.map_or(usual.patience, Duration::from_secs),
            pause: usual.pause,
        })
    }

    /// The key, from a file that is named or else from the environment.
    fn key(&self, prefix: &str, data: &Path) -> Result<Option<String>, Problem> {
        let Some(path) = &self.key_file else {
            let word = |letter: char| {
                if letter.is_ascii_alphanumeric() {
                    letter.to_ascii_uppercase()
                } else {
                    '_'
                }
            };
            let name: String = self.name.chars().map(word).collect();
            return Ok(
                super::variable(&format!("{prefix}{name}")).and_then(|text| {
                    let text = text.into_string().ok()?;
                    Some(text.trim().to_owned())
                }),
            );
        };
        let path = data.join(path);
        let refused = |why: String| {
            let message = format!(
                "the key of the service {:?} in {}: {why}",
                self.name,
                path.display()
            );
            Problem::new(Code::InvalidRequest, message)
                .hint("The file that `key_file` names has the key, and nothing else.")
        };
        let text = fs::read_to_string(&path).map_err(|error| refused(error.to_string()))?;
        match text.trim() {
            "" => Err(refused("the file is empty".to_owned())),
            text if text.chars().any(char::is_control) => {
                Err(refused("it has to be one line".to_owned()))
            }
            text => Ok(Some(text.to_owned())),
        }
    }
}
