//! `heirloom transcribe`

mod live;

use std::{cell::RefCell, fs::File, path::Path};

use heirloom_core::{transcript::Transcript, unit::FailureCode};
use heirloom_pipeline::{
    Ffmpeg,
    confinement::{Confinement, ConfinementError},
    speech::{Asked, Ears, SoFar},
    tool::transcript::Heard,
    transcription::{Outcome, Recording, TASK, hear},
    understand::UnderstandError,
    way::{Way, Ways},
};
use heirloom_server::{Code, Problem};
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    signal::stoppable,
    way::{named, say_where},
};
use crate::{
    Ending,
    arguments::Transcribe,
    config::Config,
    output::{Output, duration, line},
};

/// Writes down what is said in a file, which need not be in a library. Nothing is kept.
pub(super) async fn run(
    asked: &Transcribe,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let settings = config.models();
    let store = settings.open(&config.data.value);
    if asked.live {
        return live::run(asked, &store, output).await;
    }
    let input = open(&asked.file)?;
    let transcription = Ways::new(&settings.transcription, &TASK)
        .map_err(|why| Problem::new(Code::InvalidRequest, why))?;
    let ways = named(
        &transcription,
        &TASK,
        asked.provider.as_deref(),
        "writes down what is said",
    )?;
    let confinement = Confinement::of_this_program();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // What lies there meanwhile has no name.
    let scratch = std::env::temp_dir();
    let ffmpeg = Ffmpeg::new(confinement.clone(), scratch);
    let mut bar = Bar::new(*output);
    let stop = CancellationToken::new();
    let how = Asked {
        language: asked.language.clone(),
        speakers: asked.speakers.map(usize::from),
    };
    let recording = Recording {
        input: &input,
        ffmpeg: &ffmpeg,
        ears: &|| Ears::open(&confinement, &store, threads),
        asked: &how,
        cancelled: &stop,
    };
    let heard = listen(&ways, &recording, &stop, &mut bar).await;
    bar.finish();
    let heard = heard.map_err(|error| explain(error, &asked.file))?;
    tell(&heard.heard, asked.vtt, output);
    if let Some(note) = heard.note {
        output.say(&note);
    }
    Ok(Ending::Done)
}

/// Says which file it was, and what is needed.
fn explain(error: UnderstandError, file: &Path) -> Problem {
    let UnderstandError::Confinement(failed) = error else {
        return error.into();
    };
    let hint = match failed {
        ConfinementError::Failed {
            code: FailureCode::Other,
            ..
        } => "A language that the model knows is needed.",
        ConfinementError::Cancelled => "Nothing is kept of what was heard so far.",
        _ => "A film or recording with sound in it is needed.",
    };
    let what = match &failed {
        ConfinementError::Failed {
            code: FailureCode::Empty,
            ..
        } => "there is no sound in this file".to_owned(),
        failed => failed.to_string(),
    };
    let said = format!("{}: {what}", file.display());
    Problem::new(
        Problem::from(UnderstandError::Confinement(failed)).code(),
        said,
    )
    .hint(hint)
}

/// Hears it until its end, or until somebody no longer wants that.
async fn listen(
    ways: &[Way],
    recording: &Recording<'_>,
    stop: &CancellationToken,
    bar: &mut Bar,
) -> Result<Outcome, UnderstandError> {
    say_where(ways, "the sound", bar);
    let bar = RefCell::new(bar);
    let show = |heard: SoFar<'_>| {
        let said: String = heard.words.iter().map(|word| word.text.as_str()).collect();
        let (until, all) = (duration(heard.until_ms), duration(heard.duration_ms));
        let words = format!("{until} of {all}: {}", line(said.trim()));
        bar.borrow_mut()
            .show(heard.until_ms, heard.duration_ms, words);
    };
    let skipped = |_: &Way, why: &UnderstandError| {
        if ways.len() > 1 {
            bar.borrow_mut().say(&why.to_string());
        }
    };
    stoppable(hear(ways, recording, show, skipped), stop).await
}

fn tell(heard: &Heard, is_vtt: bool, output: &Output) {
    output.data(heard, || match is_vtt {
        true => heard.transcript.to_vtt(),
        false => script(&heard.transcript),
    });
    if heard.is_unheard() {
        output.say("Nobody could hear it: only what is known of its sound was noted.");
    } else if heard.transcript.passages.is_empty() {
        output.say("Nobody speaks in it.");
    }
}

/// A passage a line; where several speak, with who begins to.
fn script(heard: &Transcript) -> String {
    if heard.speakers.len() < 2 {
        return heard.to_text();
    }
    let mut script = String::new();
    let mut before = None;
    for passage in &heard.passages {
        if let Some(speaker) = passage.speaker.filter(|_| passage.speaker != before) {
            script.push_str(&format!("Speaker {}: ", speaker + 1));
        }
        before = passage.speaker;
        script.push_str(&passage.text);
        script.push('\n');
    }
    script
}

fn open(file: &Path) -> Result<File, Problem> {
    let refuse = |error: std::io::Error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Unavailable,
        };
        Problem::new(code, format!("{} cannot be read: {error}", file.display()))
            .hint("Name a film or recording that is there and that you may read.")
    };
    let opened = File::open(file).map_err(refuse)?;
    match opened.metadata().map_err(refuse)?.is_file() {
        true => Ok(opened),
        false => Err(
            Problem::new(Code::Refused, format!("{} is no file", file.display()))
                .hint("Name a film or recording."),
        ),
    }
}
