//! What somebody is typing, and how it could go on.

use std::ops::Range;

use super::{
    State, TextField,
    name::{Language, name_of_undated, names_of_kind, names_of_state},
    parse::{Field, Parser, is_gap},
    quoted,
};
use crate::{
    MediaKind,
    text::{Phrase, fold},
};

/// After how many letters the names of another language are offered as well.
const PLAIN: usize = 3;

/// The part of a query that a caret is in: what is being typed there, and which part of the text would give
/// way to what is chosen in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caret {
    slot: Slot,
    range: Range<usize>,
    typed: String,
}

/// What could stand at a caret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A term: a field, or a word that may be a name of something.
    Term,
    /// The name of a field that has a value already.
    Field,
    /// A kind of media.
    Kind,
    /// A date.
    Date,
    /// The name of a person, place, camera or tag.
    Name(TextField),
    /// The name of an archive.
    Archive,
    /// The name of a collection.
    Collection,
    /// A state.
    State,
    /// The id of an asset, which nobody types.
    Asset,
    /// What is to be seen in pictures, in anybody's own words.
    Scene,
}

impl Slot {
    /// The word used in the API: `field` for fields, and for a value the name of its field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Term | Self::Field => "field",
            Self::Kind => Field::Type.as_str(),
            Self::Date => Field::Date.as_str(),
            Self::Name(field) => field.as_str(),
            Self::Archive => Field::Archive.as_str(),
            Self::Collection => Field::In.as_str(),
            Self::State => Field::Is.as_str(),
            Self::Asset => Field::Like.as_str(),
            Self::Scene => Field::Shows.as_str(),
        }
    }
}

impl Caret {
    /// What is typed before byte `at` of a text. `None` where no character begins or ends there.
    #[must_use]
    pub fn of(text: &str, at: usize) -> Option<Self> {
        if !text.is_char_boundary(at) {
            return None;
        }
        let mut spans = Parser::spans(text);
        let span = spans.find(|span| span.start < at && at <= span.end);
        let Some(span) = span else {
            return Some(Self::new(Slot::Term, at..at, ""));
        };
        let Some((field, value)) = span.field else {
            let typed = &text[span.start..at];
            return Some(Self::new(Slot::Term, span.start..span.end, typed));
        };
        let colon = text[..value].trim_end_matches(is_gap).len();
        if at < colon {
            return Some(Self::new(
                Slot::Field,
                span.start..colon,
                &text[span.start..at],
            ));
        }
        let at = at.max(value);
        let (before, after) = (&text[value..at], &text[at..span.end]);
        // One of several values, or one end of a range.
        let (start, end) = match field {
            Field::Type => (behind_last(before, ","), after.find(',')),
            Field::Date => {
                let dots = behind_last(before, "..").max(behind_last(before, "/"));
                (dots, after.find("..").or_else(|| after.find('/')))
            }
            _ => (0, None),
        };
        let range = value + start..end.map_or(span.end, |end| at + end);
        let slot = match field {
            Field::Type => Slot::Kind,
            Field::Date => Slot::Date,
            Field::Text(field) => Slot::Name(field),
            Field::Archive => Slot::Archive,
            Field::In => Slot::Collection,
            Field::Like => Slot::Asset,
            Field::Shows => Slot::Scene,
            Field::Is => Slot::State,
        };
        Some(Self::new(slot, range, &before[start..]))
    }

    fn new(slot: Slot, range: Range<usize>, typed: &str) -> Self {
        let words = Phrase::new(typed, false);
        let typed = words.map_or_else(String::new, |words| words.tokens().join(" "));
        Self { slot, range, typed }
    }

    /// What could stand there.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// The bytes of the text that give way to what is chosen.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What is typed so far, as [words](crate::text::tokens) with spaces between them.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The fields that begin so, each with its colon.
    #[must_use]
    pub fn fields(&self, language: Language) -> Vec<String> {
        // Nobody types an id.
        let fields = Field::ALL.into_iter().filter(|field| *field != Field::Like);
        let names = fields.filter_map(|field| self.choose(field.names_from(language)));
        names.map(|name| format!("{name}:")).collect()
    }

    /// The kinds that begin so, each with its name.
    #[must_use]
    pub fn kinds(&self, language: Language) -> Vec<(MediaKind, &'static str)> {
        let kinds = MediaKind::ALL.into_iter();
        kinds
            .filter_map(|kind| Some((kind, self.choose(names_of_kind(kind, language))?)))
            .collect()
    }

    /// The states that begin so, by their names.
    #[must_use]
    pub fn states(&self, language: Language) -> Vec<&'static str> {
        let states = State::ALL.into_iter();
        states
            .filter_map(|state| self.choose(names_of_state(state, language)))
            .collect()
    }

    /// What says that there is no date, if it begins so.
    #[must_use]
    pub fn undated(&self, language: Language) -> Option<&'static str> {
        self.choose(vec![name_of_undated(language)])
    }

    /// The first name, if it begins with what is typed; another one only where somebody plainly types that.
    fn choose(&self, names: Vec<&'static str>) -> Option<&'static str> {
        let most = match self.typed.len() {
            0..PLAIN => 1,
            _ => names.len(),
        };
        let begins = |name: &&str| fold(name).starts_with(&self.typed);
        names.into_iter().take(most).find(begins)
    }

    /// What to write in place of [`range`](Self::range) for a value: with its field, where that does not
    /// stand there already.
    #[must_use]
    pub fn write(&self, slot: Slot, value: &str, language: Language) -> String {
        let field = match slot {
            _ if slot == self.slot => None,
            Slot::Kind => Some(Field::Type),
            Slot::Date => Some(Field::Date),
            Slot::Name(field) => Some(Field::Text(field)),
            Slot::Archive => Some(Field::Archive),
            Slot::Collection => Some(Field::In),
            Slot::State => Some(Field::Is),
            Slot::Term | Slot::Field | Slot::Asset | Slot::Scene => None,
        };
        let field = field.map_or_else(String::new, |field| {
            format!("{}:", field.names_from(language)[0])
        });
        format!("{field}{}", quoted(value))
    }
}

