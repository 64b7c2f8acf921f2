//! The file `store` in the data folder: which places this library keeps blobs in, or ever kept some in.
//!
//! Each bucket has a random name of its own, which the bucket has too. So one that is empty, another library's or
//! reached by two names is never taken for the right one, or for two.

use std::{fs, io, path::Path};

use uuid::Uuid;

use crate::problem::{Code, Problem};

/// The name of the blobs in the data folder.
pub(super) const FOLDER: &str = "folder";
const FIRST_LINE: &str = "places of blobs 1";

/// How a place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is about to be made, and has nothing.
    Making,
    /// It has blobs, or may have some.
    Made,
    /// It has none any more.
    Left,
}

impl State {
    const ALL: [Self; 3] = [Self::Making, Self::Made, Self::Left];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Making => "being made",
            Self::Made => "made",
            Self::Left => "left",
        }
    }
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownPlace {
    pub(super) state: State,
    /// What the place has, too.
    pub(super) id: String,
    /// `folder`, or the name of a bucket with its prefix.
    pub(super) location: String,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) places: Vec<KnownPlace>,
}

impl Known {
    /// Reads the file; without one, blobs are in the data folder or nowhere yet.
    pub(super) fn load(path: &Path, has_folder: bool) -> Result<Self, Problem> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut known = Self::default();
                if has_folder {
                    known.add(FOLDER).state = State::Made;
                }
                return Ok(known);
            }
            text => text.map_err(Problem::internal)?,
        };
        parse(&text).ok_or_else(|| {
            Problem::new(
                Code::Damaged,
                format!("{} does not say where the blobs are", path.display()),
            )
            .hint("Put a backup of it in its place. The blobs are not touched by this.")
        })
    }

    /// Writes the file. For blobs that are in the data folder and were nowhere else there is none.
    pub(super) fn save(&self, path: &Path) -> Result<(), Problem> {
        if self.places.iter().all(|place| place.location == FOLDER) {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(Problem::internal(error))
                }
                _ => Ok(()),
            };
        }
        let partial = path.with_extension("incoming");
        let write = || {
            fs::write(&partial, self.render())?;
            fs::File::open(&partial)?.sync_all()?;
            fs::rename(&partial, path)?;
            // The name has to be on the disk before a blob leaves the only place that was known.
            fs::File::open(path.parent().unwrap_or(path))?.sync_all()
        };
        write().map_err(Problem::internal)
    }

    /// Who has only ever had one bucket has a file of three lines.
    fn render(&self) -> String {
        if let [only] = &self.places[..]
            && only.state != State::Left
        {
            let KnownPlace {
                location,
                id,
                state,
            } = only;
            return format!("{location}\n{id}\n{}\n", state.as_str());
        }
        let mut text = format!("{FIRST_LINE}\n");
        for place in &self.places {
            text += &format!(
                "{}\t{}\t{}\n",
                place.state.as_str(),
                place.id,
                place.location
            );
        }
        text
    }

    pub(super) fn find(&self, location: &str) -> Option<&KnownPlace> {
        let mut places = self.places.iter();
        places.find(|place| place.location == location)
    }

    pub(super) fn find_or_add(&mut self, location: &str) -> &mut KnownPlace {
        let mut places = self.places.iter();
        match places.position(|place| place.location == location) {
            Some(at) => &mut self.places[at],
            None => self.add(location),
        }
    }

    /// A place that nobody knew.
    fn add(&mut self, location: &str) -> &mut KnownPlace {
        self.places.push(KnownPlace {
            state: State::Making,
            id: Uuid::new_v4().to_string(),
            location: location.to_owned(),
        });
        let last = self.places.len() - 1;
        &mut self.places[last]
    }
}

fn parse(text: &str) -> Option<Known> {
    let state_of = |word: &str| State::ALL.into_iter().find(|state| state.as_str() == word);
    let lines: Vec<&str> = text.lines().collect();
    let (first, rest) = lines.split_first()?;
    let place = |state, id: &str, location: &str| {
        let is_named = !id.is_empty() && !location.is_empty();
        is_named.then(|| KnownPlace {
            state,
            id: id.to_owned(),
            location: location.to_owned(),
        })
    };
    let places: Option<Vec<_>> = if *first == FIRST_LINE {
        let parts = rest.iter().map(|line| {
            let (state, line) = line.split_once('\t')?;
            let (id, location) = line.split_once('\t')?;
            place(state_of(state)?, id, location)
        });
        parts.collect()
    } else {
        let (id, state) = (rest.first()?, rest.get(1)?);
        place(state_of(state)?, id, first).map(|place| vec![place])
    };
    places
        .filter(|places| !places.is_empty())
        .map(|places| Known { places })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let mut known = Known::load(&path, false).unwrap();
        assert_eq!(known.places, []);
        known.add("s3://family/photos").state = State::Made;
        known.save(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(Known::load(&path, true).unwrap() == known);
        known.add(FOLDER);
        known.find_or_add("s3://family/photos").state = State::Left;
        known.save(&path).unwrap();
        assert!(Known::load(&path, false).unwrap() == known);
        for damaged in [
            "",
            "s3://family/photos\n",
            "places of blobs 1\n",
            "a\n\nmade\n",
            "a\nb\nc\n",
        ] {
            fs::write(&path, damaged).unwrap();
            assert!(Known::load(&path, true).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn blobs_in_the_data_folder_alone_need_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let known = Known::load(&path, true).unwrap();
        known.save(&path).unwrap();
        assert!(!path.exists());
        assert_eq!(known.places[0].location, FOLDER);
        assert_eq!(known.places[0].state, State::Made);
    }
}
