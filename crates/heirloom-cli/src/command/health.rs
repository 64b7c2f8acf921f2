//! `heirloom health`: what a container asks again and again.

use heirloom_server::Problem;
use serde_json::Value as Json;

use crate::{Ending, api::Api, config::Config, output::Output};

/// Asks the server that runs, and never opens the library by itself. Whoever watches a container knows
/// 0 and 1 only, so what is wrong ends with 1 here.
pub(super) async fn ask(config: &Config, output: &Output) -> Ending {
    match ask_server(config).await {
        Ok(answer) => {
            output.data(&answer, || "ready".to_owned());
            Ending::Done
        }
        Err(problem) => {
            output.problem(&problem);
            Ending::Partly
        }
    }
}

async fn ask_server(config: &Config) -> Result<Json, Problem> {
    Api::connect_to_server(config).await?.get("/readyz").await
}
