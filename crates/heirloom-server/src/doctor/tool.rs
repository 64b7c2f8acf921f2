//! Programs of others that Heirloom starts.

use heirloom_pipeline::confinement::ConfinementError;

use super::{amiss, well};
use crate::{library::Library, wire::Check};

const NAME: &str = "ffmpeg";
/// What films are turned into is asked for in a way that older ones do not know.
const OLDEST: u32 = 5;

/// Whether films and recordings can be shown.
pub(super) async fn check_ffmpeg(library: &Library) -> Check {
    judge(library.engine().ffmpeg().version().await)
}

fn judge(version: Result<String, ConfinementError>) -> Check {
    match version {
        Ok(version) if is_too_old(&version) => amiss(
            NAME,
            format!("FFmpeg {version} is too old"),
            "Install FFmpeg 5 or newer, then `heirloom run start prepare --retry-failed`.",
        ),
        Ok(version) => well(NAME, format!("FFmpeg {version} shows films and recordings")),
        Err(error) => amiss(
            NAME,
            format!("films and recordings are kept, but not shown: {error}"),
            "Install the package ffmpeg, then `heirloom run start prepare --retry-failed`. A server that \
             runs finds it by itself.",
        ),
    }
}

const TESSERACT: &str = "tesseract";

/// Whether pages can be read a second time, and whether somebody chose that.
pub(super) async fn check_tesseract(library: &Library) -> Check {
    let second = library.engine().second_reader();
    judge_tesseract(second.languages(), second.installed().await)
}

fn judge_tesseract(
    wanted: &[String],
    installed: Result<(String, Vec<String>), ConfinementError>,
) -> Check {
    let (version, languages) = match installed {
        Ok(installed) => installed,
        Err(_) if wanted.is_empty() => {
            return well(TESSERACT, "it is not installed, and nothing needs it");
        }
        Err(error) => {
            return amiss(
                TESSERACT,
                format!("no page is read a second time: {error}"),
                "Install the package tesseract-ocr. A server that runs finds it by itself.",
            );
        }
    };
    let list = |names: &[String]| names.join(", ");
    if wanted.is_empty() {
        return well(
            TESSERACT,
            format!(
                "tesseract {version} is here with {}, and reads nothing: `tesseract` in config.toml names languages",
                list(&languages)
            ),
        );
    }
    let missing = wanted.iter().filter(|name| !languages.contains(name));
    match missing.cloned().collect::<Vec<_>>().as_slice() {
        [] => well(
            TESSERACT,
            format!(
                "tesseract {version} reads pages a second time: {}",
                list(wanted)
            ),
        ),
        missing => amiss(
            TESSERACT,
            format!(
                "tesseract {version} does not know {}, so no page is read a second time",
                list(missing)
            ),
            "Install the packages that bring these languages, such as tesseract-ocr-deu, or name others in config.toml.",
        ),
    }
}

/// A version that does not begin with a number was built by hand, and whoever did so knows.
fn is_too_old(version: &str) -> bool {
    let major = version.trim_start_matches('n').split(['.', '-']).next();
    matches!(major.map(str::parse::<u32>), Some(Ok(major)) if major < OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_a_second_time_is_told_of_and_missed_only_where_somebody_chose_it() {
        let missing = || ConfinementError::CouldNotStart {
            program: "tesseract".to_owned(),
            reason: "it is not installed".to_owned(),
        };
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let here = || Ok(("5.3.0".to_owned(), names(&["deu", "eng"])));
        let cases = [
            (names(&[]), here(), true),
            (names(&[]), Err(missing()), true),
            (names(&["deu"]), here(), true),
            (names(&["deu"]), Err(missing()), false),
            (names(&["deu", "fra"]), here(), false),
        ];
        for (wanted, installed, is_well) in cases {
            let check = judge_tesseract(&wanted, installed);
            assert_eq!(check.is_well, is_well, "{check:?}");
            assert_eq!(check.hint.is_some(), !is_well, "{check:?}");
        }
    }

    #[test]
    fn what_shows_films_is_there_and_new_enough_or_it_is_said_what_to_install() {
        let missing = ConfinementError::CouldNotStart {
            program: "ffmpeg".to_owned(),
            reason: "it is not installed; the package that brings it is called ffmpeg".to_owned(),
        };
        let cases = [
            (Ok("5.1.8-0+deb12u1"), true),
            (Ok("7.0.2"), true),
            (Ok("n8.0"), true),
            (Ok("N-117000-g1a2b3c4"), true),
            (Ok("4.4.2-0ubuntu0.22.04.1"), false),
            (Err(missing), false),
        ];
        for (version, is_well) in cases {
            let check = judge(version.map(str::to_owned));
            assert_eq!(check.is_well, is_well, "{check:?}");
            assert_eq!(check.hint.is_some(), !is_well, "{check:?}");
        }
    }
}
