//! What people added: each model is noted in its own folder, in the manifest's own form.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    error::ModelError,
    manifest::{self, Model, NOTE},
};

/// The models that people added to a folder, and what is wrong with the notes that cannot be used.
pub(crate) fn load_all(folder: &Path, built_in: &[Model]) -> (Vec<Model>, Vec<ModelError>) {
    let (mut models, mut wrong) = (Vec::new(), Vec::new());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (models, wrong),
        Err(error) => return (models, vec![ModelError::io("read", folder)(error)]),
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    for folder in folders {
        match load(&folder, built_in) {
            Ok(None) => {}
            Ok(Some(model)) => models.push(model),
            Err(error) => wrong.push(error),
        }
    }
    (models, wrong)
}

fn load(folder: &Path, built_in: &[Model]) -> Result<Option<Model>, ModelError> {
    let path = folder.join(NOTE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(ModelError::io("read", &path)(error)),
            };
        }
    };
    let place = path.display().to_string();
    let refuse = |why: String| ModelError::Manifest {
        place: place.clone(),
        why,
    };
    let mut models = manifest::parse(&text, &place)?;
    let model = match (models.pop(), models.is_empty()) {
        (Some(model), true) => model,
        _ => return Err(refuse("it has to describe one model".to_owned())),
    };
    let name = folder.file_name().unwrap_or_default();
    if name != model.id.as_str() {
        return Err(refuse(format!(
            "it describes {}, which is not the name of its folder",
            model.id
        )));
    }
    if built_in.iter().any(|other| other.id == model.id) {
        return Err(refuse(format!(
            "{} is a model that the program knows by itself",
            model.id
        )));
    }
    Ok(Some(Model {
        is_own: true,
        ..model
    }))
}

/// Notes a model in its folder, whole or not at all.
pub(crate) fn save(folder: &Path, model: &Model) -> Result<(), ModelError> {
    let text = manifest::render(model)?;
    let own = folder.join(&model.id);
    fs::create_dir_all(&own).map_err(ModelError::io("made", &own))?;
    let written = tempfile::NamedTempFile::new_in(&own).map_err(ModelError::io("written", &own))?;
    let path = own.join(NOTE);
    let write = || {
        written.as_file().write_all(text.as_bytes())?;
        written.as_file().sync_all()
    };
    write().map_err(ModelError::io("written", &path))?;
    written
        .persist(&path)
        .map_err(|error| ModelError::io("written", &path)(error.error))?;
    sync_folder(&own)
}

/// Makes sure that names in a folder are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ModelError> {
    let sync = || fs::File::open(folder)?.sync_all();
    sync().map_err(ModelError::io("written", folder))
}
