//! `heirloom scrub`

use heirloom_server::{
    Problem,
    wire::{DamagedPlace, Scrub, ScrubPass},
};

use crate::{
    api::Api,
    output::{Output, count, day, line, number_of, size},
};

pub(super) async fn show(api: &Api, output: &Output) -> Result<(), Problem> {
    let scrub: Scrub = api.get("/api/v1/scrub").await?;
    output.data(&scrub, || describe(&scrub));
    Ok(())
}

fn describe(scrub: &Scrub) -> String {
    let mut text = match scrub.passes.first() {
        None => "Nothing has been read again yet; `heirloom serve` does.\n".to_owned(),
        Some(pass) => describe_pass(pass),
    };
    if scrub.damaged.is_empty() {
        text += "No original is known to be damaged.\n";
    }
    for place in &scrub.damaged {
        text += &describe_place(place);
    }
    text
}

fn describe_pass(pass: &ScrubPass) -> String {
    let unsigned = i64::unsigned_abs;
    let read = format!(
        "{} and {} in folders, {}",
        number_of(unsigned(pass.blobs), "blob", "blobs"),
        number_of(unsigned(pass.originals), "original", "originals"),
        size(unsigned(pass.bytes)),
    );
    let mut text = match pass.ended_at_ms {
        Some(ended_at_ms) => format!(
            "All bytes were read again by {}: {read}.\n",
            day(ended_at_ms)
        ),
        None => format!(
            "Since {} read again: {read}; it goes on while Heirloom serves.\n",
            day(pass.began_at_ms)
        ),
    };
    if pass.damaged > 0 {
        text += &format!(
            "{} damaged or missing; made good: {}\n",
            number_of(unsigned(pass.damaged), "was", "were"),
            count(unsigned(pass.mended)),
        );
    }
    text
}

fn describe_place(place: &DamagedPlace) -> String {
    let where_else = match place.copies {
        0 => "no other copy is known; look in your backups".to_owned(),
        copies => format!(
            "sound at {}: `heirloom asset show {}`",
            number_of(copies.unsigned_abs(), "other place", "other places"),
            place.asset_id
        ),
    };
    let told = format!(
        "damaged since {}: {} ({}: {}); {where_else}",
        day(place.damaged_at_ms),
        place.asset_name,
        place.archive_name,
        place.path,
    );
    format!("{}\n", line(&told))
}
