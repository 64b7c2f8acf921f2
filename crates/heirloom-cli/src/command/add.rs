//! `heirloom add`
//!
//! Each file is hashed first, and the server is asked which of them it has; only what is new is sent, by
//! tus 1.0. What is interrupted goes on where it was: the next time the same file is added, too.

mod bar;
mod send;

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use heirloom_core::{AssetId, ContentHash, path as path_text};
use heirloom_server::{
    Code, Problem,
    wire::{Addition, Begun, KnownContent, KnownContents, NewAddition, Page},
};
use http::Method;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::{
    Ending,
    api::{Api, render},
    arguments::Add,
    output::{Output, error_document, line, number_of},
};
use bar::Bar;
use send::{Sent, send};

/// A file that is to be added, and what it looked like when it was hashed.
#[derive(Debug)]
struct Hashed {
    number: usize,
    path: PathBuf,
    content_hash: ContentHash,
    size_bytes: u64,
    modified_at_ms: Option<i64>,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Outcome {
    /// The how many-eth of those that were named.
    #[serde(skip)]
    number: usize,
    path: String,
    outcome: &'static str,
    asset_id: Option<AssetId>,
    error: Option<Json>,
}

/// How many hashes are asked for at once.
const ASKED_AT_ONCE: usize = 500;
/// What is read at once.
const BLOCK_BYTES: usize = 1024 * 1024;

/// Whether any of the files can be added, so that a library may be begun with it.
pub(super) fn has_any(asked: &Add) -> bool {
    asked.files.iter().any(|path| look(path).is_ok())
}

/// Adds each file. What is refused for one is said, and keeps nothing from the others.
pub(super) async fn add(api: &Api, asked: &Add, output: &Output) -> Result<Ending, Problem> {
    let mut adding = Adding {
        api,
        output,
        bar: Bar::new(),
        process: !asked.no_process,
        is_alone: asked.files.len() == 1,
        addition: None,
        assets: HashMap::new(),
        outcomes: Vec::new(),
    };
    let numbered: Vec<(usize, &PathBuf)> = asked.files.iter().enumerate().collect();
    for files in numbered.chunks(ASKED_AT_ONCE) {
        adding.add(files).await?;
    }
    adding.finish().await
}

struct Adding<'a> {
    api: &'a Api,
    output: &'a Output,
    bar: Bar,
    process: bool,
    is_alone: bool,
    /// Begun with the first file that is sent.
    addition: Option<Addition>,
    /// What is known to be there by now.
    assets: HashMap<ContentHash, AssetId>,
    outcomes: Vec<Outcome>,
}

