//! `heirloom people …`

use heirloom_core::{ClaimBatchId, FaceId};
use heirloom_server::{
    Code, Problem,
    wire::{FacesReset, NewSaying, Page, Person, Portrait, Said, What},
};
use http::Method;

use super::{
    claim::turn,
    faces::{in_words, when},
};
use crate::{
    api::{Api, render},
    arguments,
    output::{Output, line, list, number_of},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::People,
    output: &Output,
) -> Result<(), Problem> {
    use arguments::People;
    let saying = match asked {
        People::List { hidden } => {
            let path = format!("/api/v1/people?aside={hidden}");
            let people: Page<Person> = api.get(&path).await?;
            output.data(&people, || match people.items.as_slice() {
                [] => "Nobody.".to_owned(),
                all => list(&all.iter().map(row).collect::<Vec<_>>()),
            });
            return Ok(());
        }
        People::Faces { group, hidden } => {
            let path = format!("/api/v1/people/{group}/faces?aside={hidden}");
            let faces: Page<Portrait> = api.get(&path).await?;
            output.data(&faces, || {
                list(&faces.items.iter().map(face_row).collect::<Vec<_>>())
            });
            return Ok(());
        }
        People::Said => {
            let said: Page<Said> = api.get("/api/v1/people/said").await?;
            output.data(&said, || match said.items.as_slice() {
                [] => "Nothing was said of faces.".to_owned(),
                all => list(&all.iter().map(said_row).collect::<Vec<_>>()),
            });
            return Ok(());
        }
        People::Undo { id } => {
            let id = match id {
                Some(id) => id,
                None => last(api).await?,
            };
            return turn(api, id, "undo", output).await;
        }
        People::Redo { id } => return turn(api, id, "redo", output).await,
        People::Reset => {
            let path = "/api/v1/people/reset";
            let reset: FacesReset = api.ask(Method::POST, path, &[], None).await?;
            output.data(&reset, || {
                let pictures = number_of(reset.asset_count, "picture", "pictures");
                format!("Faces are looked for anew in {pictures}.")
            });
            output.say("Begin that with `heirloom run start understand`.");
            return Ok(());
        }
        People::Name { name, which, not } => NewSaying {
            name: Some(name),
            ..of(which, if not { What::NotName } else { What::Name })
        },
        People::Merge { group, into } => NewSaying {
            group: Some(into),
            ..of_group(group, What::Same)
        },
        People::Apart { group, other } => NewSaying {
            group: Some(other),
            ..of_group(group, What::NotSame)
        },
        People::Split { faces } => NewSaying {
            faces,
            of: None,
            what: What::Apart,
            name: None,
            group: None,
        },
        People::Hide { which, no_face } => of(
            which,
            if no_face {
                What::NoFace
            } else {
                What::Stranger
            },
        ),
        People::Unhide { which } => of(which, What::Back),
    };
    let body = Some(render(&saying)?);
    let said = api.ask(Method::POST, "/api/v1/people/said", &[], body);
    let said: Said = said.await?;
    output.data(&said, || {
        let back = format!("heirloom people undo {}", said.id);
        format!("{}. Take it back with `{back}`.", in_sentence(&said))
    });
    Ok(())
}

fn of(which: arguments::WhichFaces, what: What) -> NewSaying {
    NewSaying {
        faces: which.faces,
        of: which.group,
        what,
        name: None,
        group: None,
    }
}

fn of_group(group: FaceId, what: What) -> NewSaying {
    NewSaying {
        faces: Vec::new(),
        of: Some(group),
        what,
        name: None,
        group: None,
    }
}

/// What was said last of what holds.
async fn last(api: &Api) -> Result<ClaimBatchId, Problem> {
    let all: Page<Said> = api.get("/api/v1/people/said").await?;
    let last = all.items.into_iter().find(|it| !it.is_undone);
    let nothing = || {
        Problem::new(Code::NotFound, "nothing was said of faces that holds")
            .hint("`heirloom people said` lists what was.")
    };
    Ok(last.ok_or_else(nothing)?.id)
}

fn row(person: &Person) -> Vec<String> {
    let name = person
        .name
        .as_deref()
        .map_or("(no name yet)".to_owned(), line);
    let asked = match person.asked_count {
        0 => String::new(),
        count => format!("{count} of them as far as a machine can tell"),
    };
    vec![
        person.group.to_string(),
        name,
        number_of(person.face_count, "face", "faces"),
        asked,
    ]
}

fn face_row(face: &Portrait) -> Vec<String> {
    let seen = when(face.at_ms, &[]).map(|seen| seen + "; ");
    let shares: [f64; 4] = face.area.clone().try_into().unwrap_or_default();
    let said = match face.whose.is_said {
        true => "said",
        false => "",
    };
    vec![
        face.id.to_string(),
        face.asset_id.to_string(),
        seen.unwrap_or_default() + &in_words(shares, face.quality),
        said.to_owned(),
    ]
}

fn said_row(said: &Said) -> Vec<String> {
    let undone = if said.is_undone { "taken back" } else { "" };
    vec![said.id.to_string(), in_sentence(said), undone.to_owned()]
}

/// What was said, as the beginning of a sentence.
fn in_sentence(said: &Said) -> String {
    let faces = number_of(said.face_count, "face", "faces");
    let name = said.name.as_deref().map(line).unwrap_or_default();
    match said.what {
        What::Name => format!("{faces}: {name}"),
        What::NotName => format!("{faces}: not {name}"),
        What::Same => format!("{faces} put together"),
        What::NotSame | What::Apart => format!("{faces} kept apart"),
        What::Stranger => format!("{faces} left out"),
        What::NoFace => format!("{faces}: no face"),
        What::Back => format!("{faces} shown again"),
    }
}
