//! `heirloom tag`

use std::{fs::File, path::Path};

use heirloom_pipeline::{
    confinement::Confinement,
    pictures::{Beholder, PicturesError, Seen, SeenTag, look},
};
use heirloom_server::{Code, Problem};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::signal::Ends;
use crate::{Ending, arguments, config::Config, output::Output};

/// What was seen.
#[derive(Debug, Serialize)]
struct Told {
    tags: Vec<SeenTag>,
    method: &'static str,
    model: String,
    problems: Vec<String>,
}

/// Looks at a file, which need not be in a library. Nothing is kept.
pub(super) async fn run(
    asked: &arguments::Tag,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let mut input = open(&asked.file)?;
    let store = config.models().open(&config.data.value);
    let confinement = Confinement::of_this_program();
    let beholder = Beholder::open(&confinement, &store, 1)?;
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let seen = seen(&beholder, &mut input, &name).await;
    let seen = seen.map_err(|error| match error {
        PicturesError::Confinement(_) | PicturesError::NothingToSee(_) => {
            let said = format!("{}: {error}", asked.file.display());
            Problem::new(Problem::from(error).code(), said).hint("A picture is needed.")
        }
        error => error.into(),
    })?;
    let told = Told {
        tags: seen.tags,
        method: "local",
        model: beholder.model().to_owned(),
        problems: seen.problems,
    };
    output.data(&told, || {
        let lines = told.tags.iter().map(|seen| {
            let percent = (seen.confidence * 100.0).round();
            format!("{} ({percent} %)", seen.tag)
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    for problem in &told.problems {
        output.say(problem);
    }
    if told.tags.is_empty() {
        output.say("Nothing was seen in it that the model is sure of.");
    }
    Ok(Ending::Done)
}

/// Looks at it, until somebody no longer wants that.
async fn seen(beholder: &Beholder, input: &mut File, name: &str) -> Result<Seen, PicturesError> {
    let stop = CancellationToken::new();
    let mut ends = Ends::listen();
    let looking = look(beholder, input, name, &stop);
    tokio::pin!(looking);
    tokio::select! {
        seen = &mut looking => seen,
        () = ends.wait() => {
            stop.cancel();
            looking.await
        }
    }
}

fn open(file: &Path) -> Result<File, Problem> {
    let refuse = |error: std::io::Error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Unavailable,
        };
        Problem::new(code, format!("{} cannot be read: {error}", file.display()))
            .hint("Name a picture that is there and that you may read.")
    };
    let opened = File::open(file).map_err(refuse)?;
    match opened.metadata().map_err(refuse)?.is_file() {
        true => Ok(opened),
        false => Err(
            Problem::new(Code::Refused, format!("{} is no file", file.display()))
                .hint("Name a picture."),
        ),
    }
}
