//! Log lines, on standard error.

use std::io::stderr;

use tracing_subscriber::{
    filter::LevelFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{arguments::LogFormat, config::Config};

/// Starts to log. A server tells what it does; a command says what it has to say itself.
pub(crate) fn start(config: &Config, is_server: bool) {
    let usual = if is_server {
        LevelFilter::INFO
    } else {
        LevelFilter::OFF
    };
    let level = config
        .log_level
        .value
        .map_or(usual, LevelFilter::from_level);
    let registry = tracing_subscriber::registry().with(level);
    match config.log_format.value {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(stderr)
                    .with_ansi(false)
                    .with_target(false),
            )
            .init(),
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .with_writer(stderr)
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(false),
            )
            .init(),
    }
}
