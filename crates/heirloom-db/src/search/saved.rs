//! Collections within a query: those that have members are a word of the index, and saved searches are
//! their own terms in place of their name.

use std::{future::Future, pin::Pin};

use heirloom_core::{
    Actor, CollectionId, FamilyId, MediaKind,
    query::{Matcher, Query, State, Term},
    text,
};

use super::{
    document::{fact_word, field_of, id_word},
    expression::{Expression, Wanted},
};
use crate::{Db, DbError, sql::statements, value::args};

statements! {
    LIST_ARCHIVES = "SELECT id, name, audience_id FROM archive WHERE family_id = $1 ORDER BY id";
    // A frozen search has members.
    LIST_COLLECTIONS = "SELECT id, name, audience_id, CASE WHEN frozen_at_ms IS NULL THEN query END
        FROM collection WHERE family_id = $1 AND deleted_at_ms IS NULL ORDER BY id";
}

/// The most terms that a query has with those of the searches that it names.
const MOST_TERMS: usize = 100;

/// A term of a query, with what is to be looked up for it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) term: Term,
    /// Whether it stands in the query itself, and not in a search that it names.
    pub(super) is_typed: bool,
    /// What the index is asked where that cannot be told from the term alone.
    pub(super) expression: Option<Expression>,
}

/// A collection that may be meant.
struct Known {
    id: CollectionId,
    name: String,
    query: Option<String>,
}

/// The terms of a query, with those of the saved searches that it names.
pub(super) async fn expand(
    db: &Db,
    actor: &Actor,
    family: FamilyId,
    query: &Query,
) -> Result<Vec<Asked>, DbError> {
    let names_some = query
        .terms
        .iter()
        .any(|term| matches!(term.matcher, Matcher::Collection(_)));
    let collections = match names_some {
        true => list_collections(db, actor, family).await?,
        false => Vec::new(),
    };
    let expanding = Expanding {
        db,
        actor,
        family,
        collections,
    };
    let mut asked = Vec::new();
    expanding.add(query, &mut Vec::new(), &mut asked).await?;
    Ok(asked)
}

struct Expanding<'a> {
    db: &'a Db,
    actor: &'a Actor,
    family: FamilyId,
    collections: Vec<Known>,
}

type Added<'a> = Pin<Box<dyn Future<Output = Result<(), DbError>> + Send + 'a>>;

impl Expanding<'_> {
    /// Adds the terms of a query. `within` are the searches whose terms are being added.
    fn add<'a>(
        &'a self,
        query: &'a Query,
        within: &'a mut Vec<CollectionId>,
        asked: &'a mut Vec<Asked>,
    ) -> Added<'a> {
        Box::pin(async move {
            for term in &query.terms {
                let is_typed = within.is_empty();
                let mut expression = None;
                match &term.matcher {
                    Matcher::Archive(name) => {
                        let archives = self.find_archives(name).await?;
                        expression = Some(Expression::Any(archives));
                    }
                    Matcher::Collection(name) => {
                        let meant = self.find(name)?;
                        if let ([only], false) = (&meant[..], term.is_negated)
                            && let Some(saved) = parse(only)?
                        {
                            enter(only, within)?;
                            self.add(&saved, within, asked).await?;
                            within.pop();
                            continue;
                        }
                        let mut either = Vec::with_capacity(meant.len());
                        for known in meant {
                            either.push(self.express(known, within).await?);
                        }
                        expression = Some(Expression::Any(either));
                    }
                    _ => {}
                }
                asked.push(Asked {
                    term: term.clone(),
                    is_typed,
                    expression,
                });
                if asked.len() > MOST_TERMS {
                    return Err(DbError::Refused(format!(
                        "with the saved searches that it names, the query has more than {MOST_TERMS} terms"
                    )));
                }
            }
            Ok(())
        })
    }

    /// The collections with that name or id.
    fn find(&self, name: &str) -> Result<Vec<&Known>, DbError> {
        let known = self.collections.iter();
        let meant: Vec<&Known> = known
            .filter(|known| is_meant(name, known.id.uuid(), &known.name))
            .collect();
        if meant.is_empty() {
            return Err(DbError::not_found("collection", name));
        }
        Ok(meant)
    }

    /// The words of the archives with that name or id, of those that the actor may know of.
    async fn find_archives(&self, name: &str) -> Result<Vec<Expression>, DbError> {
        let sight = self.actor.sight(self.family);
        let mut found = Vec::new();
        for row in self.db.fetch(LIST_ARCHIVES, args![self.family]).await? {
            let (id, called): (heirloom_core::ArchiveId, String) = (row.get(0)?, row.get(1)?);
            if sight.includes(row.get(2)?) && is_meant(name, id.uuid(), &called) {
                found.push(Expression::word(id_word("archive", id.uuid())));
            }
        }
        if found.is_empty() {
            return Err(DbError::not_found("archive", name));
        }
        Ok(found)
    }

    /// That a document is in a collection, as one condition.
    async fn express(
        &self,
        known: &Known,
        within: &mut Vec<CollectionId>,
    ) -> Result<Expression, DbError> {
        let Some(saved) = parse(known)? else {
            return Ok(Expression::word(id_word("in", known.id.uuid())));
        };
        let mut asked = Vec::new();
        enter(known, within)?;
        self.add(&saved, within, &mut asked).await?;
        within.pop();
        express_all(asked).ok_or_else(|| {
            DbError::Refused(format!(
                "the saved search {:?} asks for a date, a state or a picture, so it can be looked into, but not left out \
                 or looked into together with another of its name: type its query instead",
                known.name
            ))
        })
    }
}

