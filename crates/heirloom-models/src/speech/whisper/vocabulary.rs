//! What the tokens of Whisper are.

use std::collections::HashMap;

/// Tokens by their numbers, and those that say something to the model.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) names: Vec<String>,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) transcribe: usize,
    pub(super) no_speech: usize,
    pub(super) no_times: usize,
    /// The time 0.00; one more for each 20 ms.
    pub(super) first_time: usize,
    /// The two or three letters of a language, and its token.
    pub(super) languages: Vec<(String, usize)>,
    /// Never written: what is no speech, brackets and notes.
    pub(super) never: Vec<usize>,
    /// Layers and heads that look at what is being said.
    pub(super) alignment: Vec<(usize, usize)>,
}

impl Vocabulary {
    pub(super) fn read(words: &[u8], config: &[u8]) -> Result<Self, String> {
        let words = str::from_utf8(words).map_err(|_| "its vocabulary is no text".to_owned())?;
        let config: serde_json::Value = serde_json::from_slice(config)
            .map_err(|error| format!("its config.json cannot be read: {error}"))?;
        let names: Vec<String> = words.lines().map(str::to_owned).collect();
        let numbers: HashMap<&str, usize> = words
            .lines()
            .enumerate()
            .map(|(n, name)| (name, n))
            .collect();
        let find = |name: &str| {
            numbers
                .get(name)
                .copied()
                .ok_or_else(|| format!("its vocabulary has no {name}"))
        };
        let list = |name: &str| -> Vec<usize> {
            config[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|n| n.as_u64()?.try_into().ok())
                .collect()
        };
        let languages = list("lang_ids").into_iter().filter_map(|id| {
            let name = names.get(id)?.strip_prefix("<|")?.strip_suffix("|>")?;
            Some((name.to_owned(), id))
        });
        let alignment = config["alignment_heads"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|pair| {
                Some((
                    usize::try_from(pair[0].as_u64()?).ok()?,
                    usize::try_from(pair[1].as_u64()?).ok()?,
                ))
            });
        Ok(Self {
            languages: languages.collect(),
            alignment: alignment.collect(),
            start: find("<|startoftranscript|>")?,
            end: find("<|endoftext|>")?,
            transcribe: find("<|transcribe|>")?,
            no_speech: find("<|nospeech|>").or_else(|_| find("<|nocaptions|>"))?,
            no_times: find("<|notimestamps|>")?,
            first_time: find("<|0.00|>")?,
            never: list("suppress_ids"),
            names,
        })
    }
}
