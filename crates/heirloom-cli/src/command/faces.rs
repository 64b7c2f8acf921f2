//! `heirloom faces`

use heirloom_pipeline::{
    confinement::Confinement,
    faces::{FaceFinder, FacesError, Found},
    tool::faces::Seen,
};
use heirloom_server::Problem;
use tokio_util::sync::CancellationToken;

use super::{read::open, signal::Ends};
use crate::{Ending, arguments, config::Config, output::Output};

/// Finds the faces of a picture, which need not be in a library. Nothing is kept.
pub(super) async fn run(
    asked: &arguments::Faces,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let mut input = open(&asked.file, "a picture")?;
    let store = config.models().open(&config.data.value);
    let finder = FaceFinder::open(&Confinement::of_this_program(), &store)?;
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let found = look(&finder, &mut input, &name).await;
    let found = found.map_err(|error| match error {
        FacesError::Confinement(_) | FacesError::NoPicture(_) => {
            let said = format!("{}: {error}", asked.file.display());
            Problem::new(Problem::from(error).code(), said).hint("A picture is needed.")
        }
        error => error.into(),
    })?;
    let seen = Seen::by(finder.model(), found);
    output.data(&seen, || {
        let faces = seen.faces.faces.iter();
        let lines = faces.map(|face| in_words(face.area.shares(), face.quality));
        lines.collect::<Vec<_>>().join("\n")
    });
    for problem in &seen.problems {
        output.say(problem);
    }
    if seen.faces.faces.is_empty() {
        output.say(NONE);
    }
    Ok(Ending::Done)
}

/// What is said where there are none.
pub(super) const NONE: &str = "No face was found in it.";

/// Where a face is, and how well it is seen.
pub(super) fn in_words([left, top, width, height]: [f64; 4], quality: f32) -> String {
    let [left, top, width, height] = [left, top, width, height].map(|share| share * 100.0);
    format!(
        "{left:.0} % from the left, {top:.0} % from the top, {width:.0} × {height:.0} %; quality {:.0} %",
        quality * 100.0
    )
}

/// Looks until it is done, or somebody no longer wants that.
async fn look(
    finder: &FaceFinder,
    input: &mut std::fs::File,
    name: &str,
) -> Result<Found, FacesError> {
    let stop = CancellationToken::new();
    let mut ends = Ends::listen();
    let looking = finder.find(input, name, &stop);
    tokio::pin!(looking);
    tokio::select! {
        found = &mut looking => found,
        () = ends.wait() => {
            stop.cancel();
            looking.await
        }
    }
}