/// That all of this holds of a document, as far as its words alone can tell.
fn express_all(asked: Vec<Asked>) -> Option<Expression> {
    let (mut all, mut none) = (Vec::new(), Vec::new());
    for Asked {
        term, expression, ..
    } in asked
    {
        let expression = match (expression, &term.matcher) {
            (Some(expression), _) => expression,
            (None, Matcher::Words(phrase)) => Expression::phrase(phrase),
            (None, Matcher::Field { field, phrase }) => {
                Expression::in_field(field_of(*field), phrase)
            }
            (None, Matcher::Kind(kinds)) => any_kind(kinds),
            (None, Matcher::Is(State::Missing)) => Expression::word(fact_word("is", "missing")),
            (None, _) => return None,
        };
        match term.is_negated {
            true => none.push(expression),
            false => all.push(expression),
        }
    }
    if all.is_empty() {
        // Each document has one of these words.
        all.push(any_kind(&MediaKind::ALL));
    }
    Some(match none.is_empty() {
        true => Expression::All(all),
        false => Expression::Except(Box::new(Wanted { all, none })),
    })
}

fn any_kind(kinds: &[MediaKind]) -> Expression {
    let words = kinds.iter().map(|kind| fact_word("kind", kind.as_str()));
    Expression::Any(words.map(Expression::word).collect())
}

fn parse(known: &Known) -> Result<Option<Query>, DbError> {
    let Some(text) = &known.query else {
        return Ok(None);
    };
    let parsed = text.parse();
    parsed
        .map(Some)
        .map_err(|error| DbError::unreadable("a saved search", error))
}

/// Notes that the terms of a saved search are being added; refuses one that comes to ask for itself.
fn enter(known: &Known, within: &mut Vec<CollectionId>) -> Result<(), DbError> {
    if within.contains(&known.id) {
        return Err(DbError::Refused(format!(
            "the saved search {:?} asks for itself, so it finds nothing",
            known.name
        )));
    }
    within.push(known.id);
    Ok(())
}

/// The collections that the actor may see.
async fn list_collections(db: &Db, actor: &Actor, family: FamilyId) -> Result<Vec<Known>, DbError> {
    let sight = actor.sight(family);
    let mut known = Vec::new();
    for row in db.fetch(LIST_COLLECTIONS, args![family]).await? {
        if sight.includes(row.get(2)?) {
            known.push(Known {
                id: row.get(0)?,
                name: row.get(1)?,
                query: row.get(3)?,
            });
        }
    }
    Ok(known)
}

/// Whether what was typed names this thing. Names are compared as words are: case and accents do
/// not matter.
fn is_meant(typed: &str, id: uuid::Uuid, name: &str) -> bool {
    text::fold(typed) == text::fold(name) || typed.parse() == Ok(id)
}
