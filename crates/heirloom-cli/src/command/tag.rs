//! `heirloom tag`

use heirloom_pipeline::{
    Ffmpeg,
    confinement::Confinement,
    film::is_film,
    pictures::{Beholder, SeenTag, look, look_at_film},
};
use heirloom_server::Problem;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    read::{explain, open, pictures},
    signal::stoppable,
};
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
            let looking = look_at_film(&beholder, &ffmpeg, &input, &stop, pictures(&mut bar));
            stoppable(looking, &stop).await
        }
        false => stoppable(look(&beholder, &mut input, &name, &stop), &stop).await,
    };
    bar.finish();
    let seen = seen.map_err(explain(&asked.file, "A picture or a film is needed."))?;
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
