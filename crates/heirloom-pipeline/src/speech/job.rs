//! What the confined process does: it hears, and tells voices apart.

use std::{fs::File, os::unix::fs::FileExt as _};

use heirloom_models::speech::{
    FRAME, Hearing, Listener, SAMPLES_PER_SECOND, SpeechError, Voice, Voiceprints, WINDOW,
};
use serde_json::json;

use crate::{
    confinement::{Answer, Failure, JobHeader},
    loading::{self, Loading, files, only, refuse},
};

/// Finds where somebody speaks.
pub(crate) const VOICE: &str = "voice";
/// Takes voiceprints of stretches.
pub(crate) const VOICES: &str = "voices";
/// Writes down what is said in a window.
pub(crate) const HEAR: &str = "hear";
/// Writes down what is being said in one that goes on.
pub(crate) const OVERHEAR: &str = "overhear";

/// What is kept loaded from job to job.
#[derive(Debug, Default)]
pub(crate) struct Hearer {
    loading: Loading,
    voice: Option<Voice>,
    voiceprints: Option<Voiceprints>,
    listener: Option<Listener>,
}

/// Frames that are read at once: about half a minute.
const FRAMES: usize = 1024;
/// No stretch is longer: a minute.
const MOST_AT_ONCE: usize = 60 * SAMPLES_PER_SECOND;

impl Hearer {
    pub(crate) fn voice(
        &mut self,
        header: &JobHeader,
        input: &File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        if self.voice.is_none() {
            let model = files(header, "voice_activity")?;
            let bytes = only(&model)?;
            let voice =
                Voice::load(&self.loading.runtime(header)?.alone(), &bytes).map_err(failed)?;
            self.voice = Some(voice);
        }
        let Some(voice) = &mut self.voice else {
            return Ok(());
        };
        if header["is_quiet"].as_bool().unwrap_or_default() {
            (self.listener, self.voiceprints) = (None, None);
        }
        voice.begin();
        let mut likely = Vec::new();
        let mut at = 0;
        loop {
            let samples = read(input, at, FRAMES * FRAME)?;
            for frame in samples.chunks(FRAME) {
                let heard = voice.hear(frame).map_err(failed)?;
                likely.push((heard.clamp(0.0, 1.0) * 255.0).round() as u8);
            }
            at += samples.len();
            if samples.len() < FRAMES * FRAME {
                break;
            }
        }
        Ok(answer.give(&json!({}), &likely)?)
    }

    /// Gives a part for each stretch.
    pub(crate) fn voices(
        &mut self,
        header: &JobHeader,
        input: &File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        if self.voiceprints.is_none() {
            let bytes = only(&files(header, "speaker")?)?;
            let voiceprints =
                Voiceprints::load(self.loading.runtime(header)?, &bytes).map_err(failed)?;
            self.voiceprints = Some(voiceprints);
        }
        let Some(voiceprints) = &mut self.voiceprints else {
            return Ok(());
        };
        let parts = parts(header)?.into_iter();
        let utterances = parts
            .map(|(from, until)| read(input, from, until.saturating_sub(from).min(MOST_AT_ONCE)));
        let utterances: Vec<_> = utterances.collect::<Result<_, _>>()?;
        for packed in voiceprints.of(&utterances).map_err(failed)? {
            answer.give(&json!({}), &packed)?;
        }
        Ok(())
    }

    pub(crate) fn hear(
        &mut self,
        header: &JobHeader,
        input: &File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let samples = stretches(header, input)?;
        let listener = self.listener(header)?;
        let said = listener.hear(&samples, &hearing(header)).map_err(failed)?;
        let words: Vec<_> = said
            .words
            .into_iter()
            .map(|word| (word.start, word.end, word.text, word.probability))
            .collect();
        let said = json!({
            "language": said.language,
            "probability": said.language_probability,
            "until": said.until,
            "words": words,
        });
        Ok(answer.give(&said, &[])?)
    }

    pub(crate) fn overhear(
        &mut self,
        header: &JobHeader,
        input: &File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let settled: Vec<usize> = serde_json::from_value(header["settled"].clone())
            .map_err(|_| refuse("it is not told what is settled".to_owned()))?;
        let samples = stretches(header, input)?;
        let listener = self.listener(header)?;
        let said = listener
            .overhear(&samples, &hearing(header), &settled)
            .map_err(failed)?;
        let said = json!({ "language": said.language, "words": said.words, "tokens": said.tokens });
        Ok(answer.give(&said, &[])?)
    }

    /// Who knows the language that is asked for.
    fn listener(&mut self, header: &JobHeader) -> Result<&mut Listener, Failure> {
        if self.listener.is_none() {
            let model = files(header, "speech")?;
            let file = |name: &str| {
                let missing = || refuse(format!("the model for speech has no {name}"));
                loading::read(model.get(name).ok_or_else(missing)?)
            };
            let (weights, config) = (file("model.bin")?, file("config.json")?);
            let vocabulary = file("vocabulary.txt")?;
            let listener = Listener::load(
                self.loading.runtime(header)?,
                &weights,
                &config,
                &vocabulary,
            );
            self.listener = Some(listener.map_err(failed)?);
        }
        let missing = || refuse("there is no model for speech".to_owned());
        let listener = self.listener.as_mut().ok_or_else(missing)?;
        match hearing(header)
            .language
            .filter(|name| !listener.knows(name))
        {
            None => Ok(listener),
            Some(name) => Err(refuse(format!(
                "the model for speech knows no language {name:?}"
            ))),
        }
    }
}

fn hearing(header: &JobHeader) -> Hearing {
    let word = |name: &str| header[name].as_str().map(str::to_owned);
    Hearing {
        language: word("language"),
        before: word("before"),
        goes_on: header["goes_on"].as_bool().unwrap_or_default(),
    }
}

/// What is said in the stretches that are to be heard, one after the other.
fn stretches(header: &JobHeader, input: &File) -> Result<Vec<f32>, Failure> {
    let mut samples = Vec::new();
    for (from, until) in parts(header)? {
        let most = WINDOW.saturating_sub(samples.len());
        samples.extend(read(input, from, until.saturating_sub(from).min(most))?);
    }
    Ok(samples)
}

/// The stretches that are to be heard.
fn parts(header: &JobHeader) -> Result<Vec<(usize, usize)>, Failure> {
    serde_json::from_value(header["parts"].clone())
        .map_err(|_| refuse("there is nothing to hear".to_owned()))
}

/// So many samples from one on, or as many as there are.
fn read(input: &File, from: usize, count: usize) -> Result<Vec<f32>, Failure> {
    let mut bytes = vec![0; count * 2];
    let mut length = 0;
    while length < bytes.len() {
        match input.read_at(&mut bytes[length..], (from * 2 + length) as u64)? {
            0 => break,
            more => length += more,
        }
    }
    let samples = bytes[..length].chunks_exact(2);
    Ok(samples
        .map(|sample| f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0)
        .collect())
}

fn failed(error: SpeechError) -> Failure {
    refuse(error.to_string())
}
