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
    paging::{collect, find, more},
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
        People::List { hidden, paging } => {
            let path = format!("/api/v1/people?aside={hidden}");
            let people: Page<Person> = collect(api, &path, &paging).await?;
            output.data(&people, || match people.items.as_slice() {
                [] => "Nobody.".to_owned(),
                all => {
                    let rows = list(&all.iter().map(row).collect::<Vec<_>>());
                    rows + &more(people.next.as_deref())
                }
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
        People::Said { paging } => {
            let said: Page<Said> = collect(api, "/api/v1/people/said", &paging).await?;
            output.data(&said, || match said.items.as_slice() {
                [] => "Nothing was said of faces.".to_owned(),
                all => {
                    let rows = list(&all.iter().map(said_row).collect::<Vec<_>>());
                    rows + &more(said.next.as_deref())
                }
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
        People::Merge { mut groups } => {
            // Arguments were counted before.
            let into = groups.pop();
            of_groups(groups, What::Same, into)
        }
        People::Apart { group, other } => of_groups(vec![group], What::NotSame, Some(other)),
        People::Split { faces } => NewSaying {
            faces,
            ..of_groups(Vec::new(), What::Apart, None)
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
        ..of_groups(which.group.into_iter().collect(), what, None)
    }
}

const fn of_groups(of: Vec<FaceId>, what: What, group: Option<FaceId>) -> NewSaying {
    NewSaying {
        faces: Vec::new(),
        of,
        what,
        name: None,
        group,
    }
}

/// What was said last of what holds.
async fn last(api: &Api) -> Result<ClaimBatchId, Problem> {
    let holds = |it: &Said| !it.is_undone;
    let last = find(api, "/api/v1/people/said", holds).await?;
    let nothing = || {
        Problem::new(Code::NotFound, "nothing was said of faces that holds")
            .hint("`heirloom people said` lists what was.")
    };
    Ok(last.ok_or_else(nothing)?.id)
}

/// Who it is first, as whoever reads it looks for a name; then by what they are named in other commands.
fn row(person: &Person) -> Vec<String> {
    let name = person.name.as_deref();
    let faces = number_of(person.face_count, "face", "faces");
    let assets = number_of(person.asset_count, "picture or film", "pictures and films");
    let asked = match person.asked_count {
        0 => String::new(),
        count => format!("{count} to be confirmed"),
    };
    vec![
        name.map_or("(no name yet)".to_owned(), line),
        format!("{faces} in {assets}"),
        asked,
        person.group.to_string(),
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
