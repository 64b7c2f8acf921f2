//! Models on the wire.

use heirloom_models as models;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The models that abilities need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Models {
    /// The folder that they are in.
    pub folder: String,
    /// Who is asked for files first, where somebody is.
    pub mirror: Option<String>,
    /// Each model; those that somebody added come last.
    pub items: Vec<Model>,
    /// What is wrong with the notes of added models that cannot be used.
    pub problems: Vec<String>,
    /// What each ability runs on that is at work in Heirloom so far, where its models are here.
    #[serde(default)]
    pub runs: Vec<ModelRun>,
    /// The graphics cards of the machine, by the names of their devices. None is used.
    #[serde(default)]
    pub graphics_cards: Vec<String>,
}

/// What an ability runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelRun {
    /// Which.
    pub ability: String,
    /// The model that it uses.
    pub model: String,
    /// What runs that, in words.
    pub runtime: String,
    /// With how many threads it computes.
    pub threads: u64,
    /// How many processors the machine has.
    pub processors: u64,
    /// How much memory its process may map. All abilities of one process share it.
    pub memory_bytes: u64,
    /// Whether it is in memory at the moment, in the process that answers.
    pub is_loaded: bool,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// Its name.
    pub id: String,
    /// What it is for: `speech`, `voice_activity`, `speaker`, `reading`, `faces`, `image_features`, `image_text`, `text_embedding`,
    /// `voice`, `runtime` or `language`. There may be more.
    pub ability: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Its licence.
    pub licence: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// Whether its ability uses it unless somebody says otherwise.
    pub is_default: bool,
    /// Whether somebody added it here.
    pub is_own: bool,
    /// How many bytes it has, as far as that is known.
    pub bytes: u64,
    /// `here`, `missing`, `waiting`, `pulling` or `damaged`.
    pub state: String,
    /// While it is pulled: how many bytes are here.
    pub bytes_done: Option<u64>,
    /// Why it did not come when it was pulled last.
    pub problem: Option<String>,
    /// What can be done about that.
    pub hint: Option<String>,
    /// Its files for this machine.
    pub files: Vec<ModelFile>,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelFile {
    /// Its name.
    pub name: String,
    /// How many bytes it has, where that is known.
    pub bytes: Option<u64>,
    /// The SHA-256 that its bytes have to have.
    pub sha256: String,
    /// `here`, `missing` or `damaged`.
    pub state: String,
}

/// What is to be fetched: one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPull {
    /// Models, by their names.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub ids: Vec<String>,
    /// Those that abilities use unless somebody says otherwise.
    #[serde(default)]
    pub default: bool,
    /// All there are.
    #[serde(default)]
    pub all: bool,
}

/// Files that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// What it is to be called. For a model that is known here, the files are taken for its files.
    pub id: String,
    /// What it is for. A model that is new here needs it.
    #[serde(default)]
    pub ability: Option<String>,
    /// What it is, in a sentence.
    #[serde(default)]
    pub about: Option<String>,
    /// Its licence.
    #[serde(default)]
    pub licence: Option<String>,
    /// Whether its ability is to use it rather than the model that it uses otherwise.
    #[serde(default)]
    pub is_default: bool,
    /// Its files.
    pub files: Vec<NewModelFile>,
}

/// A file that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModelFile {
    /// Where it is: an absolute path of the machine that serves, an address, or a file within a package
    /// (`pypi:NAME@VERSION#MEMBER`, `npm:NAME@VERSION#MEMBER`).
    pub source: String,
    /// What it is to be called; without it, it keeps its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The SHA-256 that it has to have. What is not on the machine that serves needs it.
    #[serde(default)]
    pub sha256: Option<String>,
}

/// What reading a model found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelCheck {
    /// Which model.
    pub id: String,
    /// How it stands now.
    pub state: String,
    /// What is wrong with it; nothing where every byte is right.
    pub faults: Vec<ModelFault>,
}

/// What is wrong with a file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelFault {
    /// Which file.
    pub file: String,
    /// What is wrong, in a sentence.
    pub why: String,
}

/// A model that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelRemoved {
    /// Which.
    pub id: String,
    /// What nobody does any more until a model for it is here; null where another one does it.
    pub without: Option<String>,
}

impl From<models::Fault> for ModelFault {
    fn from(fault: models::Fault) -> Self {
        Self {
            file: fault.file,
            why: fault.why,
        }
    }
}
