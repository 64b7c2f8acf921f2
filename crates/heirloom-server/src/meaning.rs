//! What words mean that pictures are looked for by.

use heirloom_core::{
    Actor,
    meaning::Meant,
    permission::Action,
    query::{Caret, Language, Query, TextField},
};
use heirloom_models::Ability;
use heirloom_pipeline::texts::telling_words;

use crate::{library::Library, problem::Problem, wire};

/// Reads a query, and what its words for pictures mean; with how pictures are found by them, if it has any.
pub(crate) async fn read_query(
    library: &Library,
    actor: &Actor,
    typed: &str,
) -> Result<(Query, Option<wire::Shown>), Problem> {
    let mut query = typed.parse()?;
    let shown = understand(library, actor, &mut query).await?;
    Ok((query, shown))
}

/// Says what the words for pictures of a query mean, if it has any.
pub(crate) async fn understand(
    library: &Library,
    actor: &Actor,
    query: &mut Query,
) -> Result<Option<wire::Shown>, Problem> {
    if query.scenes().next().is_none() {
        return Ok(None);
    }
    actor.require(Action::Search, library.family().id)?;
    let workshop = library.engine().workshop();
    if workshop.has(Ability::ImageText) {
        let interpreter = workshop.interpreter()?;
        for scene in query.scenes() {
            let meant = interpreter.read(&scene.words, library.closing()).await?;
            scene.meant = Some(meant);
        }
        return Ok(Some(wire::Shown {
            by: "pictures".to_owned(),
            model: Some(interpreter.model().to_owned()),
        }));
    }
    // Nobody knows what pictures show: what they are called has to do, and words that mean the same.
    let comparer = match workshop.has(Ability::TextEmbedding) {
        true => Some(workshop.comparer()?),
        false => None,
    };
    let names = match comparer {
        Some(_) => list_names(library, actor).await?,
        None => Vec::new(),
    };
    for scene in query.scenes() {
        let near = match &comparer {
            Some(comparer) => {
                let near = comparer.list_near(&scene.words, &names, library.closing());
                near.await?
            }
            None => Vec::new(),
        };
        let words = telling_words(&scene.words);
        scene.meant = Some(Meant::Names { near, words });
    }
    Ok(Some(wire::Shown {
        by: "names".to_owned(),
        model: comparer.map(|comparer| comparer.model().to_owned()),
    }))
}

/// How many tags, people and places are compared, the commonest of each.
const MOST_NAMES: usize = 250;

/// The commonest names of tags, people and places that the actor may see.
async fn list_names(library: &Library, actor: &Actor) -> Result<Vec<String>, Problem> {
    let (db, family) = (library.db(), library.family().id);
    let mut names = Vec::new();
    for field in [TextField::Tag, TextField::Person, TextField::Place] {
        let typed = format!("{}:", field.as_str());
        let Some(caret) = Caret::of(&typed, typed.len()) else {
            continue;
        };
        let found = db.suggest(actor, family, &caret, Language::English, MOST_NAMES);
        names.extend(found.await?.into_iter().map(|found| found.name));
    }
    Ok(names)
}
