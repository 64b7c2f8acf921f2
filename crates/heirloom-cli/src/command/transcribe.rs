//! `heirloom transcribe`

use std::{fs::File, path::Path};

use heirloom_core::transcript::Transcript;
use heirloom_pipeline::{
    Ffmpeg,
    confinement::Confinement,
    speech::{Asked, Ears, SoFar, SpeechError, transcribe},
    tool::transcript,
};
use heirloom_server::{Code, Problem};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{bar::Bar, signal::Ends};
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
    let input = open(&asked.file)?;
    let store = config.models.settings().open(&config.data.value);
    let confinement = Confinement::of_this_program();
    let ears = Ears::open(&confinement, &store)?;
    // What lies there meanwhile has no name.
    let scratch = std::env::temp_dir();
    let ffmpeg = Ffmpeg::new(confinement, scratch);
    let mut bar = Bar::new(*output);
    let heard = hear(&ffmpeg, &ears, &input, asked, &mut bar).await;
    bar.finish();
    let heard = heard.map_err(|error| match error {
        SpeechError::Confinement(_) => {
            let said = format!("{}: {error}", asked.file.display());
            Problem::new(Problem::from(error).code(), said)
                .hint("A film or recording with sound in it is needed, and a language that the model knows.")
        }
        error => error.into(),
    })?;
    tell(&heard, ears.model(), asked.vtt, output);
    if let Some(why) = ears.without_voices() {
        output.say(&format!("Who speaks is not told: {why}"));
    }
    Ok(Ending::Done)
}

/// Hears it until its end, or until somebody no longer wants that.
async fn hear(
    ffmpeg: &Ffmpeg,
    ears: &Ears,
    input: &File,
    asked: &Transcribe,
    bar: &mut Bar,
) -> Result<Transcript, SpeechError> {
    let show = |heard: SoFar<'_>| {
        let said: String = heard.words.iter().map(|word| word.text.as_str()).collect();
        let (until, all) = (duration(heard.until_ms), duration(heard.duration_ms));
        let words = format!("{until} of {all}: {}", line(said.trim()));
        bar.show(heard.until_ms, heard.duration_ms, words);
    };
    let stop = CancellationToken::new();
    let mut ends = Ends::listen();
    let asked = Asked {
        language: asked.language.clone(),
        speakers: asked.speakers.map(usize::from),
    };
    let hearing = transcribe(ffmpeg, ears, input, &asked, &stop, show);
    tokio::pin!(hearing);
    tokio::select! {
        heard = &mut hearing => heard,
        () = ends.wait() => {
            stop.cancel();
            hearing.await
        }
    }
}

fn tell(heard: &Transcript, model: &str, is_vtt: bool, output: &Output) {
    let document = json!(transcript::Heard::locally(model, heard.clone()));
    output.data(&document, || match is_vtt {
        true => heard.to_vtt(),
        false => script(heard),
    });
    if heard.passages.is_empty() {
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
