//! The languages that Whisper knows, by the names that services answer with.

/// The code of a language that is named by its English name or its code.
pub(super) fn code_of(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let found = NAMES
        .iter()
        .find(|(code, names)| *code == name || names.contains(&name.as_str()));
    found.map(|(code, _)| (*code).to_owned())
}

/// Of OpenAI's Whisper (tokenizer.py).
const NAMES: &[(&str, &[&str])] = &[
    ("en", &["english"]),
    ("zh", &["chinese", "mandarin"]),
    ("de", &["german"]),
    ("es", &["spanish", "castilian"]),
    ("ru", &["russian"]),
    ("ko", &["korean"]),
    ("fr", &["french"]),
    ("ja", &["japanese"]),
    ("pt", &["portuguese"]),
    ("tr", &["turkish"]),
    ("pl", &["polish"]),
    ("ca", &["catalan", "valencian"]),
    ("nl", &["dutch", "flemish"]),
    ("ar", &["arabic"]),
    ("sv", &["swedish"]),
    ("it", &["italian"]),
    ("id", &["indonesian"]),
    ("hi", &["hindi"]),
    ("fi", &["finnish"]),
    ("vi", &["vietnamese"]),
    ("he", &["hebrew"]),
    ("uk", &["ukrainian"]),
    ("el", &["greek"]),
    ("ms", &["malay"]),
    ("cs", &["czech"]),
    ("ro", &["romanian", "moldavian", "moldovan"]),
    ("da", &["danish"]),
    ("hu", &["hungarian"]),
    ("ta", &["tamil"]),
    ("no", &["norwegian"]),
    ("th", &["thai"]),
    ("ur", &["urdu"]),
    ("hr", &["croatian"]),
    ("bg", &["bulgarian"]),
    ("lt", &["lithuanian"]),
    ("la", &["latin"]),
    ("mi", &["maori"]),
    ("ml", &["malayalam"]),
    ("cy", &["welsh"]),
    ("sk", &["slovak"]),
    ("te", &["telugu"]),
    ("fa", &["persian"]),
    ("lv", &["latvian"]),
    ("bn", &["bengali"]),
    ("sr", &["serbian"]),
    ("az", &["azerbaijani"]),
    ("sl", &["slovenian"]),
    ("kn", &["kannada"]),
    ("et", &["estonian"]),
    ("mk", &["macedonian"]),
    ("br", &["breton"]),
    ("eu", &["basque"]),
    ("is", &["icelandic"]),
    ("hy", &["armenian"]),
    ("ne", &["nepali"]),
    ("mn", &["mongolian"]),
    ("bs", &["bosnian"]),
    ("kk", &["kazakh"]),
    ("sq", &["albanian"]),
    ("sw", &["swahili"]),
    ("gl", &["galician"]),
    ("mr", &["marathi"]),
    ("pa", &["punjabi", "panjabi"]),
    ("si", &["sinhala", "sinhalese"]),
    ("km", &["khmer"]),
    ("sn", &["shona"]),
    ("yo", &["yoruba"]),
    ("so", &["somali"]),
    ("af", &["afrikaans"]),
    ("oc", &["occitan"]),
    ("ka", &["georgian"]),
    ("be", &["belarusian"]),
    ("tg", &["tajik"]),
    ("sd", &["sindhi"]),
    ("gu", &["gujarati"]),
    ("am", &["amharic"]),
    ("yi", &["yiddish"]),
    ("lo", &["lao"]),
    ("uz", &["uzbek"]),
    ("fo", &["faroese"]),
    ("ht", &["haitian creole", "haitian"]),
    ("ps", &["pashto", "pushto"]),
    ("tk", &["turkmen"]),
    ("nn", &["nynorsk"]),
    ("mt", &["maltese"]),
    ("sa", &["sanskrit"]),
    ("lb", &["luxembourgish", "letzeburgesch"]),
    ("my", &["myanmar", "burmese"]),
    ("bo", &["tibetan"]),
    ("tl", &["tagalog"]),
    ("mg", &["malagasy"]),
    ("as", &["assamese"]),
    ("tt", &["tatar"]),
    ("haw", &["hawaiian"]),
    ("ln", &["lingala"]),
    ("ha", &["hausa"]),
    ("ba", &["bashkir"]),
    ("jw", &["javanese"]),
    ("su", &["sundanese"]),
    ("yue", &["cantonese"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_name_and_its_code() {
        assert_eq!(code_of("German").as_deref(), Some("de"));
        assert_eq!(code_of("de").as_deref(), Some("de"));
        assert_eq!(code_of("flemish").as_deref(), Some("nl"));
        assert_eq!(code_of("klingon"), None);
    }
}
