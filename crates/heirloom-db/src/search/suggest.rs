//! How a query could go on: names of what the actor may see, and what the language itself has.
//!
//! Names are looked up in the table that counts them for each audience (see [`name`](crate::name)), so what somebody
//! may not see is never among them, and no asset is looked at.

use std::collections::{HashMap, HashSet};

use heirloom_core::{
    Actor, AudienceId, FamilyId,
    permission::Action,
    query::{Caret, Language, Query, Slot, TextField},
    tag::Noun,
    text::Phrase,
};

use crate::{
    Db, DbError,
    name::Named,
    sql::{Sql, statements},
    value::{Value, args},
};

/// Follows whatever begins as it does.
const LAST: char = '\u{10FFFF}';
/// How many of the archives, of the collections and of the years are offered where something else may be meant.
const FEW: usize = 3;

statements! {
    LIST_BEGINNING = "SELECT words, MIN(name), CAST(SUM(assets) AS BIGINT) AS total FROM name_count
        WHERE field = $1 AND words >= $2 AND words < $3 AND audience_id IN ({list})
        GROUP BY words ORDER BY total DESC, words LIMIT $4";
    // Whose second or later word begins so: all names of a field are gone through.
    LIST_WITHIN = "SELECT words, MIN(name), CAST(SUM(assets) AS BIGINT) AS total FROM name_count
        WHERE field = $1 AND /*lite instr *//*pg strpos */(words, $2) > 0 AND audience_id IN ({list})
        GROUP BY words ORDER BY total DESC, words LIMIT $3";
    COUNT_KINDS = "SELECT kind, CAST(SUM(assets) AS BIGINT) FROM timeline_bucket
        WHERE audience_id IN ({list}) GROUP BY kind";
    LIST_ARCHIVES = "SELECT name, audience_id FROM archive WHERE family_id = $1 ORDER BY name";
    LIST_COLLECTIONS = "SELECT name, audience_id FROM collection
        WHERE family_id = $1 AND deleted_at_ms IS NULL ORDER BY updated_at_ms DESC, id";
}

/// Something that a query could go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What it is.
    pub slot: Slot,
    /// What it is called.
    pub name: String,
    /// What to write in place of what is typed.
    pub text: String,
    /// How many of the assets that the actor may see have just this, where that is known.
    pub assets: Option<i64>,
}

impl Db {
    /// What could stand at a caret, the most telling first: the commonest names that begin with what is typed,
    /// of what the actor may see.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn suggest(
        &self,
        actor: &Actor,
        family: FamilyId,
        caret: &Caret,
        language: Language,
        limit: usize,
    ) -> Result<Vec<Suggestion>, DbError> {
        actor.require(Action::Search, family)?;
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let asking = Asking {
            db: self,
            actor,
            family,
            audiences,
            caret,
            language,
            limit,
        };
        let mut found = asking.list().await?;
        found.truncate(limit);
        Ok(found)
    }
}

struct Asking<'a> {
    db: &'a Db,
    actor: &'a Actor,
    family: FamilyId,
    audiences: Vec<AudienceId>,
    caret: &'a Caret,
    language: Language,
    limit: usize,
}

