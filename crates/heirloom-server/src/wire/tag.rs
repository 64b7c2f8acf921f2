//! Tags of assets.

use std::collections::BTreeMap;

use heirloom_core::{
    ClaimId,
    claim::{self, ClaimKind, ClaimValue, resolve},
    query::Language,
    tag::Noun,
};
use heirloom_pipeline::tool::tags::model_of;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asset, schema};

/// A word that an asset has, or that somebody says is not so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// What it says.
    pub tag: String,
    /// What it is called in each language, by the language's code, where it is a word that machines give; else empty.
    pub names: BTreeMap<String, String>,
    /// Who says so: `person`, `file` (the file itself, or one that describes it) or `model`.
    pub by: String,
    /// The model, where it is one.
    pub model: Option<String>,
    /// How sure they are, from 0 to 1.
    pub confidence: f32,
    /// Whether a person says that it is not so: nobody finds the asset by it, and no machine gives it this tag again.
    pub is_denied: bool,
    /// The claim that says so, to be taken back or denied.
    #[schema(schema_with = schema::id)]
    pub claim_id: ClaimId,
}

/// A picture that looks like another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Similar {
    /// The picture.
    pub asset: Asset,
    /// How alike they are, at most 1.
    pub likeness: f32,
}

impl Tag {
    /// Those that follow from the claims about an asset: what people say, then what is surest; what is denied at the end.
    pub(crate) fn list(claims: &[claim::Claim]) -> Vec<Self> {
        let believed = resolve(ClaimKind::Tag, claims).believed;
        let denied: Vec<claim::Claim> = claims
            .iter()
            .filter(|claim| claim.is_negation && claim.author.is_person())
            .map(|claim| claim::Claim {
                is_negation: false,
                ..claim.clone()
            })
            .collect();
        // Those denials that hold: what somebody said later takes the place of one.
        let mut all = claims.to_vec();
        all.retain(|claim| !claim.is_negation);
        all.extend(denied.iter().cloned());
        let held = resolve(ClaimKind::Tag, &all).believed;
        let is_denial = |claim: &&&claim::Claim| denied.iter().any(|it| it.id == claim.id);
        let believed = believed.into_iter().map(|claim| Self::of(claim, false));
        let denied = held.iter().filter(is_denial);
        let denied = denied.map(|claim| Self::of(claim, true));
        believed.chain(denied).collect()
    }

    fn of(claim: &claim::Claim, is_denied: bool) -> Self {
        let tag = match claim.statement.value() {
            ClaimValue::Text(text) => text.clone(),
            other => other.to_json().to_string(),
        };
        let noun = Noun::find(&tag);
        let name = |noun: &Noun, language: Language| {
            (language.tag().to_owned(), noun.name(language).to_owned())
        };
        let names = noun
            .into_iter()
            .flat_map(|noun| Language::ALL.map(|language| name(noun, language)));
        let model = model_of(&claim.source).filter(|_| !claim.author.is_person());
        Self {
            names: names.collect(),
            by: match (claim.author.is_person(), model) {
                (true, _) => "person",
                (false, Some(_)) => "model",
                (false, None) => "file",
            }
            .to_owned(),
            model: model.map(str::to_owned),
            confidence: claim.confidence,
            is_denied,
            claim_id: claim.id,
            tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use heirloom_core::{
        ArtifactId, AssetId, Subject,
        claim::{Author, Claim, Statement},
    };
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn claim(author: Author, tag: &str, made_at_ms: i64, is_negation: bool) -> Claim {
        let is_person = author.is_person();
        Claim {
            id: ClaimId::from_uuid(Uuid::from_u128(made_at_ms as u128)),
            subject: Subject::asset(AssetId::from_uuid(Uuid::nil())),
            statement: Statement::from_json(ClaimKind::Tag, &json!(tag)).unwrap(),
            is_negation,
            author,
            source: if is_person { "" } else { "seen:lite2" }.to_owned(),
            confidence: if is_person { 1.0 } else { 0.8 },
            made_at_ms,
            undone_at_ms: None,
        }
    }

    #[test]
    fn what_people_say_comes_first_and_what_they_deny_last() {
        let machine = Author::Artifact(ArtifactId::from_uuid(Uuid::nil()));
        let person = Author::Operator;
        let claims = [
            claim(machine, "dog", 1, false),
            claim(machine, "cat", 2, false),
            claim(machine, "beach", 3, false),
            claim(person, "cat", 4, true),
            claim(person, "Rex", 5, false),
            claim(person, "Hund", 6, false),
            // Denied, and said after all.
            claim(person, "beach", 7, true),
            claim(person, "beach", 8, false),
        ];
        let told: Vec<_> = Tag::list(&claims)
            .into_iter()
            .map(|tag| (tag.tag, tag.by, tag.is_denied, tag.names.len()))
            .collect();
        let tag =
            |tag: &str, is_denied, names| (tag.to_owned(), "person".to_owned(), is_denied, names);
        assert_eq!(
            told,
            [
                tag("beach", false, 2),
                tag("Hund", false, 2),
                tag("Rex", false, 0),
                tag("cat", true, 2),
            ]
        );
        let one = Tag::list(&claims[..1]).remove(0);
        assert_eq!(
            (one.by.as_str(), one.model.as_deref()),
            ("model", Some("lite2"))
        );
        assert_eq!(one.names["de"], "Hund");
    }
}
