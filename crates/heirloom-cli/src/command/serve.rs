//! `heirloom serve`

use heirloom_server::{Library, LibraryConfig, Problem, serve as serve_library};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{Ending, command::signal::Ends, config::Config, output::Output};

/// Serves until a signal comes, then lets go of everything in order.
pub(super) async fn serve(config: &Config, output: &Output) -> Result<Ending, Problem> {
    let mut ends = Ends::listen();
    let library = Library::open(&LibraryConfig {
        folder: config.data.value.clone(),
        database: config.database.value.clone(),
        is_creating: true,
        confined_program: None,
        uploads: config.upload_limits(),
        store: config.store(),
        ipfs: config.ipfs.settings(),
        models: config.models(),
    })
    .await?;
    let stop = CancellationToken::new();
    let (listen, scrub_rate) = (config.listen.value, config.scrub_rate.value.0);
    let serving = serve_library(&library, listen, scrub_rate, &stop, |address| {
        let address = format!("http://{address}");
        output.data(&json!({ "address": address }), || {
            format!("Heirloom is at {address}")
        });
        tell_starter(&sd_notify::NotifyState::Ready);
    });
    let outcome = {
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            outcome = &mut serving => outcome,
            () = ends.wait() => {
                tell_starter(&sd_notify::NotifyState::Stopping);
                stop.cancel();
                serving.await
            }
        }
    };
    library.close().await;
    outcome.map(|()| Ending::Done)
}

/// Tells systemd, if that started this process. That it cannot be told is no reason not to serve.
fn tell_starter(state: &sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "systemd could not be told that the server is ready or stops");
    }
}
