//! What fields and their values are called, in each language that people type.
//!
//! English is the language in which a query is printed, kept and given to programs. What is typed in another
//! language means the same, whatever the rest of the query is in.

use crate::{MediaKind, text::fold};

use super::{State, TextField, date, parse::Field};

/// A language whose names of fields and values are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// In which queries are printed.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language with that tag, whatever region follows in it.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let spoken = tag.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(spoken))
    }
}

impl Field {
    /// The German names; the first is the one that is offered.
    const fn in_german(self) -> &'static [&'static str] {
        match self {
            Self::Type => &["art"],
            Self::Date => &["datum"],
            Self::Text(TextField::Person) => &["person"],
            Self::Text(TextField::Place) => &["ort"],
            Self::Text(TextField::Camera) => &["kamera"],
            Self::Text(TextField::Tag) => &["stichwort", "schlagwort"],
            Self::Archive => &["archiv"],
            Self::In => &["album", "sammlung"],
            Self::Like => &[],
            Self::Shows => &["zeigt"],
            Self::Is => &["zustand", "ist"],
        }
    }

    /// What it is called: in this language first, then in the others.
    pub(super) fn names_from(self, language: Language) -> Vec<&'static str> {
        in_order(language, &[self.as_str()], self.in_german())
    }

    /// The field of this name in any language, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        find(Self::ALL, name, Self::names_from)
    }

    /// Every name in every language.
    pub(super) fn names() -> Vec<&'static str> {
        let english = Self::ALL.map(Self::as_str);
        let german = Self::ALL.into_iter().flat_map(Self::in_german);
        english.into_iter().chain(german.copied()).collect()
    }
}

/// What a kind is called after `type:`, in this language first.
pub(super) fn names_of_kind(kind: MediaKind, language: Language) -> Vec<&'static str> {
    let german: &[&str] = match kind {
        MediaKind::Image => &["bild", "foto"],
        MediaKind::Video => &["film"],
        MediaKind::Audio => &["aufnahme", "ton"],
        MediaKind::Document => &["dokument"],
        MediaKind::Other => &["datei"],
    };
    in_order(language, &[kind.as_str()], german)
}

/// The kind of this name in any language, in any case.
pub(super) fn find_kind(word: &str) -> Option<MediaKind> {
    find(MediaKind::ALL, word, names_of_kind)
}

/// What a state is called after `is:`, in this language first.
pub(super) fn names_of_state(state: State, language: Language) -> Vec<&'static str> {
    let german: &[&str] = match state {
        State::Missing => &["fehlt"],
        State::Replaced => &["ersetzt"],
        State::Deleted => &["gelöscht"],
    };
    in_order(language, &[state.as_str()], german)
}

/// The state of this name in any language, in any case.
pub(super) fn find_state(word: &str) -> Option<State> {
    find(State::ALL, word, names_of_state)
}

/// What stands for "no date" after `date:`.
pub(super) const fn name_of_undated(language: Language) -> &'static str {
    match language {
        Language::English => date::NONE,
        Language::German => "ohne",
    }
}

/// Whether a word says that there is no date, in any language.
pub(super) fn is_undated(word: &str) -> bool {
    let word = fold(word);
    Language::ALL
        .into_iter()
        .any(|language| word == name_of_undated(language))
}

fn in_order(
    language: Language,
    english: &[&'static str],
    german: &[&'static str],
) -> Vec<&'static str> {
    match language {
        Language::English => [english, german].concat(),
        Language::German => [german, english].concat(),
    }
}

/// What has this name in any language.
fn find<T: Copy, const N: usize>(
    all: [T; N],
    name: &str,
    names: impl Fn(T, Language) -> Vec<&'static str>,
) -> Option<T> {
    let name = fold(name);
    let is_called = |it: &T| {
        names(*it, Language::English)
            .iter()
            .any(|it| fold(it) == name)
    };
    all.into_iter().find(is_called)
}

#[cfg(test)]
mod tests {
    use crate::query::Query;

    #[test]
    fn what_is_typed_in_german_means_the_same() {
        let table = [
            ("art:film", "type:video"),
            ("Art:Bild,Film,aufnahme", "type:image,video,audio"),
            ("art:foto", "type:image"),
            ("art:dokument, datei", "type:document,other"),
            ("datum:1974..1980", "date:1974..1980"),
            ("datum:ohne", "date:none"),
            ("person:Anna", "person:anna"),
            ("ort:Rom* -ORT:bremen", "place:rom* -place:bremen"),
            ("kamera:\"EOS 70D\"", "camera:\"eos 70d\""),
            ("stichwort:strand schlagwort:meer", "tag:strand tag:meer"),
            ("archiv:Dachboden", "archive:Dachboden"),
            ("album:Sommer sammlung:x", "in:Sommer in:x"),
            ("zeigt:\"ein Hund\"", "shows:\"ein Hund\""),
            (
                "zustand:fehlt ist:ersetzt zustand:gelöscht zustand:geloscht",
                "is:missing is:replaced is:deleted is:deleted",
            ),
            ("-art:film ort: Bremen", "-type:video place:bremen"),
        ];
        for (typed, means) in table {
            let query: Query = typed.parse().unwrap();
            assert_eq!(query.to_string(), means, "{typed}");
        }
        let wrong = "kamra:leica".parse::<Query>().unwrap_err();
        assert!(wrong.hint().unwrap().contains("kamera:"), "{wrong:?}");
    }
}
