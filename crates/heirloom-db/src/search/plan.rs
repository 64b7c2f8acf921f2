//! From a query to conditions on the index.

use heirloom_core::{
    Actor, AssetId, AudienceId, FamilyId, MediaKind,
    bucket::Span,
    meaning::Meant,
    query::{DateRange, Matcher, Query, State, Term},
    text::Phrase,
};

use super::{
    Field, Scope,
    document::{fact_word, field_of},
    expression::{Expression, Wanted},
    saved::{self, Asked},
    span::{Keys, Part, parts_that_may_overlap},
};
use crate::{
    Db, DbError,
    asset::{Asset, AssetState},
};

/// Which names outrank the rest of what is known of an asset.
const CALLED: [Field; 4] = [Field::Title, Field::Person, Field::Place, Field::Tag];

/// What a query asks of the index.
pub(super) struct Plan {
    /// Which assets to look among, and of which audiences. With none, there is nothing to find.
    scope: Scope,
    audiences: Vec<AudienceId>,
    /// The words that must be there, and what else only the index knows.
    words: Vec<Expression>,
    all: Vec<Expression>,
    none: Vec<Expression>,
    /// That each of the words is in a name; nothing when the query has no words.
    called: Option<Expression>,
    /// What the asset itself tells as well: each with whether it is negated.
    facts: Vec<(bool, Fact)>,
    /// Where in the timeline the whole query can match.
    keys: Keys,
    /// What looks like the picture that the query names, or shows what it says, the most alike first: nothing else is found.
    pub(super) alike: Option<Vec<i64>>,
    /// What to show as found, with the field it was looked for in.
    pub(super) phrases: Vec<(Option<Field>, Phrase)>,
}

/// A condition that an asset's own row decides.
enum Fact {
    Kind(Vec<MediaKind>),
    Date(DateRange),
    Missing,
    Replaced,
}

impl Plan {
    pub(super) async fn of(
        db: &Db,
        actor: &Actor,
        family: FamilyId,
        query: &Query,
    ) -> Result<Self, DbError> {
        let asked = saved::expand(db, actor, family, query).await?;
        let scope = scope(&asked);
        let mut plan = Self {
            scope,
            audiences: db.list_audiences(family, &actor.sight(family)).await?,
            words: Vec::new(),
            all: Vec::new(),
            none: Vec::new(),
            called: None,
            facts: Vec::new(),
            keys: Keys::all(),
            alike: None,
            phrases: Vec::new(),
        };
        let mut called = Vec::new();
        for Asked {
            term,
            is_typed,
            expression,
        } in asked
        {
            match (&term.matcher, expression) {
                (_, Some(expression)) => plan.push(&term, expression),
                (Matcher::Like(_) | Matcher::Shows(_), None)
                    if term.is_negated || plan.alike.is_some() =>
                {
                    return Err(DbError::Refused(
                        "one picture can be named with like:, or one said of with shows:, and cannot be left out: say one \
                         of them, once"
                            .to_owned(),
                    ));
                }
                (Matcher::Like(id), None) => {
                    plan.alike = Some(list_alike(db, actor, family, *id, &plan.audiences).await?);
                }
                (Matcher::Shows(scene), None) => match &scene.meant {
                    Some(Meant::Pictures { words, nothing }) => {
                        let meant = (words, nothing);
                        let near = db.list_showing(actor, family, meant, &plan.audiences);
                        plan.alike = Some(near.await?.into_iter().map(|(key, _)| key).collect());
                    }
                    Some(Meant::Names { near, words }) => {
                        called.extend(plan.push_names(words, near));
                    }
                    None => return Err(nobody_knows()),
                },
                // What a saved search looks for neither ranks what is found nor explains it.
                (Matcher::Words(phrase), None) if !term.is_negated && is_typed => {
                    called.push(in_a_name(phrase));
                    plan.words.push(Expression::phrase(phrase));
                    plan.phrases.push((None, phrase.clone()));
                }
                _ => plan.add(&term, is_typed)?,
            }
        }
        plan.called = (!called.is_empty()).then_some(Expression::All(called));
        Ok(plan)
    }

