//! Conditions on the words of a document, and how each engine is asked for them.
//!
//! Every word here comes from [`heirloom_core::text`] or is one of our own, so none holds a space, a
//! quotation mark or a backslash: nothing that anybody types becomes part of the engines' grammars.

use heirloom_core::text::Phrase;

use super::document::mark;
use crate::{Engine, search::Field};

/// A condition on a document.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// These words in a row, the last one perhaps only begun.
    Words { words: Vec<String>, is_prefix: bool },
    /// All of these, at least one.
    All(Vec<Self>),
    /// One of these, at least one.
    Any(Vec<Self>),
    /// What is wanted, without what is not.
    Except(Box<Wanted>),
}

impl Expression {
    pub(super) fn word(word: String) -> Self {
        Self::Words {
            words: vec![word],
            is_prefix: false,
        }
    }

    /// The phrase anywhere.
    pub(super) fn phrase(phrase: &Phrase) -> Self {
        Self::Words {
            words: phrase.tokens().to_vec(),
            is_prefix: phrase.is_prefix(),
        }
    }

    /// The phrase in a name of that field.
    pub(super) fn in_field(field: Field, phrase: &Phrase) -> Self {
        let mark = mark(field).map_or_else(String::new, String::from);
        let words = phrase.tokens().iter();
        Self::Words {
            words: words.map(|word| format!("{mark}{word}")).collect(),
            is_prefix: phrase.is_prefix(),
        }
    }

    fn write(&self, engine: Engine, to: &mut String) {
        let (all, any) = match engine {
            Engine::Sqlite => (" AND ", " OR "),
            Engine::Postgres => (" & ", " | "),
        };
        match (self, engine) {
            (Self::Words { words, is_prefix }, Engine::Sqlite) => {
                to.push('"');
                to.push_str(&words.join(" "));
                to.push_str(if *is_prefix { "\" *" } else { "\"" });
            }
            (Self::Words { words, is_prefix }, Engine::Postgres) => {
                to.push_str("('");
                to.push_str(&words.join("' <-> '"));
                to.push_str(if *is_prefix { "':*)" } else { "')" });
            }
            (Self::All(parts), _) => write_list(parts, all, engine, to),
            (Self::Any(parts), _) => write_list(parts, any, engine, to),
            (Self::Except(wanted), _) => {
                to.push('(');
                to.push_str(&wanted.render(engine));
                to.push(')');
            }
        }
    }
}

/// A condition with exceptions.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// What must be there, at least one.
    pub(super) all: Vec<Expression>,
    /// What must not.
    pub(super) none: Vec<Expression>,
}

impl Wanted {
    /// The condition as FTS5 or `to_tsquery` read it (<https://sqlite.org/fts5.html#full_text_query_syntax>,
    /// <https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY>).
    pub(super) fn render(&self, engine: Engine) -> String {
        let mut text = String::new();
        let (all, not, any) = match engine {
            Engine::Sqlite => (" AND ", " NOT ", " OR "),
            Engine::Postgres => (" & ", " & !", " | "),
        };
        write_list(&self.all, all, engine, &mut text);
        if !self.none.is_empty() {
            text.push_str(not);
            write_list(&self.none, any, engine, &mut text);
        }
        text
    }
}

fn write_list(parts: &[Expression], between: &str, engine: Engine, to: &mut String) {
    to.push('(');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            to.push_str(between);
        }
        part.write(engine, to);
    }
    to.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_asked_in_its_own_grammar() {
        let phrase = Phrase::new("Am Stra", true).unwrap();
        let wanted = Wanted {
            all: vec![
                Expression::word("_shown_1".into()),
                Expression::Any(vec![
                    Expression::phrase(&phrase),
                    Expression::in_field(Field::Place, &phrase),
                ]),
            ],
            none: vec![Expression::word("oma".into())],
        };
        assert_eq!(
            wanted.render(Engine::Sqlite),
            r#"("_shown_1" AND ("am stra" * OR "~am ~stra" *)) NOT ("oma")"#
        );
        assert_eq!(
            wanted.render(Engine::Postgres),
            "(('_shown_1') & (('am' <-> 'stra':*) | ('~am' <-> '~stra':*))) & !(('oma'))"
        );
    }
}