impl Asking<'_> {
    async fn list(&self) -> Result<Vec<Suggestion>, DbError> {
        match self.caret.slot() {
            Slot::Term => self.terms().await,
            Slot::Field => Ok(self.fields()),
            Slot::Kind => self.kinds().await,
            Slot::Date => self.dates().await,
            Slot::Name(field) => self.names(field).await,
            Slot::Archive => self.groups(Slot::Archive, LIST_ARCHIVES).await,
            Slot::Collection => self.groups(Slot::Collection, LIST_COLLECTIONS).await,
            Slot::State => Ok(self.states()),
            Slot::Asset | Slot::Scene => Ok(Vec::new()),
        }
    }

    /// Whatever begins so.
    async fn terms(&self) -> Result<Vec<Suggestion>, DbError> {
        let mut found = self.fields();
        if self.caret.typed().is_empty() {
            return Ok(found);
        }
        found.extend(self.kinds().await?);
        found.extend(self.states());
        if self.caret.typed().len() > 1 {
            found.extend(self.dates().await?.into_iter().take(FEW));
        }
        found.extend(
            self.groups(Slot::Collection, LIST_COLLECTIONS)
                .await?
                .into_iter()
                .take(FEW),
        );
        found.extend(
            self.groups(Slot::Archive, LIST_ARCHIVES)
                .await?
                .into_iter()
                .take(FEW),
        );
        let mut names = Vec::new();
        for field in [
            TextField::Person,
            TextField::Place,
            TextField::Camera,
            TextField::Tag,
        ] {
            names.extend(self.names(field).await?);
        }
        names.sort_by_key(|name| std::cmp::Reverse(name.assets));
        found.extend(names);
        Ok(found)
    }

    fn offer(&self, slot: Slot, name: &str, assets: Option<i64>) -> Suggestion {
        Suggestion {
            slot,
            name: name.to_owned(),
            text: self.caret.write(slot, name, self.language),
            assets,
        }
    }

    fn fields(&self) -> Vec<Suggestion> {
        let fields = self.caret.fields(self.language).into_iter();
        fields
            .map(|name| Suggestion {
                slot: Slot::Field,
                text: name.clone(),
                name,
                assets: None,
            })
            .collect()
    }

    fn states(&self) -> Vec<Suggestion> {
        let states = self.caret.states(self.language).into_iter();
        states
            .map(|name| self.offer(Slot::State, name, None))
            .collect()
    }

    async fn kinds(&self) -> Result<Vec<Suggestion>, DbError> {
        let kinds = self.caret.kinds(self.language);
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let mut counts: HashMap<String, i64> = HashMap::new();
        for row in self.fetch(COUNT_KINDS, args![]).await? {
            *counts.entry(row.get(0)?).or_default() += row.get::<i64>(1)?;
        }
        let offers = kinds.into_iter().map(|(kind, name)| {
            let assets = counts.get(kind.as_str()).copied().unwrap_or_default();
            self.offer(Slot::Kind, name, Some(assets))
        });
        Ok(offers.collect())
    }

    /// The years in which there is something, the newest first, and that there is none.
    async fn dates(&self) -> Result<Vec<Suggestion>, DbError> {
        let typed = self.caret.typed();
        let mut found = Vec::new();
        if typed.bytes().all(|byte| byte.is_ascii_digit()) {
            let everything = Query::default();
            let counts = self
                .db
                .count_buckets(self.actor, self.family, &everything)
                .await?;
            let mut years: Vec<(String, i64)> = Vec::new();
            for (bucket, assets) in counts {
                // A month or a year: what is vaguer is in none.
                let name = bucket.to_string();
                let year = name.split('-').next().unwrap_or_default();
                let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
                if !is_year || !year.starts_with(typed) {
                    continue;
                }
                match years.last_mut().filter(|(last, _)| last == year) {
                    Some((_, sum)) => *sum += assets,
                    None => years.push((year.to_owned(), assets)),
                }
            }
            let years = years.into_iter();
            found.extend(years.map(|(year, assets)| self.offer(Slot::Date, &year, Some(assets))));
        }
        let undated = self.caret.undated(self.language);
        found.extend(undated.map(|name| self.offer(Slot::Date, name, None)));
        Ok(found)
    }

    /// The names of a field that begin so, the commonest first; then those of which a later word does.
    async fn names(&self, field: TextField) -> Result<Vec<Suggestion>, DbError> {
        let typed = self.caret.typed();
        let kinds: &[Named] = match field {
            TextField::Person => &[Named::Person],
            // In each language, so that all of them would be at the top.
            TextField::Place if typed.is_empty() => &[Named::Place],
            TextField::Place => &[Named::Place, Named::Country],
            TextField::Camera => &[Named::Camera],
            TextField::Tag => &[Named::Tag],
        };
        let mut found: Vec<Name> = Vec::new();
        // Of what is there in each language, some is left out.
        let limit = self.limit.saturating_mul(Language::ALL.len());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let until = format!("{typed}{LAST}");
        for named in kinds {
            let args = args![named.as_str(), typed, &until, limit];
            self.look_up(LIST_BEGINNING, args, &mut found).await?;
        }
        let first = found.len();
        if first < self.limit && !typed.is_empty() {
            let within = format!(" {typed}");
            for named in kinds {
                let args = args![named.as_str(), &within, limit];
                self.look_up(LIST_WITHIN, args, &mut found).await?;
            }
        }
        let (begin, within) = found.split_at_mut(first);
        for part in [begin, within] {
            part.sort_by(|a, b| (b.assets, &a.words).cmp(&(a.assets, &b.words)));
        }
        let slot = Slot::Name(field);
        // A tag of the vocabulary is there in every language: it is offered in the reader's.
        let is_foreign = |name: &Name| {
            let noun = Noun::find(&name.name).filter(|_| field == TextField::Tag);
            noun.is_some_and(|noun| {
                noun.name(self.language).to_lowercase() != name.name.trim().to_lowercase()
            })
        };
        let offers = found
            .iter()
            .filter(|name| !(typed.is_empty() && is_foreign(name)))
            .map(|name| self.offer(slot, &name.name, Some(name.assets)));
        Ok(offers.take(self.limit).collect())
    }

    async fn look_up(
        &self,
        sql: Sql,
        args: Vec<Value>,
        found: &mut Vec<Name>,
    ) -> Result<(), DbError> {
        let before = found.len();
        for row in self.fetch(sql, args).await? {
            let words: String = row.get(0)?;
            let assets: i64 = row.get(2)?;
            match found.iter_mut().position(|name| name.words == words) {
                // Of very many audiences there are several parts.
                Some(at) if at >= before => found[at].assets += assets,
                Some(_) => {}
                None => found.push(Name {
                    name: row.get(1)?,
                    words,
                    assets,
                }),
            }
        }
        Ok(())
    }

    /// Those of the archives or collections of which the first word begins so, then those of which another does.
    async fn groups(&self, slot: Slot, sql: Sql) -> Result<Vec<Suggestion>, DbError> {
        let typed = self.caret.typed();
        let sight = self.actor.sight(self.family);
        let (mut names, mut seen) = (Vec::new(), HashSet::new());
        for row in self.db.fetch(sql, args![self.family]).await? {
            let (name, audience): (String, _) = (row.get(0)?, row.get(1)?);
            if sight.includes(audience) && seen.insert(name.clone()) {
                names.push(name);
            }
        }
        let (mut begin, mut within) = (Vec::new(), Vec::new());
        for name in names {
            let words = Phrase::new(&name, false).map(|words| words.tokens().join(" "));
            let words = words.unwrap_or_default();
            if words.starts_with(typed) {
                begin.push(self.offer(slot, &name, None));
            } else if words.contains(&format!(" {typed}")) {
                within.push(self.offer(slot, &name, None));
            }
        }
        begin.append(&mut within);
        Ok(begin)
    }

    async fn fetch(&self, sql: Sql, args: Vec<Value>) -> Result<Vec<crate::row::Row>, DbError> {
        let list = self.audiences.iter().copied().map(Value::from).collect();
        self.db.fetch_list(sql, args, list).await
    }
}

/// A name that was looked up.
struct Name {
    words: String,
    name: String,
    assets: i64,
}
