//! What a library of the tests starts confined processes from: their own binary has another `main`.

use std::process::ExitCode;

fn main() -> ExitCode {
    heirloom_pipeline::confinement::enter(heirloom_pipeline::jobs()).unwrap_or(ExitCode::FAILURE)
}
