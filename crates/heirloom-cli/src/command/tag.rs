//! `heirloom tag`

use std::sync::Arc;

use heirloom_pipeline::{
    Ffmpeg,
    confinement::Confinement,
    film::is_film,
    pictures::{Beholder, SeenTag, TASK, look_at_film, look_by},
    understand::UnderstandError,
    way::{Way, Ways},
};
use heirloom_server::{Code, Problem};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    read::{explain, open, pictures},
    signal::stoppable,
    way::{for_film, named, say_where},
};
use crate::{Ending, arguments, config::Config, output::Output};

/// What was seen.
#[derive(Debug, Serialize)]
struct Told {
    tags: Vec<SeenTag>,
    method: String,
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
    let settings = config.models();
    let store = settings.open(&config.data.value);
    let ways = Ways::new(&settings.tagging, &TASK)
        .map_err(|why| Problem::new(Code::InvalidRequest, why))?;
    let ways = named(
        &ways,
        &TASK,
        asked.provider.as_deref(),
        "says what pictures show",
    )?;
    let confinement = Confinement::of_this_program();
    let beholder = |way: &Way| match way {
        // Nobody asks here what it looks like.
        Way::Service(service) => Beholder::elsewhere(&confinement, Arc::clone(service), None),
        _ => Beholder::open(&confinement, &store, 1),
    };
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let stop = CancellationToken::new();
    let mut bar = Bar::new(*output);
    let seen = match is_film(&mut input, &name).is_ok_and(|it| it) {
        true => {
            let beholder = beholder(for_film(&ways, "looked at")?)?;
            let ffmpeg = Ffmpeg::new(confinement.clone(), std::env::temp_dir());
            let looking = look_at_film(&beholder, &ffmpeg, &input, &stop, pictures(&mut bar));
            let seen = stoppable(looking, &stop).await;
            seen.map(|seen| (beholder, seen))
        }
        false => {
            say_where(&ways, "the picture", &mut bar);
            let skipped = |_: &Way, why: &UnderstandError| {
                if ways.len() > 1 {
                    bar.say(&why.to_string());
                }
            };
            let looking = look_by(&ways, beholder, (&mut input, &name), &stop, skipped);
            stoppable(looking, &stop).await
        }
    };
    bar.finish();
    let seen = seen.map_err(explain(&asked.file, "A picture or a film is needed."));
    let (beholder, seen) = seen?;
    let told = Told {
        tags: seen.tags,
        method: beholder.method().to_owned(),
        model: beholder.model(),
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
