//! What there is to import: the names of all files, and what stands in those that describe many.

use std::{collections::HashMap, io::Read, path::PathBuf};

use heirloom_media::{
    album::{Album, TakeoutJson, read_photoprism, read_takeout},
    icloud::{Details, read_names, split_details},
};
use tokio_util::sync::CancellationToken;

use crate::export::Why;

use super::{
    ImportError,
    layout::extension_of,
    part::{Failure, Member, Part, Visit},
};

/// The longest table or description of an album that is read.
const NOTE_BYTES: u64 = 16 * 1024 * 1024;

/// A file of a part.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) part: usize,
    /// Its path in the part, as path text.
    pub(super) path: String,
    pub(super) size_bytes: u64,
    pub(super) modified_at_ns: i64,
}

/// What stands in a file that may describe many.
#[derive(Debug)]
pub(super) enum Note {
    Takeout(TakeoutJson),
    Details(Vec<Details>),
    Names(Vec<String>),
    /// `None` for one that PhotoPrism puts together by itself.
    Album(Option<Album>),
}

/// Something that is not as it should be: at which path, and what.
pub(super) type Trouble = (String, Why);

/// All that there is.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) parts: Vec<Part>,
    /// In the order of parts and, in each, of paths.
    pub(super) entries: Vec<Entry>,
    /// By the place of their file among the entries.
    pub(super) notes: HashMap<usize, Note>,
    pub(super) troubles: Vec<Trouble>,
    /// Folders that are not gone into: a trash, another program's thumbnails.
    pub(super) passed_over: Vec<String>,
}

impl Survey {
    /// Opens what is to be imported, and lists it.
    ///
    /// # Errors
    /// [`ImportError::Unreadable`] for what cannot be opened at all.
    pub(super) fn of(paths: &[PathBuf], stop: &CancellationToken) -> Result<Self, ImportError> {
        let unreadable = |path: &PathBuf, error: &std::io::Error| ImportError::Unreadable {
            path: path.clone(),
            why: error.to_string(),
        };
        let mut parts = Vec::new();
        for path in paths {
            let part = Part::open(path).map_err(|error| unreadable(path, &error))?;
            let archives = part
                .list_archives(path)
                .map_err(|error| unreadable(path, &error))?;
            for path in &archives {
                parts.push(Part::open(path).map_err(|error| unreadable(path, &error))?);
            }
            parts.push(part);
        }
        let mut survey = Self {
            parts: Vec::new(),
            entries: Vec::new(),
            notes: HashMap::new(),
            troubles: Vec::new(),
            passed_over: Vec::new(),
        };
        let mut noted: HashMap<(usize, String), Note> = HashMap::new();
        for (number, part) in parts.iter().enumerate() {
            let mut listing = Listing {
                part: number,
                has_archives: parts.len() > paths.len(),
                is_of_albums: part.root().is_some_and(|root| root.contains("album")),
                noted: &mut noted,
                survey: &mut survey,
                stop,
            };
            part.visit(&mut listing)?;
        }
        survey.parts = parts;
        survey
            .entries
            .sort_by(|a, b| (a.part, &a.path).cmp(&(b.part, &b.path)));
        survey
            .entries
            .dedup_by(|a, b| (a.part, &a.path) == (b.part, &b.path));
        for ((part, path), note) in noted {
            if let Some(at) = survey.find(part, &path) {
                survey.notes.insert(at, note);
            }
        }
        Ok(survey)
    }

    /// The place of a file among the entries.
    pub(super) fn find(&self, part: usize, path: &str) -> Option<usize> {
        self.entries
            .binary_search_by(|entry| (entry.part, entry.path.as_str()).cmp(&(part, path)))
            .ok()
    }
}

struct Listing<'a> {
    part: usize,
    has_archives: bool,
    /// Whether the part is a folder of albums itself.
    is_of_albums: bool,
    noted: &'a mut HashMap<(usize, String), Note>,
    survey: &'a mut Survey,
    stop: &'a CancellationToken,
}

impl Visit for Listing<'_> {
    fn is_wanted(&mut self, member: &Member) -> bool {
        let extension = extension_of(&member.path);
        // Archives of a folder that are opened as parts of their own are none of its files.
        if self.has_archives
            && !member.path.contains('/')
            && super::part::is_exported_archive(&member.path)
        {
            return false;
        }
        self.survey.entries.push(Entry {
            part: self.part,
            path: member.path.clone(),
            size_bytes: member.size_bytes,
            modified_at_ns: member.modified_at_ns,
        });
        let is_note = match extension.as_str() {
            "json" | "csv" => true,
            "yml" | "yaml" => self.is_of_albums || member.path.contains("album"),
            _ => false,
        };
        is_note && member.size_bytes <= NOTE_BYTES
    }

    fn take(&mut self, member: &Member, bytes: &mut dyn Read) -> Result<(), Failure> {
        if self.stop.is_cancelled() {
            return Err(ImportError::Cancelled.into());
        }
        let mut note = Vec::new();
        bytes
            .read_to_end(&mut note)
            .map_err(|error| Failure::Member(Why::unreadable(error)))?;
        let read = match extension_of(&member.path).as_str() {
            "json" => Note::Takeout(read_takeout(&note)),
            "csv" => match split_details(&note) {
                Some(details) => Note::Details(details),
                None => Note::Names(read_names(&note)),
            },
            _ => Note::Album(read_photoprism(&note)),
        };
        self.noted.insert((self.part, member.path.clone()), read);
        Ok(())
    }

    fn trouble(&mut self, path: &str, why: Why) {
        self.survey.troubles.push((path.to_owned(), why));
    }

    fn pass_over(&mut self, folder: &str) {
        self.survey.passed_over.push(folder.to_owned());
    }
}
