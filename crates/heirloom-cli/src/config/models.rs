//! What is configured of models: the folder that they are in, who is asked for them first, and how they stay in memory.

use std::path::{Path, PathBuf};

use heirloom_pipeline::reading::SecondReader;
use heirloom_server::{Mirror, ModelsConfig, Problem, RoomSettings};

use super::{
    ByteCount, File, Origin, Setting, Span, first, invalid, pick, pick_parsed, text_variable,
};

const FOLDER: &str = "HEIRLOOM_MODELS";
const MIRROR: &str = "HEIRLOOM_MODELS_MIRROR";
const MEMORY: &str = "HEIRLOOM_MODELS_MEMORY";
const KEEP: &str = "HEIRLOOM_MODELS_KEEP";
const TESSERACT: &str = "HEIRLOOM_TESSERACT";

/// What is configured, each with where it comes from.
#[derive(Debug)]
pub(crate) struct ModelSettings {
    pub(crate) folder: Setting<Option<PathBuf>>,
    pub(crate) mirror: Setting<Option<Mirror>>,
    pub(crate) memory: Setting<Option<ByteCount>>,
    pub(crate) keep: Setting<Span>,
    pub(crate) tesseract: Setting<Vec<String>>,
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
        let memory = pick_parsed(None, MEMORY, file.models_memory, from_file(), |text| {
            ByteCount::try_from(text.to_owned())
        })?;
        let keep = pick_parsed(None, KEEP, file.models_keep, from_file(), |text| {
            Span::try_from(text.to_owned())
        })?;
        let words = text_variable(TESSERACT)?.map(|text| {
            let words = text.split(',').map(|word| word.trim().to_owned());
            words.collect()
        });
        let tesseract: Setting<Option<Vec<String>>> =
            first(None, words, TESSERACT, file.tesseract.clone(), from_file());
        let mut languages = tesseract.value.iter().flatten();
        if !languages.all(|name| SecondReader::is_language(name)) {
            let expected = "languages as tesseract names them, such as [\"deu\", \"eng\"]";
            return Err(invalid(&tesseract.origin, expected)
                .hint("Run `tesseract --list-langs`: it names those that are installed."));
        }
        Ok(Self {
            tesseract: tesseract.or(Vec::new()),
            memory,
            keep: keep.or(Span(RoomSettings::KEEP)),
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
        let memory = self.memory.value.map(|memory| memory.0);
        ModelsConfig {
            folder: self.folder.value.clone(),
            mirror: self.mirror.value.clone(),
            room: RoomSettings {
                memory_bytes: memory.unwrap_or_else(|| RoomSettings::default().memory_bytes),
                keep: self.keep.value.0,
            },
            tesseract: self.tesseract.value.clone(),
            ..ModelsConfig::default()
        }
    }
}
