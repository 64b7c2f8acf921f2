//! Recordings: how loud they are over time, and a proxy that every browser plays.

mod proxy;
mod waveform;

pub use proxy::{SoundProxy, is_playable, make_proxy};
pub use waveform::{Waveform, make_waveform};
