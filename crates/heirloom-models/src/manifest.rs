//! Which models there are: the manifest that the program carries, and the form of those that people add.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{error::ModelError, source::Source};

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// Writes down what is said.
    Speech,
    /// Finds where somebody speaks.
    VoiceActivity,
    /// Tells voices apart.
    Speaker,
    /// Reads print and handwriting.
    Reading,
    /// Finds faces and tells them apart.
    Faces,
    /// Says what is in pictures, and which are alike.
    ImageFeatures,
    /// Puts pictures and texts into one space.
    ImageText,
    /// Finds texts that mean the same.
    TextEmbedding,
    /// Reads aloud.
    Voice,
    /// Runs the models of other abilities.
    Runtime,
    /// Writes and answers in sentences.
    Language,
}

impl Ability {
    /// All there are.
    pub const ALL: [Self; 11] = [
        Self::Speech,
        Self::VoiceActivity,
        Self::Speaker,
        Self::Reading,
        Self::Faces,
        Self::ImageFeatures,
        Self::ImageText,
        Self::TextEmbedding,
        Self::Voice,
        Self::Runtime,
        Self::Language,
    ];

    /// The abilities whose models it works with, its own included.
    #[must_use]
    pub const fn needs(self) -> &'static [Self] {
        match self {
            Self::Speech => &[Self::Runtime, Self::VoiceActivity, Self::Speech],
            Self::VoiceActivity => &[Self::Runtime, Self::VoiceActivity],
            Self::Speaker => &[Self::Runtime, Self::VoiceActivity, Self::Speaker],
            Self::Reading => &[Self::Runtime, Self::Reading],
            Self::Faces => &[Self::Runtime, Self::Faces],
            Self::ImageFeatures => &[Self::Runtime, Self::ImageFeatures],
            Self::ImageText => &[Self::Runtime, Self::ImageText],
            Self::TextEmbedding => &[Self::Runtime, Self::TextEmbedding],
            Self::Voice => &[Self::Runtime, Self::Voice],
            Self::Runtime => &[Self::Runtime],
            Self::Language => &[Self::Language],
        }
    }

    /// The abilities whose models make it better where they are here, and without which it does its work all the same.
    #[must_use]
    pub const fn gains_from(self) -> &'static [Self] {
        match self {
            Self::Speech => &[Self::Speaker],
            _ => &[],
        }
    }

    /// Whether what needs it does its work in another way where no model for it is here, so that nothing waits for one.
    #[must_use]
    pub const fn is_extra(self) -> bool {
        matches!(self, Self::ImageText)
    }

    /// The word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Speech => "speech",
            Self::VoiceActivity => "voice_activity",
            Self::Speaker => "speaker",
            Self::Reading => "reading",
            Self::Faces => "faces",
            Self::ImageFeatures => "image_features",
            Self::ImageText => "image_text",
            Self::TextEmbedding => "text_embedding",
            Self::Voice => "voice",
            Self::Runtime => "runtime",
            Self::Language => "language",
        }
    }

    /// The ability of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|ability| ability.as_str() == word)
    }

    /// What the names of files have in them that a model for it needs.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Speech => &["model.bin", "config.json", "vocabulary.txt"],
            Self::Reading => &["_det_", "_cls_", "_rec_"],
            Self::Faces => &["_detect", "_landmark", "_feature"],
            Self::ImageText => &[".onnx", "token"],
            _ => &[],
        }
    }

    /// What nobody does any more when no model for it is here, as the end of a sentence.
    #[must_use]
    pub const fn without(self) -> &'static str {
        match self {
            Self::Speech => "what is said in recordings is not written down",
            Self::VoiceActivity => {
                "nothing finds where somebody speaks, which writing down speech needs"
            }
            Self::Speaker => "voices in recordings are not told apart",
            Self::Reading => "print and handwriting in pictures is not read",
            Self::Faces => "faces are not found",
            Self::ImageFeatures => "what is in pictures is not named",
            Self::ImageText => "pictures are not found by what one says of them",
            Self::TextEmbedding => "texts that mean the same are not found",
            Self::Voice => "nothing is read aloud by it",
            Self::Runtime => "no model in the ONNX format runs",
            Self::Language => "nothing is written or answered in sentences",
        }
    }
}

/// A model: files, and what is to be known of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name, which also names its folder.
    pub id: String,
    /// What it is for.
    pub ability: Ability,
    /// What it is, in a sentence.
    pub about: String,
    /// Its licence.
    pub licence: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// Whether its ability uses it unless somebody says otherwise.
    #[serde(default)]
    pub is_default: bool,
    /// Whether somebody added it here.
    #[serde(skip)]
    pub is_own: bool,
    /// Its files.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Its size, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The hash of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// The processor that it is for, as Rust calls it, such as `x86_64`; without one it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Where its bytes come from: one source, or several that are put one after the other.
    pub sources: Vec<Source>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    model: Vec<Model>,
}

/// What the program knows by itself.
const BUILT_IN: &str = include_str!("../models.toml");

/// The models that the program knows by itself.
pub(crate) fn built_in() -> Vec<Model> {
    // A test reads the same text: it cannot fail where that passed.
    parse(BUILT_IN, "the manifest of the program").unwrap_or_default()
}

/// Reads a manifest that stands in `place`.
pub(crate) fn parse(text: &str, place: &str) -> Result<Vec<Model>, ModelError> {
    let refuse = |why: String| ModelError::Manifest {
        place: place.to_owned(),
        why,
    };
    let manifest: Manifest =
        toml::from_str(text).map_err(|error| refuse(error.message().to_owned()))?;
    for model in &manifest.model {
        model.check().map_err(refuse)?;
    }
    Ok(manifest.model)
}