    fn add(&mut self, term: &Term, is_typed: bool) -> Result<(), DbError> {
        let is_negated = term.is_negated;
        match &term.matcher {
            Matcher::Words(phrase) => self.push(term, Expression::phrase(phrase)),
            Matcher::Field { field, phrase } => {
                let field = field_of(*field);
                if !is_negated && is_typed {
                    self.phrases.push((Some(field), phrase.clone()));
                }
                self.push(term, Expression::in_field(field, phrase));
            }
            Matcher::Kind(kinds) => self.facts.push((is_negated, Fact::Kind(kinds.clone()))),
            Matcher::Date(range) => {
                self.facts.push((is_negated, Fact::Date(*range)));
                self.keys = if is_negated {
                    self.keys.without(&Keys::that_overlap(range))
                } else {
                    self.keys.and(&Keys::dated())
                };
            }
            Matcher::Undated if is_negated => self.keys = self.keys.and(&Keys::dated()),
            Matcher::Undated => self.keys = self.keys.and(&Keys::undated()),
            Matcher::Is(State::Missing) => self.facts.push((is_negated, Fact::Missing)),
            Matcher::Is(State::Replaced) => self.facts.push((is_negated, Fact::Replaced)),
            // All that is looked among is deleted, or nothing is.
            Matcher::Is(State::Deleted) if is_negated == (self.scope == Scope::Deleted) => {
                self.keys = Keys::none();
            }
            Matcher::Is(State::Deleted) => {}
            // Looked up before.
            Matcher::Archive(_) | Matcher::Collection(_) | Matcher::Like(_) | Matcher::Shows(_) => {
            }
        }
        Ok(())
    }

    /// That something has one of these names, or all of the words somewhere; and that it has two of the names, which comes
    /// first.
    fn push_names(&mut self, words: &[String], names: &[String]) -> Option<Expression> {
        let names: Vec<Phrase> = names
            .iter()
            .filter_map(|name| Phrase::new(name, false))
            .collect();
        let words: Vec<Phrase> = words
            .iter()
            .filter_map(|word| Phrase::new(word, false))
            .collect();
        let mut either: Vec<Expression> = names.iter().map(in_a_name).collect();
        if !words.is_empty() {
            let words = words.iter().map(Expression::phrase);
            either.push(Expression::All(words.collect()));
        }
        self.words.push(Expression::Any(either));
        let (mut rest, mut pairs) = (names.as_slice(), Vec::new());
        while let [first, others @ ..] = rest {
            let both = |other| Expression::All(vec![in_a_name(first), in_a_name(other)]);
            pairs.extend(others.iter().map(both));
            rest = others;
        }
        self.phrases
            .extend(names.into_iter().map(|name| (None, name)));
        (!pairs.is_empty()).then_some(Expression::Any(pairs))
    }

    fn push(&mut self, term: &Term, expression: Expression) {
        if term.is_negated {
            self.none.push(expression);
        } else {
            self.all.push(expression);
        }
    }

    /// The part of the query that only the index knows, if it names anything to look for: all of it,
    /// and what is called so.
    pub(super) fn selective(&self) -> Option<(Wanted, Option<Wanted>)> {
        let mut wanted = Wanted {
            all: self.all.clone(),
            none: self.none.clone(),
        };
        let called = self.called.as_ref().map(|called| {
            let mut wanted = wanted.clone();
            // What is called so has the words as well: it need not be asked for both.
            wanted.all.push(called.clone());
            wanted
        });
        wanted.all.extend(self.words.iter().cloned());
        (!wanted.all.is_empty()).then_some((wanted, called))
    }

    /// Whether what is called so comes before the rest.
    pub(super) const fn has_words(&self) -> bool {
        self.called.is_some()
    }

    /// The conditions to go through one after the other, without who may see; no asset meets two.
    pub(super) fn tiers(&self) -> Vec<Wanted> {
        let mut first = self.conditions();
        let Some(called) = &self.called else {
            return vec![first];
        };
        let mut second = self.whole();
        first.all.push(called.clone());
        second.none.push(called.clone());
        vec![first, second]
    }

    /// The whole condition, without who may see.
    pub(super) fn whole(&self) -> Wanted {
        let mut whole = self.conditions();
        whole.all.extend(self.words.iter().cloned());
        whole
    }

    /// The condition without words.
    fn conditions(&self) -> Wanted {
        let mut all = self.all.clone();
        let mut none = self.none.clone();
        for (is_negated, fact) in &self.facts {
            let words = match fact {
                Fact::Kind(kinds) => kinds
                    .iter()
                    .map(|kind| fact_word("kind", kind.as_str()))
                    .collect(),
                Fact::Missing => vec![fact_word("is", "missing")],
                Fact::Replaced => vec![fact_word("is", "replaced")],
                Fact::Date(_) => continue,
            };
            let side = if *is_negated { &mut none } else { &mut all };
            side.push(Expression::Any(
                words.into_iter().map(Expression::word).collect(),
            ));
        }
        Wanted { all, none }
    }

