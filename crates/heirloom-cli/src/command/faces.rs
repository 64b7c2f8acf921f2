//! `heirloom faces`

use heirloom_core::face::Face;
use heirloom_pipeline::{
    Ffmpeg,
    confinement::Confinement,
    faces::{FaceFinder, find_in_film},
    film::is_film,
    tool::faces::Seen,
};
use heirloom_server::Problem;
use tokio_util::sync::CancellationToken;

use super::{
    bar::Bar,
    read::{explain, open, pictures},
    signal::stoppable,
};
use crate::{
    Ending, arguments,
    config::Config,
    output::{Output, moment, stretch},
};

/// Finds the faces of a picture or film, which need not be in a library. Nothing is kept.
pub(super) async fn run(
    asked: &arguments::Faces,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    let mut input = open(&asked.file, "a picture or a film")?;
    let store = config.models().open(&config.data.value);
    let confinement = Confinement::of_this_program();
    let finder = FaceFinder::open(&confinement, &store)?;
    let name = asked.file.file_name().unwrap_or_default().to_string_lossy();
    let stop = CancellationToken::new();
    let mut bar = Bar::new(*output);
    let found = match is_film(&mut input, &name).is_ok_and(|it| it) {
        true => {
            let ffmpeg = Ffmpeg::new(confinement, std::env::temp_dir());
            let looking = find_in_film(&finder, &ffmpeg, &input, &stop, pictures(&mut bar));
            stoppable(looking, &stop).await
        }
        false => stoppable(finder.find(&mut input, &name, &stop), &stop).await,
    };
    bar.finish();
    let found = found.map_err(explain(&asked.file, "A picture or a film is needed."))?;
    let seen = Seen::by(finder.model(), found);
    output.data(&seen, || {
        let faces = seen.faces.faces.iter();
        let lines = faces.map(face_line);
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

fn face_line(face: &Face) -> String {
    let seen = when(face.at_ms, &face.moments).map(|seen| seen + "; ");
    seen.unwrap_or_default() + &in_words(face.area.shares(), face.quality)
}

/// When a face is seen in a film: best, and how often from when to when.
pub(super) fn when(at_ms: Option<u64>, moments: &[u64]) -> Option<String> {
    let best = moment(at_ms?);
    Some(match moments {
        [first, .., last] => {
            let times = moments.len();
            format!("{best}, {times} times in {}", stretch(*first, *last))
        }
        _ => best,
    })
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
