//! What is configured of models: the folder that they are in, and who is asked for them first.

use std::path::{Path, PathBuf};

use heirloom_server::{Mirror, ModelsConfig, Problem};

use super::{File, Origin, Setting, invalid, pick};

const FOLDER: &str = "HEIRLOOM_MODELS";
const MIRROR: &str = "HEIRLOOM_MODELS_MIRROR";

/// What is configured, each with where it comes from.
#[derive(Debug)]
pub(crate) struct ModelSettings {
    pub(crate) folder: Setting<Option<PathBuf>>,
    pub(crate) mirror: Setting<Option<Mirror>>,
}

impl ModelSettings {
    /// Paths are taken from the data folder where they do not begin at the root.
    pub(super) fn load(
        file: &File,
        data: &Path,
        from_file: impl Fn() -> Origin,
    ) -> Result<Self, Problem> {
        let folder = pick(
            None,
            FOLDER,
            file.models.clone().map(PathBuf::from),
            from_file(),
        )?;
        let mirror: Setting<Option<String>> =
            pick(None, MIRROR, file.models_mirror.clone(), from_file())?;
        let parsed = mirror.value.as_deref().map(str::parse::<Mirror>);
        let parsed = parsed
            .transpose()
            .map_err(|what| invalid(&mirror.origin, what))?;
        Ok(Self {
            folder: Setting {
                value: folder.value.map(|folder| data.join(folder)),
                origin: folder.origin,
            },
            mirror: Setting {
                value: parsed.map(|mirror| match mirror {
                    Mirror::Folder(folder) => Mirror::Folder(data.join(folder)),
                    url @ Mirror::Url(_) => url,
                }),
                origin: mirror.origin,
            },
        })
    }

    /// The same for a library.
    pub(crate) fn settings(&self) -> ModelsConfig {
        ModelsConfig {
            folder: self.folder.value.clone(),
            mirror: self.mirror.value.clone(),
            ..ModelsConfig::default()
        }
    }
}
