//! `heirloom duplicates …`

use heirloom_core::{
    ClaimBatchId,
    duplicate::{Likeness, Reason},
};
use heirloom_server::{
    Code, Problem,
    wire::{Decision, DecisionKind, Duplicate, Duplicates, NewKeeper, NewParting, Page},
};
use http::Method;

use super::{
    claim::turn,
    paging::{collect, find, more},
};
use crate::{
    api::{Api, render},
    arguments,
    output::{Output, line, list, number_of, size},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Duplicates,
    output: &Output,
) -> Result<(), Problem> {
    use arguments::Duplicates as Asked;
    let (path, body) = match asked {
        Asked::List {
            why,
            decided,
            paging,
        } => {
            let why = why.map(Likeness::from);
            let why = why.map_or(String::new(), |why| format!("&why={}", why.as_str()));
            let path = format!("/api/v1/duplicates?decided={decided}{why}");
            let groups: Page<Duplicates> = collect(api, &path, &paging).await?;
            output.data(&groups, || match groups.items.as_slice() {
                [] => "Nothing is there twice.".to_owned(),
                all => {
                    let words: Vec<String> = all.iter().map(in_words).collect();
                    format!("{}\n{}", words.join("\n"), more(groups.next.as_deref()))
                }
            });
            return Ok(());
        }
        Asked::Decisions { paging } => {
            let path = "/api/v1/duplicates/decisions";
            let decisions: Page<Decision> = collect(api, path, &paging).await?;
            output.data(&decisions, || match decisions.items.as_slice() {
                [] => "Nothing was decided of duplicates.".to_owned(),
                all => {
                    let rows = list(&all.iter().map(decision_row).collect::<Vec<_>>());
                    rows + &more(decisions.next.as_deref())
                }
            });
            return Ok(());
        }
        Asked::Undo { id } => {
            let id = match id {
                Some(id) => id,
                None => last(api).await?,
            };
            return turn(api, id, "undo", output).await;
        }
        Asked::Redo { id } => return turn(api, id, "redo", output).await,
        Asked::Keep { group, picture } => (
            format!("/api/v1/duplicates/{group}/keep"),
            render(&NewKeeper { asset_id: picture })?,
        ),
        Asked::Part { group, pictures } => (
            format!("/api/v1/duplicates/{group}/part"),
            render(&NewParting {
                asset_ids: pictures,
            })?,
        ),
    };
    let decided: Decision = api.ask(Method::POST, &path, &[], Some(body)).await?;
    output.data(&decided, || {
        let back = format!("heirloom duplicates undo {}", decided.id);
        format!("{}. Take it back with `{back}`.", in_sentence(&decided))
    });
    Ok(())
}

/// What was decided last of what holds.
async fn last(api: &Api) -> Result<ClaimBatchId, Problem> {
    let holds = |it: &Decision| !it.is_undone;
    let last = find(api, "/api/v1/duplicates/decisions", holds).await?;
    let nothing = || {
        Problem::new(Code::NotFound, "nothing was decided that holds")
            .hint("`heirloom duplicates decisions` lists what was.")
    };
    Ok(last.ok_or_else(nothing)?.id)
}

/// A group: what it is, then its pictures, the one that is suggested with a star.
fn in_words(group: &Duplicates) -> String {
    let why = match group.why {
        Likeness::Copies => "one original at several places",
        Likeness::Exact => "the very same picture",
        Likeness::Near => "they show the same",
        Likeness::Burst => "taken in quick succession",
    };
    let rows: Vec<Vec<String>> = (group.members.iter())
        .flat_map(|member| member_rows(group, member))
        .collect();
    format!("{}  {why}\n{}", group.id, list(&rows))
}

/// A picture, and each further place of it.
fn member_rows(group: &Duplicates, member: &Duplicate) -> Vec<Vec<String>> {
    let asset = &member.asset;
    let is_kept = group.keeper == Some(asset.id);
    let pixels = asset.width.zip(asset.height);
    let pixels = pixels.map_or(String::new(), |(width, height)| {
        format!("{width} × {height}")
    });
    let reasons: Vec<&str> = group
        .reasons
        .iter()
        .map(|reason| reason_word(*reason))
        .collect();
    let said = match (member.rating, is_kept) {
        (-1, _) => "rejected".to_owned(),
        (_, true) => format!("keep: {}", reasons.join(", ")),
        _ => String::new(),
    };
    let place = |place: &heirloom_server::wire::Place| line(&place.path);
    let mut places = member.places.iter();
    let first = places.next().map_or_else(|| line(&asset.name), place);
    let star = if is_kept { "  *" } else { "   " };
    let bytes = size(asset.size_bytes.unsigned_abs());
    let mut rows = vec![vec![
        star.to_owned(),
        asset.id.to_string(),
        first,
        pixels,
        bytes,
        said,
    ]];
    rows.extend(places.map(|further| vec![String::new(), String::new(), place(further)]));
    rows
}

const fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Liked => "rated highest",
        Reason::Cover => "chosen when it was taken",
        Reason::Largest => "the most pixels",
        Reason::FromCamera => "as the camera made it",
        Reason::Sharpest => "the sharpest",
        Reason::BestExposed => "the best exposed",
        Reason::LeastPacked => "packed the least",
        Reason::Dated => "says when",
        Reason::Placed => "says where",
        Reason::First => "it was there first",
    }
}

fn decision_row(decision: &Decision) -> Vec<String> {
    let undone = if decision.is_undone { "taken back" } else { "" };
    vec![
        decision.id.to_string(),
        in_sentence(decision),
        undone.to_owned(),
    ]
}

/// What was decided, as the beginning of a sentence.
fn in_sentence(decision: &Decision) -> String {
    let pictures = number_of(decision.asset_count, "picture", "pictures");
    match decision.what {
        DecisionKind::Kept => format!("{pictures} rejected"),
        DecisionKind::Parted => format!("{pictures} not the same as others"),
    }
}