    /// The words that say who may see, for `most` audiences at a time.
    pub(super) fn scopes(&self, most: usize) -> impl Iterator<Item = Expression> {
        self.audiences.chunks(most).map(|audiences| {
            let words = audiences.iter().map(|id| self.scope.word(*id));
            Expression::Any(words.map(Expression::word).collect())
        })
    }

    /// The parts of the timeline to go through, the newest first.
    pub(super) fn parts(&self) -> Vec<Part> {
        let dates = self.dates();
        let mut dates = dates.filter_map(|(is_negated, range)| (!is_negated).then_some(range));
        // Of several dates one leads the way, and all are compared.
        let parts = dates.next().map_or_else(
            || {
                vec![Part {
                    keys: i64::MIN..=i64::MAX,
                    least: Span::Day,
                }]
            },
            |range| parts_that_may_overlap(&range),
        );
        let cut = parts.iter().flat_map(|part| {
            let keys = self.keys.within(&part.keys).into_iter();
            keys.map(|keys| Part {
                keys,
                least: part.least,
            })
        });
        cut.collect()
    }

    /// The dates to overlap, or (`true`) not to.
    pub(super) fn dates(&self) -> impl Iterator<Item = (bool, DateRange)> {
        self.facts
            .iter()
            .filter_map(|(is_negated, fact)| match fact {
                Fact::Date(range) => Some((*is_negated, *range)),
                _ => None,
            })
    }

    /// Whether an asset whose words match is one that the query means and the actor may see.
    pub(super) fn admits(&self, asset: &Asset) -> bool {
        let scope = Scope::of(asset);
        scope == self.scope
            && self.audiences.contains(&asset.audience_id)
            && self.keys.contain(asset.timeline_key)
            && self
                .facts
                .iter()
                .all(|(is_negated, fact)| fact.holds(asset) != *is_negated)
    }
}

/// The keys of what looks like an asset that the actor may see.
async fn list_alike(
    db: &Db,
    actor: &Actor,
    family: FamilyId,
    id: AssetId,
    audiences: &[AudienceId],
) -> Result<Vec<i64>, DbError> {
    let asset = db.get_asset(actor, id).await?;
    if asset.family_id != family {
        return Err(DbError::not_found("asset", id));
    }
    let alike = db.list_alike(actor, family, id, audiences).await?;
    let alike = alike.ok_or_else(|| {
        DbError::Refused(format!(
            "nobody has looked at the asset {id} yet, so nothing can be compared with it: a model on this machine looks at \
             pictures in a run of `understand`"
        ))
    })?;
    Ok(alike.into_iter().map(|(key, _)| key).collect())
}

/// Words are compared with pictures once they were read by a model, which happens where they are typed.
fn nobody_knows() -> DbError {
    DbError::Refused(
        "what pictures show can be asked for in a search that is typed, and not in a saved one: save what else it asks for"
            .to_owned(),
    )
}

impl Fact {
    fn holds(&self, asset: &Asset) -> bool {
        match self {
            Self::Kind(kinds) => kinds.contains(&asset.kind),
            Self::Missing => asset.state == AssetState::Missing,
            Self::Replaced => asset.state == AssetState::Replaced,
            Self::Date(range) => {
                let date = asset.date.as_deref().map(str::parse::<heirloom_core::Edtf>);
                let Some(Ok(date)) = date else { return false };
                let (from, until) = date.interval();
                from.zip(range.until())
                    .is_none_or(|(from, end)| from <= end)
                    && until
                        .zip(range.from())
                        .is_none_or(|(until, begin)| until >= begin)
            }
        }
    }
}

/// What is deleted or replaced is looked among only when it is asked for.
fn scope(asked: &[Asked]) -> Scope {
    let asks_for = |state| {
        let matcher = Matcher::Is(state);
        let mut terms = asked.iter().map(|asked| &asked.term);
        terms.any(|term| !term.is_negated && term.matcher == matcher)
    };
    if asks_for(State::Deleted) {
        Scope::Deleted
    } else if asks_for(State::Replaced) {
        Scope::Replaced
    } else {
        Scope::Shown
    }
}

/// That the phrase is in a name of the asset.
fn in_a_name(phrase: &Phrase) -> Expression {
    let fields = CALLED.into_iter();
    Expression::Any(
        fields
            .map(|field| Expression::in_field(field, phrase))
            .collect(),
    )
}
