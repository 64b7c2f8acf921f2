//! What is configured of who writes down what is said: the order in which they are tried, and services elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use heirloom_server::{
    Code, Method, Problem, ServiceSettings, TranscriptionKey, TranscriptionSettings,
};
use serde::Deserialize;

use super::{ByteCount, File, Origin, Setting, first, text_variable};

const ORDER: &str = "HEIRLOOM_TRANSCRIPTION";
/// The key of a service, with the service's name in capital letters after it, where no file has it.
const KEY: &str = "HEIRLOOM_TRANSCRIPTION_KEY_";

/// A service, as `[[transcription_services]]` declares it.
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

/// Files are looked for in the data folder where they do not begin at the root.
pub(super) fn load(
    file: &File,
    data: &Path,
    from_file: impl Fn() -> Origin,
) -> Result<Setting<TranscriptionSettings>, Problem> {
    let words = text_variable(ORDER)?.map(|text| {
        let words = text.split(',').map(|word| word.trim().to_owned());
        words.collect::<Vec<_>>()
    });
    let order = first(None, words, ORDER, file.transcription.clone(), from_file());
    let declared = file.transcription_services.as_deref().unwrap_or_default();
    let services = declared.iter().map(|declared| declared.settings(data));
    let services = services.collect::<Result<Vec<_>, _>>()?;
    let origin = match (&order.origin, services.is_empty()) {
        (Origin::Default, false) => from_file(),
        (origin, _) => origin.clone(),
    };
    let order = order.value.map(|words| {
        let methods = words.iter().map(|word| Method::from(word.as_str()));
        methods.collect()
    });
    let value = TranscriptionSettings {
        order: order.unwrap_or_else(|| TranscriptionSettings::default().order),
        services,
    };
    value.check().map_err(|why| {
        Problem::new(
            Code::InvalidRequest,
            format!("transcription ({}): {why}", origin.in_words()),
        )
        .hint("`transcription` is an order such as [\"local\", \"openai\", \"metadata\"], and each service has its [[transcription_services]].")
    })?;
    Ok(Setting { value, origin })
}

impl Declared {
    fn settings(&self, data: &Path) -> Result<ServiceSettings, Problem> {
        let usual = ServiceSettings::default();
        Ok(ServiceSettings {
            name: self.name.clone(),
            kind: self.kind.clone().unwrap_or(usual.kind),
            address: self.address.clone(),
            model: self.model.clone().unwrap_or(usual.model),
            key: self.key(data)?.map(|key| TranscriptionKey::new(&key)),
            languages: self.languages.clone(),
            max_bytes: self.max_bytes.map_or(usual.max_bytes, |count| count.0),
            patience: self.patience_s.map_or(usual.patience, Duration::from_secs),
            pause: usual.pause,
        })
    }

    /// The key, from a file that is named or else from the environment.
    fn key(&self, data: &Path) -> Result<Option<String>, Problem> {
        let Some(path) = &self.key_file else {
            let word = |letter: char| {
                if letter.is_ascii_alphanumeric() {
                    letter.to_ascii_uppercase()
                } else {
                    '_'
                }
            };
            let name: String = self.name.chars().map(word).collect();
            return Ok(super::variable(&format!("{KEY}{name}")).and_then(|text| {
                let text = text.into_string().ok()?;
                Some(text.trim().to_owned())
            }));
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
