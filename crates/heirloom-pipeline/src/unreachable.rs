//! What is said of somebody on the network who cannot be reached.

/// Why nothing came, as the innermost of all causes says it. The address is left out: it is known, and may have a name and
/// a password in it.
pub(crate) fn in_words(error: &reqwest::Error) -> String {
    let mut why = None;
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        why = Some(error.to_string()).filter(|words| !words.is_empty());
        source = error.source();
    }
    why.unwrap_or_else(|| "the connection failed".to_owned())
}
