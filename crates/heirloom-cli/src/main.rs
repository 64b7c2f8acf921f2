//! The `heirloom` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A confined child gives up what it does not need before anything else of this program runs.
    if let Some(code) = heirloom_cli::enter_confinement() {
        return code;
    }
    heirloom_cli::main()
}
