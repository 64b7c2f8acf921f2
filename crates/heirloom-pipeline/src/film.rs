//! Films: a poster, a storyboard, a proxy that every browser plays, and the frames that are looked at.

mod each;
mod frames;
mod poster;
mod proxy;
mod still;
mod storyboard;

pub(crate) use each::look_at_each;
pub(crate) use frames::FRAME;
pub use frames::{Frame, see_film};
pub use poster::{Poster, make_poster};
pub use proxy::{FilmProxy, is_playable, make_proxy};
pub use still::make_still;
pub use storyboard::{Storyboard, StoryboardHeader, StoryboardOptions, make_storyboard};

pub(crate) use proxy::sound_arguments;

use std::{
    fs::File,
    io::{self, Seek as _},
};

use heirloom_core::MediaKind;

use crate::{confinement::ConfinementError, probe::PictureStream};

/// Whether a file of that name is a film, by what its bytes say. It stands at its beginning afterwards.
///
/// # Errors
/// When it cannot be read.
pub fn is_film(file: &mut File, name: &str) -> io::Result<bool> {
    let kind = heirloom_media::sniff(file, name)?.kind;
    file.rewind()?;
    Ok(kind == MediaKind::Video)
}

/// The longest side of a frame that is looked at: what is written on a screen is read, and faces are known again.
const LONGEST_SIDE: u32 = 1280;

/// What turns brightness beyond ordinary screens into what these can show, so that it does not look
/// pale: to linear light, to the usual colours, then bent into the range (the curve by John Hable).
const HDR_TO_SDR: &str = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,\
                          zscale=t=bt709:m=bt709:r=tv,format=yuv420p";

/// A filter that gives pictures of that size, with square pixels, in colours of ordinary screens.
/// FFmpeg turns them upright before any filter.
fn upright(picture: &PictureStream, (width, height): (u32, u32)) -> String {
    let half_pictures = if picture.is_interlaced { "yadif," } else { "" };
    let colours = if picture.is_hdr {
        format!(",{HDR_TO_SDR}")
    } else {
        String::new()
    };
    format!("{half_pictures}scale={width}:{height}{colours},setsar=1")
}

/// The largest size of the same proportions whose long side and short side fit.
fn fit((width, height): (u32, u32), long: u32, short: u32) -> (u32, u32) {
    let (is, other) = (u64::from(width.max(height)), u64::from(width.min(height)));
    // The tighter side decides, and nothing is made larger.
    let (over, under) = [(u64::from(long), is), (u64::from(short), other), (1, 1)]
        .into_iter()
        .min_by(|(a, b), (c, d)| (a * d).cmp(&(c * b)))
        .unwrap_or((1, 1));
    let scaled = |side: u32| {
        let side = (u64::from(side) * over + under / 2) / under.max(1);
        u32::try_from(side).unwrap_or(u32::MAX).max(1)
    };
    (scaled(width), scaled(height))
}

/// The same with even sides, which most films have to have.
fn even((width, height): (u32, u32)) -> (u32, u32) {
    ((width & !1).max(2), (height & !1).max(2))
}

fn no_room(error: io::Error) -> ConfinementError {
    ConfinementError::could_not_start("ffmpeg", &error)
}

/// A moment as FFmpeg takes it, in seconds.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_fits_without_being_made_larger() {
        let cases = [
            ((3840, 2160), (1920, 1080)),
            ((2160, 3840), (1080, 1920)),
            ((640, 480), (640, 480)),
            ((4096, 1716), (1920, 804)),
            ((1440, 1440), (1080, 1080)),
            ((65_535, 1), (1920, 1)),
        ];
        for (size, fitted) in cases {
            assert_eq!(fit(size, 1920, 1080), fitted, "{size:?}");
        }
        assert_eq!(even((5, 1)), (4, 2));
    }
}
