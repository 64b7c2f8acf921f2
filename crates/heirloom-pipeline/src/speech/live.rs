//! What is said while it is said: for a conversation that is being recorded.
//!
//! FFmpeg turns what comes into samples, in confinement, whether that is plain samples or what a browser records. Every
//! moment all of the current utterance is overheard anew. What two passes in a row agree on stays as it is
//! (`LocalAgreement-2`: Macháček, Dabre, Bojar, "Turning Whisper into Real-Time Transcription System", 2023); the rest may
//! change. At a pause the utterance is heard a last time, with care and with the time of each word, and forgotten: memory
//! is bounded by the longest one.

mod utterance;

use std::{fs::File, ops::ControlFlow};

use heirloom_core::transcript::Passage;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Ears;
use crate::{Ffmpeg, confinement::ConfinementError, ffmpeg::Incoming, understand::UnderstandError};
use utterance::Utterance;

/// A conversation to be heard.
#[derive(Debug)]
pub struct Conversation<'a> {
    /// What decodes it.
    pub ffmpeg: &'a Ffmpeg,
    /// Who hears it: [`Ears::open_live`].
    pub ears: &'a Ears,
    /// A pipe that its sound comes through, or a file.
    pub input: File,
    /// What comes.
    pub incoming: Incoming,
    /// The language that is spoken, by its code; else it is found out.
    pub language: Option<String>,
    /// Cancelled when nothing more is to be taken: what came is heard to its end.
    pub over: CancellationToken,
    /// Cancelled when nobody wants it any more.
    pub cancelled: CancellationToken,
}

/// What is heard of a conversation while it goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The models are loaded: what is said from now on is heard without delay.
    Ready,
    /// What is being said. It takes the place of the partial text before it.
    Partial {
        /// When the utterance begins, in milliseconds from the beginning.
        start_ms: u64,
        /// Up to when it was heard.
        until_ms: u64,
        /// The beginning of the text, on which two passes agreed: it stays until the utterance is over.
        agreed: String,
        /// The rest, which may change.
        rest: String,
    },
    /// What was said: an utterance is over, and so is its partial text.
    Final {
        /// The language, by its code.
        language: Option<String>,
        /// What was said, with its words; none where it was no speech after all.
        passages: Vec<Passage>,
    },
}

/// How many blocks of samples wait while a pass goes on; whoever sends more has to wait then. A block is at most two
/// seconds long.
const BLOCKS: usize = 64;

/// Hears a conversation until it ends, and tells `events`. A partial text that nobody takes in time is left out; what is
/// final waits.
///
/// # Errors
/// [`UnderstandError`]; one of confinement, cancelled, where nobody listens to events any more.
pub async fn listen(
    conversation: Conversation<'_>,
    events: mpsc::Sender<LiveEvent>,
) -> Result<(), UnderstandError> {
    let Conversation {
        ffmpeg,
        ears,
        input,
        incoming,
        language,
        over,
        cancelled,
    } = conversation;
    let mut utterance = Utterance::new(ears, language, &cancelled);
    utterance.wake().await?;
    events.send(LiveEvent::Ready).await.map_err(|_| gone())?;
    let (give, mut take) = mpsc::channel::<Vec<u8>>(BLOCKS);
    let decoding = async {
        let read = |give: &mut mpsc::Sender<Vec<u8>>, block: &[u8]| {
            let given = give.blocking_send(block.to_vec());
            given.map_or(ControlFlow::Break(()), ControlFlow::Continue)
        };
        tokio::select! {
            decoded = ffmpeg.read_live((&input, incoming), give, &cancelled, read) => {
                decoded.map(drop).map_err(UnderstandError::from)
            }
            () = over.cancelled() => Ok(()),
        }
    };
    let hearing = async {
        while let Some(block) = take.recv().await {
            utterance.add(&block);
            while !utterance.is_long()
                && let Ok(block) = take.try_recv()
            {
                utterance.add(&block);
            }
            while utterance.pass(false, &events).await? {}
        }
        while utterance.pass(true, &events).await? {}
        Ok(())
    };
    // What cannot be heard need not be decoded; what was decoded is heard, whatever came after it.
    let decoding = async { Ok::<_, UnderstandError>(decoding.await) };
    let (decoded, ()) = tokio::try_join!(decoding, hearing)?;
    decoded
}

fn gone() -> UnderstandError {
    ConfinementError::Cancelled.into()
}