/// A manifest with one model.
pub(crate) fn render(model: &Model) -> Result<String, ModelError> {
    let manifest = Manifest {
        model: vec![model.clone()],
    };
    toml::to_string(&manifest).map_err(|error| ModelError::Invalid(error.to_string()))
}

impl Model {
    /// The files that this machine needs.
    pub fn files_here(&self) -> impl Iterator<Item = &ModelFile> {
        self.files
            .iter()
            .filter(|file| file.is_for(std::env::consts::ARCH))
    }

    /// How many bytes this machine needs, as far as that is known.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files_here().filter_map(|file| file.bytes).sum()
    }

    /// Its name and what tells its bytes from others of that name: what was made with one of another key is stale.
    #[must_use]
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        for file in self.files_here() {
            hash.update(file.name.as_bytes());
            hash.update(file.sha256.as_bytes());
        }
        let hex = hex(&hash.finalize());
        format!("{}@{}", self.id, &hex[..16])
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { id, files, .. } = self;
        if !is_id(id) {
            return Err(format!(
                "{id:?} cannot be the name of a model: small letters, digits, dots and hyphens, at most 64"
            ));
        }
        if files.is_empty() {
            return Err(format!("the model {id} has no files"));
        }
        let has = |part: &str| files.iter().any(|file| file.name.contains(part));
        if let Some(part) = self.ability.names().iter().find(|part| !has(part)) {
            return Err(format!(
                "a model for {} needs a file with {part} in its name, and {id} has none",
                self.ability.as_str()
            ));
        }
        for (at, file) in files.iter().enumerate() {
            let name = &file.name;
            if !is_file_name(name) {
                return Err(format!("{name:?} cannot be the name of a file of {id}"));
            }
            if files[..at].iter().any(|other| other.name == *name) {
                return Err(format!("{id} has two files {name}"));
            }
            if !is_hash(&file.sha256) {
                return Err(format!("the sha256 of {name} is not 64 hexadecimal digits"));
            }
            if file.sources.is_empty() {
                return Err(format!("no source is named for {name} of {id}"));
            }
        }
        Ok(())
    }
}

impl ModelFile {
    fn is_for(&self, arch: &str) -> bool {
        self.arch.as_deref().is_none_or(|own| own == arch)
    }
}

/// The note that makes a folder the one of an added model.
pub(crate) const NOTE: &str = "model.toml";

fn is_id(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    (1..=64).contains(&text.len()) && !text.starts_with(['.', '-']) && text.chars().all(is_plain)
}

fn is_file_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    (1..=128).contains(&text.len())
        && text != NOTE
        && !text.starts_with(['.', '-'])
        && text.chars().all(is_plain)
}

/// Whether a text is a SHA-256 in small hexadecimal digits.
pub(crate) fn is_hash(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == 64 && text.chars().all(is_digit)
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_the_program_is_complete() {
        let models = parse(BUILT_IN, "models.toml").unwrap();
        for (at, model) in models.iter().enumerate() {
            let Model {
                id,
                about,
                licence,
                origin,
                ..
            } = model;
            assert!(
                models[..at].iter().all(|other| other.id != *id),
                "{id} is there twice"
            );
            for words in [about, licence, origin] {
                assert!(!words.is_empty(), "{id}");
            }
            for file in &model.files {
                assert!(
                    file.sources
                        .iter()
                        .all(|source| !matches!(source, Source::File(_))),
                    "{id}: {} is on one machine only",
                    file.name
                );
            }
        }
        for ability in Ability::ALL {
            let of_it = models.iter().filter(|model| model.ability == ability);
            let defaults = of_it.filter(|model| model.is_default).count();
            // A model of language is chosen by whoever has the room for it.
            let wanted = usize::from(ability != Ability::Language);
            assert_eq!(defaults, wanted, "{}", ability.as_str());
            assert_eq!(Ability::from_word(ability.as_str()), Some(ability));
        }
        for arch in ["x86_64", "aarch64"] {
            for model in models.iter().filter(|model| model.is_default) {
                assert!(
                    model.files.iter().any(|file| file.is_for(arch)),
                    "{}",
                    model.id
                );
            }
        }
    }

    #[test]
    fn a_manifest_that_leads_elsewhere_is_refused() {
        let of = |id: &str, name: &str, sha256: &str| {
            format!(
                "[[model]]\nid = {id:?}\nability = \"language\"\nabout = \"a\"\nlicence = \"l\"\norigin = \"o\"\n\
                 [[model.file]]\nname = {name:?}\nsha256 = {sha256:?}\nsources = [\"https://example.org/x\"]\n"
            )
        };
        let hash = "0".repeat(64);
        parse(&of("mine", "model.bin", &hash), "here").unwrap();
        let cases = [
            of("../mine", "model.bin", &hash),
            of(".parts", "model.bin", &hash),
            of("Mine", "model.bin", &hash),
            of("", "model.bin", &hash),
            of("mine", "../model.bin", &hash),
            of("mine", ".model.bin", &hash),
            of("mine", "model.toml", &hash),
            of("mine", "model.bin", "abc"),
            of("mine", "model.bin", &hash).replace("https://example.org/x", "x"),
            of("mine", "model.bin", &hash).replace("language", "juggling"),
        ];
        for text in cases {
            let error = parse(&text, "here").unwrap_err();
            assert!(error.to_string().starts_with("here: "), "{error}");
        }
    }

    #[test]
    fn a_model_with_other_bytes_has_another_key() {
        let model = built_in().swap_remove(0);
        let mut other = model.clone();
        other.files[0].sha256 = "0".repeat(64);
        assert_ne!(model.key(), other.key());
        assert!(model.key().starts_with(&format!("{}@", model.id)));
    }
}
