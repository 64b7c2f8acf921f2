//! What a film shows, and what it looks like: in its frames, put together.
//!
//! Films are looked at on this machine alone. To a service each frame would be a picture: a film a hundred.

use std::fs::File;

use heirloom_core::imprint::Imprint;
use tokio_util::sync::CancellationToken;

use super::{Beholder, Seen, SeenTag, look};
use crate::{
    Ffmpeg,
    film::{FRAME, look_at_each},
    understand::UnderstandError,
};

/// In so many frames something has to be seen. What one frame seems to show, the next one does not.
const FRAMES: usize = 2;
/// A film of so few frames hardly moves.
const SHORT: usize = 3;

/// Looks at a film: its tags are what is seen in two frames at least, and what it looks like is the mean of its frames. `seen`
/// is told how many of how many frames were looked at.
///
/// # Errors
/// [`UnderstandError`]; `Nothing` where there are no moving pictures in it, a failure of the file where none can be seen.
pub async fn look_at_film(
    beholder: &Beholder,
    ffmpeg: &Ffmpeg,
    film: &File,
    cancelled: &CancellationToken,
    seen: impl FnMut(usize, usize),
) -> Result<Seen, UnderstandError> {
    let look = |mut frame| async move { look(beholder, &mut frame, FRAME, cancelled).await };
    let looked = look_at_each(ffmpeg, film, cancelled, look, seen).await?;
    let all: Vec<Seen> = looked.frames.into_iter().map(|(_, seen)| seen).collect();
    Ok(Seen {
        tags: in_several(&all),
        imprint: Imprint::mean(all.iter().map(|seen| &seen.imprint)),
        problems: looked.problems,
    })
}

/// The tags of a film, the likeliest first: each as likely as where it is seen second best.
fn in_several(frames: &[Seen]) -> Vec<SeenTag> {
    let fewest = if frames.len() <= SHORT { 1 } else { FRAMES };
    let mut seen: Vec<&SeenTag> = frames.iter().flat_map(|frame| &frame.tags).collect();
    seen.sort_by(|a, b| {
        a.tag
            .cmp(&b.tag)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    let of_one = seen.chunk_by(|a, b| a.tag == b.tag);
    let tags = of_one.filter_map(|seen| seen.get(fewest - 1));
    let mut tags: Vec<SeenTag> = tags.map(|tag| (*tag).clone()).collect();
    tags.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then(a.tag.cmp(&b.tag))
    });
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(tags: &[(&str, f32)]) -> Seen {
        let tag = |(tag, confidence): &(&str, f32)| SeenTag {
            tag: (*tag).to_owned(),
            confidence: *confidence,
        };
        Seen {
            tags: tags.iter().map(tag).collect(),
            ..Seen::default()
        }
    }

    #[test]
    fn what_is_seen_in_one_frame_alone_is_no_tag_of_a_film() {
        let frames = [
            frame(&[("dog", 0.9), ("beach", 0.7)]),
            frame(&[("dog", 0.6)]),
            frame(&[("snake", 0.8), ("beach", 0.8)]),
            frame(&[("dog", 0.5)]),
        ];
        let told = |frames: &[Seen]| -> Vec<(String, f32)> {
            let tags = in_several(frames).into_iter();
            tags.map(|tag| (tag.tag, tag.confidence)).collect()
        };
        assert_eq!(
            told(&frames),
            [("beach".to_owned(), 0.7), ("dog".to_owned(), 0.6)]
        );
        // Of a film that hardly moves it is all there is.
        assert_eq!(
            told(&frames[2..]),
            [
                ("beach".to_owned(), 0.8),
                ("snake".to_owned(), 0.8),
                ("dog".to_owned(), 0.5)
            ]
        );
        assert_eq!(told(&[]), []);
    }
}