impl Adding<'_> {
    async fn add(&mut self, named: &[(usize, &PathBuf)]) -> Result<(), Problem> {
        let mut files = Vec::new();
        for &(number, path) in named {
            match self.hash(number, path).await {
                Ok(file) => files.push(file),
                Err(problem) => self.refused(number, path, problem)?,
            }
        }
        let hashes = files.iter().map(|file| file.content_hash).collect();
        let asked = KnownContents { hashes };
        let known: Page<KnownContent> = self.api.post("/api/v1/uploads/known", &asked).await?;
        let mut begun: HashMap<ContentHash, Begun> = HashMap::new();
        for content in known.items {
            let hash = content.content_hash;
            self.assets.extend(content.asset_id.map(|id| (hash, id)));
            begun.extend(content.upload.map(|upload| (hash, upload)));
        }
        for file in files {
            if let Some(&asset) = self.assets.get(&file.content_hash) {
                self.done(&file, "known", Some(asset));
                continue;
            }
            let addition = match self.addition {
                Some(addition) => addition,
                None => self.begin().await?,
            };
            let begun = begun.get(&file.content_hash).copied();
            match send(self.api, &file, addition, begun, &self.bar).await {
                Ok(Sent { outcome, asset }) => {
                    self.assets.extend(asset.map(|id| (file.content_hash, id)));
                    self.done(&file, outcome, asset);
                }
                Err(problem) => self.refused(file.number, &file.path, problem)?,
            }
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<Addition, Problem> {
        let process = self.process;
        let new = NewAddition { process };
        let addition: Addition = self.api.post("/api/v1/additions", &new).await?;
        self.addition = Some(addition);
        Ok(addition)
    }

    async fn finish(mut self) -> Result<Ending, Problem> {
        self.bar.finish();
        if let Some(addition) = self.addition {
            let path = format!("/api/v1/additions/{}/end", addition.id);
            let body = Some(render(&json!({}))?);
            self.api.send(Method::POST, &path, &[], body).await?;
        }
        self.outcomes.sort_by_key(|outcome| outcome.number);
        let count = |word: &str| self.outcomes.iter().filter(|it| it.outcome == word).count();
        let refused = count("refused");
        let items = json!({ "items": self.outcomes, "next": null });
        self.output.data(&items, || match self.outcomes.len() {
            1 => String::new(),
            _ => {
                let added = number_of(count("added") as u64, "file", "files");
                let there = count("known") + count("returned");
                format!("{added} added, {there} there already, {refused} refused")
            }
        });
        Ok(match refused {
            0 => Ending::Done,
            refused if refused == self.outcomes.len() => Ending::Refused,
            _ => Ending::Partly,
        })
    }

    fn done(&mut self, file: &Hashed, outcome: &'static str, asset: Option<AssetId>) {
        let words = match outcome {
            "added" => "is added",
            "returned" => "is back",
            _ => "is there already",
        };
        let id = asset.map_or_else(String::new, |id| format!(": {id}"));
        let shown = shown(&file.path);
        self.bar
            .aside(|| self.output.tell(&line(&format!("{shown} {words}{id}"))));
        self.outcomes.push(Outcome {
            number: file.number,
            path: shown,
            outcome,
            asset_id: asset,
            error: None,
        });
    }

    /// A file that cannot be added. The only one there is ends the command.
    fn refused(&mut self, number: usize, path: &Path, problem: Problem) -> Result<(), Problem> {
        let is_hopeless = matches!(
            problem.code(),
            Code::NoSpace | Code::ReadOnly | Code::Denied
        );
        if self.is_alone || is_hopeless {
            return Err(problem);
        }
        let shown = shown(path);
        self.bar.aside(|| {
            // What is wrong with a file itself is said of it by name.
            match problem.to_string().contains(&shown) {
                true => self.output.refused_one(&problem),
                false => self.output.refused_of(&shown, &problem),
            }
        });
        self.outcomes.push(Outcome {
            number,
            path: shown,
            outcome: "refused",
            asset_id: None,
            error: Some(error_document(&problem)),
        });
        Ok(())
    }

    async fn hash(&self, number: usize, path: &Path) -> Result<Hashed, Problem> {
        let metadata = look(path)?;
        let (size_bytes, bar) = (metadata.len(), self.bar.clone());
        bar.begin("reading", size_bytes, 0);
        let reading = tokio::task::spawn_blocking({
            let path = path.to_owned();
            move || hash_file(&path, &bar)
        });
        let hashed = reading.await.map_err(io::Error::other).flatten();
        let content_hash = hashed.map_err(|error| unreadable(path, &error))?;
        let modified = metadata.modified().ok();
        let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Ok(Hashed {
            number,
            path: path.to_owned(),
            content_hash,
            size_bytes,
            modified_at_ms: since.and_then(|since| i64::try_from(since.as_millis()).ok()),
        })
    }
}

fn shown(path: &Path) -> String {
    path_text::to_text(path.as_os_str().as_bytes())
}

/// What a file looks like, if it can be added.
fn look(path: &Path) -> Result<fs::Metadata, Problem> {
    let refuse = |why: &str| Problem::new(Code::InvalidUpload, format!("{} {why}", path.display()));
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::new(
            Code::NotFound,
            format!("there is no file {}", path.display()),
        )
        .hint("Check the path. Is the disk that it is on plugged in and mounted?"),
        _ => unreadable(path, &error),
    })?;
    if metadata.is_dir() {
        let folder = path.display();
        return Err(refuse("is a folder").hint(format!(
            "Catalogue it where it is with `heirloom scan {folder}`, or name the files in it."
        )));
    }
    if !metadata.is_file() {
        return Err(refuse("is no ordinary file").hint("Name a file that holds the bytes itself."));
    }
    if metadata.len() == 0 {
        return Err(refuse("is empty: it has nothing to keep")
            .hint("Was it copied to its end? Look at where it came from."));
    }
    Ok(metadata)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        Code::InvalidUpload,
        format!("{} cannot be read: {error}", path.display()),
    )
    .hint("Look at its permissions, and at the disk that it is on.")
}

fn hash_file(path: &Path, bar: &Bar) -> io::Result<ContentHash> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(ContentHash::from_bytes(hasher.finalize().into())),
            Ok(length) => {
                hasher.update(&block[..length]);
                bar.advance(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
