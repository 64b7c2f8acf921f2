//! `heirloom read`

use std::{cell::RefCell, fs::File, path::Path, sync::Arc};

use heirloom_pipeline::{
    confinement::Confinement,
    reading::{Eyes, Outcome, ReadingError, SoFar, TASK, read_by},
    tool::reading::Read,
    way::{Way, Ways},
};
use heirloom_server::{Code, Problem};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    signal::Ends,
    way::{named, say_where},
};
use crate::{Ending, arguments, config::Config, output::Output};

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
    let mut input = open(&asked.file, "a picture or a PDF")?;
    let settings = config.models();
    let store = settings.open(&config.data.value);
    let ways = Ways::new(&settings.reading, &TASK)
        .map_err(|why| Problem::new(Code::InvalidRequest, why))?;
    let ways = named(&ways, &TASK, asked.provider.as_deref(), "reads")?;
    let confinement = Confinement::of_this_program();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let eyes = |way: &Way| match way {
        Way::Service(service) => Eyes::elsewhere(&confinement, Arc::clone(service)),
        _ => Eyes::open(&confinement, &store, threads),
    };
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let mut bar = Bar::new(*output);
    let outcome = look(&ways, eyes, (&mut input, &name), &mut bar).await;
    bar.finish();
    let (eyes, outcome) = outcome.map_err(|error| match error {
        ReadingError::Confinement(_) | ReadingError::NothingToRead(_) => {
            let said = format!("{}: {error}", asked.file.display());
            Problem::new(Problem::from(error).code(), said).hint("A picture or a PDF is needed.")
        }
        error => error.into(),
    })?;
    let read = Read::by(&eyes, outcome);
    let told = Told {
        text: read.reading.to_text(),
        read,
    };
    output.data(&told, || told.text.clone());
    for problem in &told.read.problems {
        output.say(problem);
    }
    if told.read.reading.is_empty() {
        output.say("No writing was found in it.");
    }
    Ok(Ending::Done)
}

/// Reads it to its end, or until somebody no longer wants that.
async fn look(
    ways: &[Way],
    eyes: impl Fn(&Way) -> Result<Eyes, ReadingError>,
    file: (&mut File, &str),
    bar: &mut Bar,
) -> Result<(Eyes, Outcome), ReadingError> {
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
    let skipped = |_: &Way, why: &ReadingError| {
        if ways.len() > 1 {
            bar.borrow_mut().say(&why.to_string());
        }
    };
    let mut ends = Ends::listen();
    let reading = read_by(ways, eyes, file, &stop, seen, skipped);
    tokio::pin!(reading);
    tokio::select! {
        read = &mut reading => read,
        () = ends.wait() => {
            stop.cancel();
            reading.await
        }
    }
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
