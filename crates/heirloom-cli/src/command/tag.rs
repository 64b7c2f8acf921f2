//! `heirloom tag`

use heirloom_pipeline::{
    Ffmpeg,
    confinement::Confinement,
    film::is_film,
    pictures::{Beholder, PicturesError, Seen, SeenTag, look, look_at_film},
};
use heirloom_server::Problem;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{bar::Bar, read::open, signal::Ends};
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
    let mut input = open(&asked.file, "a picture or a film")?;
    let store = config.models().open(&config.data.value);
    let confinement = Confinement::of_this_program();
    let beholder = Beholder::open(&confinement, &store, 1)?;
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let stop = CancellationToken::new();
    let mut bar = Bar::new(*output);
    let seen = match is_film(&mut input, &name).is_ok_and(|it| it) {
        true => {
            let ffmpeg = Ffmpeg::new(confinement, std::env::temp_dir());
            let seen = |until: usize, count: usize| {
                let words = format!("picture {until} of {count}");
                bar.show(until as u64, count as u64, words);
            };
            wait(look_at_film(&beholder, &ffmpeg, &input, &stop, seen), &stop).await
        }
        false => wait(look(&beholder, &mut input, &name, &stop), &stop).await,
    };
    bar.finish();
    let seen = seen.map_err(|error| match error {
        PicturesError::Confinement(_) | PicturesError::NothingToSee(_) => {
            let said = format!("{}: {error}", asked.file.display());
            Problem::new(Problem::from(error).code(), said).hint("A picture or a film is needed.")
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
async fn wait(
    looking: impl Future<Output = Result<Seen, PicturesError>>,
    stop: &CancellationToken,
) -> Result<Seen, PicturesError> {
    let mut ends = Ends::listen();
    tokio::pin!(looking);
    tokio::select! {
        seen = &mut looking => seen,
        () = ends.wait() => {
            stop.cancel();
            looking.await
        }
    }
}
