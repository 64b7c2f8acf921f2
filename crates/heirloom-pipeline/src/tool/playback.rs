//! The tool `playback`: films and recordings in a form that browsers play.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::MediaKind;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Parameter, ResourceClass, Tool, View};
use crate::{
    film,
    probe::probe,
    sound,
    work::{Content, Failure, Product, Task},
};

/// How a film or recording is played: from the original, or from a proxy.
pub const PLAYBACK: &str = "playback";
/// A film or recording that every browser plays, where the original is not played.
pub const PROXY: &str = "proxy";

/// Finds out whether browsers play an original, and makes a proxy where they do not. Input: the
/// original's bytes.
pub const PLAYER: Tool = Tool {
    name: "playback",
    version: 1,
    outputs: &[PLAYBACK, PROXY],
    view: View::Sound,
    class: ResourceClass::Memory,
    is_deterministic: true,
    parameters: &[SHORT_SIDE],
    ability: None,
};

/// How large the pictures of a proxy may be.
const SHORT_SIDE: Parameter = Parameter {
    name: "short_side_px",
    meaning: "The most pixels that the short side of a film has where it is encoded anew.",
    least: 144,
    most: 2160,
    default: 1080,
};

pub(crate) fn make_playable<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let input = task.open().await?;
        let ffmpeg = &task.ffmpeg();
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let probe = probe(ffmpeg, &input, &cancelled).await?;
        let media_type = task.asset.media_type.as_str();
        let is_film = task.asset.kind == MediaKind::Video && probe.picture.is_some();
        if !is_film && probe.sound.is_none() {
            return Err(Failure::NothingToDo(
                "There is nothing to play in it.".to_owned(),
            ));
        }
        let is_playable = match is_film {
            true => film::is_playable(&probe, media_type),
            false => sound::is_playable(&probe, media_type),
        };
        let mut about = json!({
            "plays": if is_playable { "original" } else { "proxy" },
            "streams": probe,
        });
        let mut products = Vec::new();
        if !is_playable && is_film {
            let short_side = u32::try_from(task.parameter(&SHORT_SIDE)).unwrap_or(u32::MAX);
            let proxy = film::make_proxy(ffmpeg, &input, &probe, short_side, &cancelled).await?;
            about["has_original_pictures"] = proxy.has_original_pictures.into();
            about["lacks_sound"] = proxy.lacks_sound.into();
            let says = json!({ "media_type": "video/mp4" });
            products.push(Product::new(PROXY, Content::File(says, proxy.mp4)));
        } else if !is_playable {
            let proxy = sound::make_proxy(ffmpeg, &input, &probe, &cancelled).await?;
            let says = json!({ "media_type": "audio/mp4" });
            products.push(Product::new(PROXY, Content::File(says, proxy.m4a)));
        }
        products.push(Product::new(PLAYBACK, Content::Json(about)));
        Ok(products)
    }
    .boxed()
}
