//! `heirloom transcribe --live`

use std::{fs::File, io, os::fd::AsFd as _, path::Path};

use heirloom_models::Store;
use heirloom_pipeline::{
    Ffmpeg, Incoming,
    confinement::Confinement,
    speech::{
        Ears,
        live::{Conversation, LiveEvent, listen},
    },
};
use heirloom_server::{Code, Problem};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Ending,
    arguments::Transcribe,
    command::{bar::Bar, signal::Ends},
    output::{Output, line},
};

/// How many events wait to be printed.
const EVENTS: usize = 16;
/// So many letters of what is being said fit into a line.
const LETTERS: usize = 72;

/// Writes down what is said while it comes. The first signal ends the conversation, whose last words are heard still, and
/// the second one ends that.
pub(super) async fn run(
    asked: &Transcribe,
    store: &Store,
    output: &Output,
) -> Result<Ending, Problem> {
    let input = match asked.file == Path::new("-") {
        true => standard_input().map_err(|error| {
            let why = format!("the standard input cannot be read: {error}");
            Problem::new(Code::Unavailable, why)
                .hint("Send it sound: `arecord … | heirloom transcribe --live --rate 16000 -`.")
        })?,
        false => super::open(&asked.file)?,
    };
    let confinement = Confinement::of_this_program();
    let ears = Ears::open_live(&confinement, store)?;
    let ffmpeg = Ffmpeg::new(confinement, std::env::temp_dir());
    let (over, cancelled) = (CancellationToken::new(), CancellationToken::new());
    let conversation = Conversation {
        ffmpeg: &ffmpeg,
        ears: &ears,
        input,
        incoming: match asked.rate {
            Some(per_second) => Incoming::Samples { per_second },
            None => Incoming::Packed,
        },
        language: asked.language.clone(),
        over: over.clone(),
        cancelled: cancelled.clone(),
    };
    let (events, mut told) = mpsc::channel(EVENTS);
    let hearing = listen(conversation, events);
    let telling = async {
        let mut bar = Bar::of_words(*output);
        while let Some(event) = told.recv().await {
            tell(&event, output, &mut bar);
        }
        bar.finish();
    };
    let mut ends = Ends::listen();
    let ending = async {
        ends.wait().await;
        over.cancel();
        ends.wait().await;
        cancelled.cancel();
        std::future::pending().await
    };
    let heard = tokio::select! {
        (heard, ()) = async { tokio::join!(hearing, telling) } => heard,
        () = ending => Ok(()),
    };
    heard.map_err(|error| super::explain(error, &asked.file))?;
    Ok(Ending::Done)
}

fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Programs are told everything; people see what is being said in one line, and what was said stays.
fn tell(event: &LiveEvent, output: &Output, bar: &mut Bar) {
    if output.each(event) {
        return;
    }
    match event {
        LiveEvent::Ready => bar.show(0, 1, "listening …".to_owned()),
        LiveEvent::Partial { agreed, rest, .. } => {
            let text = line(&format!("{agreed}{rest}"));
            let letters = text.chars().count();
            let end: String = text.chars().skip(letters.saturating_sub(LETTERS)).collect();
            bar.show(0, 1, format!("… {end}"));
        }
        LiveEvent::Final { passages, .. } => bar.beside(|| {
            for passage in passages {
                output.tell(&line(&passage.text));
            }
        }),
    }
}
