//! Any text is a query or is refused within it; what is printed reads back as the same, and what is
//! highlighted in a text is what was looked for.

#![no_main]

use heirloom_core::{
    query::Query,
    text::{fold, snippet, tokens},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The first line is the query, the rest is the text to show.
    let (typed, letter) = text.split_once('\n').unwrap_or((text, text));
    check_text(letter);
    let query = match typed.parse::<Query>() {
        Ok(query) => query,
        Err(error) => {
            assert!(typed.get(error.range()).is_some());
            assert!(!error.to_string().is_empty());
            assert!(error.hint().is_none_or(|hint| !hint.is_empty()));
            return;
        }
    };
    for ignored in &query.ignored {
        assert_eq!(
            typed.get(ignored.range.clone()),
            Some(ignored.text.as_str())
        );
    }
    let printed = query.to_string();
    let again: Query = printed.parse().expect("what is printed is a query");
    assert_eq!(again.terms, query.terms, "{printed}");
    assert!(again.ignored.is_empty(), "{printed}");
    assert_eq!(again.to_string(), printed);

    let phrases = query.phrases();
    let max_chars = 5 + letter.len() % 60;
    let shown = snippet(letter, &phrases, max_chars);
    assert!(shown.text.chars().count() <= max_chars);
    let mut last = 0;
    for range in shown.highlights {
        assert!(last <= range.start);
        last = range.end;
        let found = shown.text.get(range).expect("between characters");
        assert!(
            phrases.iter().any(|phrase| phrase.is_in(found)),
            "{found:?}"
        );
    }
});

fn check_text(text: &str) {
    let folded = fold(text);
    assert_eq!(fold(&folded), folded);
    let mut words = tokens(&folded);
    for token in tokens(text) {
        assert!(text.get(token.range).is_some());
        assert!(token.text.chars().all(char::is_alphanumeric));
        assert_eq!(words.next().map(|word| word.text), Some(token.text));
    }
    assert_eq!(words.next(), None);
}
