//! How far something is: a bar where somebody watches, a line now and then where a program does.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// What is shown while something goes on.
#[derive(Debug)]
pub(super) enum Bar {
    Drawn(ProgressBar),
    Lines {
        output: Output,
        last: Instant,
        was_said: bool,
    },
}

/// How often a line is written where no bar can be drawn.
const LINE_PAUSE: Duration = Duration::from_secs(10);

impl Bar {
    pub(super) fn new(output: Output) -> Self {
        if !Output::is_watched() {
            return Self::Lines {
                output,
                last: Instant::now(),
                was_said: false,
            };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        // The template is ours and has no mistakes; without it the bar still counts.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self::Drawn(bar)
    }

    /// Words alone, of what goes on without a known end.
    pub(super) fn of_words(output: Output) -> Self {
        let bar = Self::new(output);
        if let Self::Drawn(bar) = &bar
            && let Ok(style) = ProgressStyle::with_template("{msg}")
        {
            bar.set_style(style);
        }
        bar
    }

    /// Prints something else meanwhile.
    pub(super) fn beside(&self, print: impl FnOnce()) {
        match self {
            Self::Drawn(bar) => {
                bar.set_message("");
                bar.suspend(print);
            }
            Self::Lines { .. } => print(),
        }
    }

    /// Shows how far it is: so much of so much, and in words.
    pub(super) fn show(&mut self, done: u64, all: u64, words: String) {
        match self {
            Self::Drawn(bar) => {
                bar.set_length(all.max(1));
                bar.set_position(done);
                bar.set_message(words);
            }
            Self::Lines {
                output,
                last,
                was_said,
            } => {
                if last.elapsed() >= LINE_PAUSE {
                    output.say(&words);
                    *last = Instant::now();
                    *was_said = true;
                }
            }
        }
    }

    /// Says something without breaking the bar.
    pub(super) fn say(&self, words: &str) {
        match self {
            Self::Drawn(bar) => bar.println(words),
            Self::Lines { output, .. } => output.say(words),
        }
    }

    /// Takes the bar away; what was found is told in words.
    pub(super) fn finish(self) {
        if let Self::Drawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}
