//! `heirloom manual`

use std::path::Path;

use heirloom_server::{Code, Problem};
use serde_json::json;

use crate::{Ending, output::Output};

/// Writes a page for each command.
///
/// # Errors
/// What the operating system says of the folder.
pub(crate) fn write(folder: &Path, output: &Output) -> Result<Ending, Problem> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(crate::command_line(), folder))
        .map_err(|error| {
            let shown = folder.display();
            Problem::new(
                Code::Unavailable,
                format!("the pages cannot be written to {shown}: {error}"),
            )
            .hint("Name a folder that may be written to.")
        })?;
    let shown = folder.display().to_string();
    output.data(&json!({ "folder": shown }), || {
        format!("the pages are in {shown}")
    });
    Ok(Ending::Done)
}
