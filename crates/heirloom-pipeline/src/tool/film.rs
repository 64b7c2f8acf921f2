//! The tool `film`: what is shown of a film before it is played.

use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    ResourceClass, Tool, View,
    rendition::{GRID, LOOK, SCREEN, TRAITS, draw_in_confinement},
};
use crate::{
    film::{StoryboardOptions, make_poster, make_storyboard},
    probe::probe,
    work::{Content, Failure, Product, Task},
};

/// Small pictures of moments of a film on one sheet, with when each is seen.
pub const STORYBOARD: &str = "storyboard";

/// Makes of a film one picture in all sizes, and a sheet of small ones. Input: the original's bytes.
pub const FILM: Tool = Tool {
    name: "film",
    version: 2,
    outputs: &[LOOK, GRID, SCREEN, STORYBOARD],
    view: View::Film,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};

pub(crate) fn make_stills<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let input = task.open().await?;
        let ffmpeg = &task.ffmpeg();
        // Whoever no longer wants this drops it.
        let cancelled = CancellationToken::new();
        let probe = probe(ffmpeg, &input, &cancelled).await?;
        if probe.picture.is_none() {
            return Err(Failure::NothingToDo(
                "There are no moving pictures in it.".to_owned(),
            ));
        }
        let poster = make_poster(ffmpeg, &input, &probe, &cancelled).await?;
        let mut products = draw_in_confinement(task, poster.png, "poster.png").await?;
        // Two films with the same poster are two films.
        products.retain(|product| product.kind != TRAITS);
        let options = StoryboardOptions::default();
        match make_storyboard(ffmpeg, &input, &probe, options, &cancelled).await {
            Ok(board) => {
                let mut about = json!(board.header);
                about["media_type"] = "image/jpeg".into();
                products.push(Product::new(STORYBOARD, Content::File(about, board.sheet)));
            }
            // A film that can be looked at in one place only is still worth looking at.
            Err(error) if error.is_about_the_file() => task.say(&format!("no storyboard: {error}")),
            Err(error) => return Err(error.into()),
        }
        Ok(products)
    }
    .boxed()
}
