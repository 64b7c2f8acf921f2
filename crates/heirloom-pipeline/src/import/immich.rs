//! What Immich's database says of the originals that are here: the newest dump of it that is among the files.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
};

use flate2::read::MultiGzDecoder;
use heirloom_core::path::{alike, join};
use heirloom_media::{
    SidecarKind,
    immich::{Dump, read_dump},
};
use tokio_util::sync::CancellationToken;

use super::{
    ImportError, ImportNote, NoteCode,
    part::{Failure, Member, Visit},
    plan::{Describing, Excerpt, Members, Plan, PlannedAlbum},
    survey::Survey,
};
use crate::export::{ProblemCode, Why};

/// Whether a file may be a dump of a database.
pub(super) fn is_dump(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(".sql") || name.ends_with(".sql.gz")
}

/// Reads the newest dump, if there is one; gives its place among the entries. One that is none of Immich is passed by.
///
/// # Errors
/// Only what ends everything.
pub(super) fn find_dump(
    survey: &mut Survey,
    stop: &CancellationToken,
) -> Result<Option<(usize, Dump)>, ImportError> {
    let mut places: Vec<usize> = (0..survey.entries.len())
        .filter(|place| {
            let entry = survey.entries.get(*place);
            entry.is_some_and(|entry| is_dump(&entry.path))
        })
        .collect();
    // Immich writes the time into the name; what others write has one of its own.
    places.sort_by_key(|place| {
        let entry = survey.entries.get(*place);
        let name = entry.map(|entry| entry.path.rsplit('/').next().unwrap_or_default().to_owned());
        let is_of_immich = name
            .as_ref()
            .is_some_and(|name| name.starts_with("immich-db-backup-"));
        let time = entry.map(|entry| entry.modified_at_ns);
        (is_of_immich, is_of_immich.then_some(name), time)
    });
    for place in places.into_iter().rev() {
        let Some((part, path)) = survey
            .entries
            .get(place)
            .map(|entry| (entry.part, entry.path.clone()))
        else {
            continue;
        };
        let mut reading = Reading {
            path,
            stop,
            dump: None,
            troubles: Vec::new(),
        };
        if let Some(part) = survey.parts.get(part) {
            part.visit(&mut reading)?;
        }
        survey.troubles.append(&mut reading.troubles);
        if let Some(dump) = reading.dump {
            return Ok(Some((place, dump)));
        }
    }
    Ok(None)
}

struct Reading<'a> {
    path: String,
    stop: &'a CancellationToken,
    dump: Option<Dump>,
    troubles: Vec<super::survey::Trouble>,
}

impl Visit for Reading<'_> {
    fn is_wanted(&mut self, member: &Member) -> bool {
        self.dump.is_none() && member.path == self.path
    }

    fn take(&mut self, member: &Member, bytes: &mut dyn Read) -> Result<(), Failure> {
        let is_packed = member.path.to_lowercase().ends_with(".gz");
        let mut plain: Box<dyn BufRead + '_> = match is_packed {
            true => Box::new(BufReader::new(MultiGzDecoder::new(bytes))),
            false => Box::new(BufReader::new(bytes)),
        };
        let read = read_dump(&mut *plain, &|| !self.stop.is_cancelled());
        if self.stop.is_cancelled() {
            return Err(ImportError::Cancelled.into());
        }
        let dump = read.map_err(|error| Failure::Member(Why::unreadable(error)))?;
        if dump.as_ref().is_some_and(|dump| dump.is_torn) {
            let what =
                "the dump of Immich's database ends in the middle, and what is behind that is lost";
            self.troubles.push((
                member.path.clone(),
                Why::new(ProblemCode::BrokenArchive, what),
            ));
        }
        self.dump = dump;
        Ok(())
    }

    fn trouble(&mut self, path: &str, why: Why) {
        // What is wrong with others is told by the survey.
        if path == self.path {
            self.troubles.push((path.to_owned(), why));
        }
    }
}

/// Puts what the database says beside the originals that it says it of.
pub(super) fn describe(plan: &mut Plan, found: Option<(usize, Dump)>) {
    let Some((table, dump)) = found else {
        let code = NoteCode::NoDatabase;
        plan.told.push(ImportNote::new(code, "backups"));
        return;
    };
    // It is no file that is left out.
    plan.left_out = plan.left_out.saturating_sub(1);
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for place in &plan.originals {
        if let Some(standing) = plan.standing.get(*place) {
            by_name
                .entry(alike(&standing.name))
                .or_default()
                .push(*place);
        }
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    for asset in &dump.assets {
        let name = asset.path.rsplit('/').next().unwrap_or_default();
        let candidates = by_name.get(&alike(name)).map_or(&[][..], Vec::as_slice);
        let Some(place) = nearest(plan, candidates, &asset.path) else {
            plan.alone += 1;
            plan.told
                .push(ImportNote::new(NoteCode::TabledAbsent, &asset.path));
            continue;
        };
        places.insert(asset.id.clone(), place);
    }
    for asset in dump.assets {
        let Some(place) = places.get(&asset.id).copied() else {
            continue;
        };
        let Some(standing) = plan.standing.get_mut(place) else {
            continue;
        };
        let folder = standing
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        // Uploads lie under names that Immich made up.
        if !asset.name.is_empty() && !asset.name.contains(['/', '\0']) {
            standing.path = join(folder, &asset.name);
            standing.name = asset.name;
        }
        let path = format!("{}.immich.json", standing.path);
        let number = plan.excerpts.len();
        plan.excerpts.push(Excerpt {
            table,
            path,
            bytes: asset.document,
        });
        plan.sidecars
            .insert(Describing::Excerpt(number), SidecarKind::Immich);
        plan.described
            .entry(place)
            .or_default()
            .push(Describing::Excerpt(number));
        if let Some(film) = asset.film_id.and_then(|film| places.get(&film)) {
            plan.live_photos.push((place, *film));
        }
    }
    for album in dump.albums {
        let mut members = Vec::new();
        for id in &album.members {
            match places.get(id) {
                Some(place) => members.push(*place),
                None => {
                    let code = NoteCode::MemberAbsent;
                    plan.told.push(ImportNote::of_album(code, id, &album.title));
                }
            }
        }
        plan.albums.push(PlannedAlbum {
            key: album.id,
            title: album.title,
            description: album.description,
            members: Members::Originals(members),
        });
    }
}

/// Which of several files of a name the database means: the one whose folders are most like those of its path. Where that
/// is not certain, none.
fn nearest(plan: &Plan, candidates: &[usize], path: &str) -> Option<usize> {
    let common = |place: usize| {
        let here = plan.standing.get(place).map_or("", |it| it.path.as_str());
        let pairs = here.rsplit('/').zip(path.rsplit('/'));
        pairs
            .take_while(|(here, there)| alike(here) == alike(there))
            .count()
    };
    let best = candidates.iter().map(|place| common(*place)).max()?;
    let mut found = candidates.iter().filter(|place| common(**place) == best);
    match (found.next(), found.next()) {
        // Of a file that lies elsewhere than in the same folder, the name alone says too little.
        (Some(place), None) if best > 1 => Some(*place),
        _ => None,
    }
}
