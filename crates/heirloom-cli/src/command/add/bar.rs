//! How far a file is, where somebody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// A bar for one file after the other; nothing where nobody watches. Clones are the same bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    drawn: ProgressBar,
}

impl Bar {
    pub(super) fn new() -> Self {
        let target = if Output::is_watched() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let drawn = ProgressBar::with_draw_target(Some(0), target);
        // The template is ours and has no mistakes; without it the bar still counts.
        let template =
            "{bar:30} {msg} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            drawn.set_style(style.progress_chars("━╸ "));
        }
        Self { drawn }
    }

    /// A file of that length begins, with so much of it done already.
    pub(super) fn begin(&self, doing: &'static str, size_bytes: u64, done_bytes: u64) {
        self.drawn.reset();
        self.drawn.set_message(doing);
        self.drawn.set_length(size_bytes);
        self.drawn.set_position(done_bytes);
    }

    pub(super) fn advance(&self, bytes: u64) {
        self.drawn.inc(bytes);
    }

    /// Says something without breaking the bar.
    pub(super) fn aside(&self, say: impl FnOnce()) {
        self.drawn.suspend(say);
    }

    pub(super) fn finish(&self) {
        self.drawn.finish_and_clear();
    }
}
