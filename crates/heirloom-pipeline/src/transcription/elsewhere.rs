//! A service that writes down what is said.

use heirloom_core::transcript::{Passage, Transcript, Word};

use super::{
    Recording, answer,
    pieces::{encode, end_of, is_silent, longest},
    provider::{PROVIDERS, Provider, Question},
};
use crate::{
    probe::probe,
    speech::{Languages, SoFar, decode, to_ms},
    understand::UnderstandError,
    way::{Service, ServiceError, ServiceSettings, insist},
};

/// Has a recording heard by a service, piece by piece.
pub(super) async fn hear(
    service: &Service,
    recording: &Recording<'_>,
    heard: &mut impl FnMut(SoFar<'_>),
) -> Result<Transcript, UnderstandError> {
    let Recording {
        ffmpeg,
        input,
        cancelled,
        ..
    } = *recording;
    let provider = provider_of(service.settings())?;
    let only = match service.settings().languages.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    if let Some(language) = recording.asked.language.as_deref()
        && !service.settings().languages.is_empty()
        && !service.settings().languages.iter().any(|it| it == language)
    {
        let (who, language) = (service.name(), language.to_owned());
        return Err(ServiceError::Language { who, language }.into());
    }
    // Whoever is left alone need not be decoded for.
    if let Some(left) = service.rest_left() {
        return Err(service.resting(left).into());
    }
    let found = probe(ffmpeg, input, cancelled).await?;
    let samples = decode(ffmpeg, input, &found, cancelled).await?;
    let count = usize::try_from(samples.metadata()?.len()).unwrap_or(usize::MAX) / 2;
    let sound = provider.sound();
    let longest = longest(sound, service.settings().max_bytes);
    let mut languages = Languages::new(recording.asked.language.as_deref().or(only));
    let mut transcript = Transcript::default();
    let mut from = 0;
    while from < count {
        let until = end_of(&samples, from, count, longest)?;
        let piece = from..until;
        let passages = transcript.passages.len();
        if !is_silent(&samples, piece.clone())? {
            let bytes = encode(ffmpeg, &samples, piece, sound, cancelled).await?;
            let question = Question {
                sound: bytes,
                language: languages.known(),
            };
            let settings = service.settings();
            let ask = |client: &_| provider.ask(client, settings, question.clone());
            let answer = insist(service, ask, cancelled).await?;
            let said = provider.read(&answer).map_err(|why| {
                service.fail();
                ServiceError::Rubbish {
                    who: service.name(),
                    why,
                }
            })?;
            if let Some(language) = said.language.clone() {
                languages.hear(language, 1.0, until - from);
            }
            answer::add(&mut transcript, said, (to_ms(from), to_ms(until)));
        }
        let new = &transcript.passages[passages..];
        let words: Vec<_> = new.iter().flat_map(words_of).collect();
        heard(SoFar {
            until_ms: to_ms(until),
            duration_ms: to_ms(count),
            words: &words,
        });
        from = until;
    }
    if !transcript.passages.is_empty() {
        transcript.language = languages.most();
    }
    Ok(transcript)
}

fn provider_of(settings: &ServiceSettings) -> Result<&'static dyn Provider, ServiceError> {
    let mut providers = PROVIDERS.into_iter();
    let found = providers.find(|provider| provider.kind().word == settings.kind);
    // It was compared when it was configured.
    found.ok_or(ServiceError::Cancelled)
}

/// The words of a passage; where they are not known one by one, all of it as one.
fn words_of(passage: &Passage) -> Vec<Word> {
    if !passage.words.is_empty() {
        return passage.words.clone();
    }
    vec![Word {
        start_ms: passage.start_ms,
        end_ms: passage.end_ms,
        text: format!(" {}", passage.text),
        probability: passage.confidence,
    }]
}
