//! `heirloom read`

use std::{cell::RefCell, fs::File, path::Path, sync::Arc};

use heirloom_pipeline::{
    Ffmpeg,
    confinement::Confinement,
    film::is_film,
    reading::{Eyes, Outcome, SecondReader, SoFar, TASK, read_by, read_film},
    tool::reading::Read,
    understand::UnderstandError,
    way::{Way, Ways},
};
use heirloom_server::{Code, Problem};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    signal::stoppable,
    way::{for_film, named, say_where},
};
use crate::{
    Ending, arguments,
    config::Config,
    output::{Output, stretch},
};

/// What was read, with its plain text.
#[derive(Debug, Serialize)]
struct Told {
    text: String,
    #[serde(flatten)]
    read: Read,
}

/// Reads a file, which need not be in a library. Nothing is kept.
pub(super) async fn run(
    asked: &arguments::Read,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let mut input = open(&asked.file, "a picture, a PDF or a film")?;
    let settings = config.models();
    let store = settings.open(&config.data.value);
    let ways = Ways::new(&settings.reading, &TASK)
        .map_err(|why| Problem::new(Code::InvalidRequest, why))?;
    let ways = named(&ways, &TASK, asked.provider.as_deref(), "reads")?;
    let confinement = Confinement::of_this_program();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // What lies there meanwhile has no name.
    let scratch = std::env::temp_dir();
    let second = SecondReader::new(confinement.clone(), scratch, &settings.tesseract);
    let eyes = |way: &Way| match way {
        Way::Service(service) => Eyes::elsewhere(&confinement, Arc::clone(service)),
        _ => Ok(Eyes::open(&confinement, &store, threads)?.beside(&second)),
    };
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let mut bar = Bar::new(*output);
    let outcome = match is_film(&mut input, &name).is_ok_and(|it| it) {
        true => {
            let local = for_film(&ways, "read")?;
            let ffmpeg = Ffmpeg::new(confinement.clone(), std::env::temp_dir());
            let (eyes, stop) = (eyes(local)?, CancellationToken::new());
            let reading = read_film(&eyes, &ffmpeg, &input, &stop, pictures(&mut bar));
            let outcome = stoppable(reading, &stop).await;
            outcome.map(|outcome| (eyes, outcome))
        }
        false => look(&ways, eyes, (&mut input, &name), &mut bar).await,
    };
    bar.finish();
    let outcome = outcome.map_err(explain(
        &asked.file,
        "A picture, a PDF or a film is needed.",
    ));
    let (eyes, outcome) = outcome?;
    let read = Read::by(&eyes, outcome);
    let told = Told {
        text: read.reading.to_text(),
        read,
    };
    output.data(&told, || in_words(&told));
    for problem in &told.read.problems {
        output.say(problem);
    }
    if told.read.reading.is_empty() {
        output.say("No writing was found in it.");
    }
    Ok(Ending::Done)
}

/// What stands there; in a film each time from when to when.
fn in_words(told: &Told) -> String {
    let pages = &told.read.reading.pages;
    if pages.iter().all(|page| page.at.is_none()) {
        return told.text.clone();
    }
    let pages = pages.iter().map(|page| {
        let at = page.at.map(|at| stretch(at.start_ms(), at.end_ms()) + "\n");
        at.unwrap_or_default() + &page.to_text()
    });
    pages.collect::<Vec<_>>().join("\n")
}

/// Shows how far somebody is with a film.
pub(super) fn pictures(bar: &mut Bar) -> impl FnMut(usize, usize) {
    |until, count| {
        let words = format!("picture {until} of {count}");
        bar.show(until as u64, count as u64, words);
    }
}

/// Says with which file it went wrong, and what is needed where that is what is wrong.
pub(super) fn explain(file: &Path, hint: &'static str) -> impl FnOnce(UnderstandError) -> Problem {
    move |error| match error {
        UnderstandError::Confinement(_) | UnderstandError::Nothing(_) => {
            let said = format!("{}: {error}", file.display());
            Problem::new(Problem::from(error).code(), said).hint(hint)
        }
        error => error.into(),
    }
}

/// Reads it to its end, or until somebody no longer wants that.
async fn look(
    ways: &[Way],
    eyes: impl Fn(&Way) -> Result<Eyes, UnderstandError>,
    file: (&mut File, &str),
    bar: &mut Bar,
) -> Result<(Eyes, Outcome), UnderstandError> {
    let stop = CancellationToken::new();
    say_where(ways, "the page", bar);
    let bar = RefCell::new(bar);
    let seen = |so_far: SoFar| {
        if so_far.count > 1 {
            let words = format!("page {} of {}", so_far.until, so_far.count);
            bar.borrow_mut()
                .show(so_far.until.into(), so_far.count.into(), words);
        }
    };
    let skipped = |_: &Way, why: &UnderstandError| {
        if ways.len() > 1 {
            bar.borrow_mut().say(&why.to_string());
        }
    };
    stoppable(read_by(ways, eyes, file, &stop, seen, skipped), &stop).await
}

/// Opens a file that a command works on: `what` it has to be.
pub(super) fn open(file: &Path, what: &str) -> Result<File, Problem> {
    let refuse = |error: std::io::Error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Unavailable,
        };
        Problem::new(code, format!("{} cannot be read: {error}", file.display()))
            .hint(format!("Name {what} that is there and that you may read."))
    };
    let opened = File::open(file).map_err(refuse)?;
    match opened.metadata().map_err(refuse)?.is_file() {
        true => Ok(opened),
        false => Err(
            Problem::new(Code::Refused, format!("{} is no file", file.display()))
                .hint(format!("Name {what}.")),
        ),
    }
}