/// Where a text goes on behind the last of these.
fn behind_last(text: &str, mark: &str) -> usize {
    text.rfind(mark).map_or(0, |at| at + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The caret where the text has a `|`, with the text without it.
    fn at_mark(marked: &str) -> (String, Caret) {
        let at = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let caret = Caret::of(&text, at).unwrap();
        (text, caret)
    }

    #[test]
    fn what_is_typed_at_the_caret_is_told_from_what_stands_around_it() {
        use Slot::{Archive, Collection, Date, Field, Kind, Name, State, Term};
        let place = Name(TextField::Place);
        // (text with the caret, what could stand there, what is typed of it, what gives way)
        let table = [
            ("|", Term, "", ""),
            ("|beach", Term, "", ""),
            ("bea|", Term, "bea", "bea"),
            ("bea|ch sun", Term, "bea", "beach"),
            ("beach |", Term, "", ""),
            ("beach | sun", Term, "", ""),
            ("beach Mü|", Term, "mu", "Mü"),
            ("-bea|", Term, "bea", "bea"),
            ("\"on the b|", Term, "on the b", "\"on the b"),
            ("place:|", place, "", ""),
            ("place:bre|", place, "bre", "bre"),
            ("-Place:bre| x", place, "bre", "bre"),
            ("place: bre|", place, "bre", "bre"),
            ("place: | bremen", place, "", "bremen"),
            ("place:bre|men", place, "bre", "bremen"),
            ("place:\"New Y|", place, "new y", "\"New Y"),
            ("place:\"New Y|ork\" x", place, "new y", "\"New Y|ork\""),
            ("Ort:bre|", place, "bre", "bre"),
            ("pla|ce:bremen", Field, "pla", "place:"),
            ("type:image,vi|", Kind, "vi", "vi"),
            ("type:im|,video", Kind, "im", "im"),
            ("date:19|", Date, "19", "19"),
            ("date:1974..19|", Date, "19", "19"),
            ("date:19|..1980", Date, "19", "19"),
            ("is:m|", State, "m", "m"),
            ("archive:\"a b|", Archive, "a b", "\"a b"),
            ("album:som|", Collection, "som", "som"),
            ("tag: -x|", Term, "x", "x"),
            ("kamra:le|", Term, "kamra le", "kamra:le"),
        ];
        for (marked, slot, typed, gives_way) in table {
            let (text, caret) = at_mark(marked);
            assert_eq!((caret.slot(), caret.typed()), (slot, typed), "{marked}");
            let gives_way = gives_way.replace('|', "");
            assert_eq!(&text[caret.range()], gives_way, "{marked}");
        }
        assert_eq!(Caret::of("ä", 1), None);
        assert_eq!(Caret::of("ä", 3), None);
    }

    #[test]
    fn what_is_offered_speaks_the_language_of_who_asks() {
        let (english, german) = (Language::English, Language::German);
        let caret = at_mark("a|").1;
        assert_eq!(caret.fields(english), ["archive:"]);
        assert_eq!(caret.fields(german), ["art:", "archiv:", "album:"]);
        let caret = at_mark("pla|").1;
        assert_eq!(caret.fields(german), ["place:"]);
        let caret = at_mark("art:|").1;
        let names: Vec<&str> = caret
            .kinds(german)
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(names, ["bild", "film", "aufnahme", "dokument", "datei"]);
        assert_eq!(
            at_mark("is:gelo|").1.states(german),
            ["gelöscht"],
            "accents do not matter"
        );
        assert_eq!(at_mark("date:n|").1.undated(english), Some("none"));
        assert_eq!(at_mark("date:19|").1.undated(english), None);
    }

    #[test]
    fn what_is_written_is_read_as_what_was_chosen() {
        for name in [
            "Bremen",
            "New York",
            "Oma \"Liesl\"",
            "\"x\"",
            "-x",
            "a:b",
            "a,b",
        ] {
            for (marked, slot) in [("x|", Slot::Archive), ("in:x|", Slot::Collection)] {
                for language in Language::ALL {
                    let (mut text, caret) = at_mark(marked);
                    text.replace_range(caret.range(), &caret.write(slot, name, language));
                    let query: super::super::Query = text.parse().unwrap();
                    let matcher = &query.terms[0].matcher;
                    use super::super::Matcher::{Archive, Collection};
                    assert!(
                        matches!(matcher, Archive(it) | Collection(it) if it == name),
                        "{text}"
                    );
                }
            }
        }
        let caret = at_mark("-bre|").1;
        let place = Slot::Name(TextField::Place);
        let written = caret.write(place, "Bremen", Language::German);
        assert_eq!(written, "ort:Bremen");
    }
}
