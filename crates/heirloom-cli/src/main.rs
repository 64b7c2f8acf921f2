//! The `heirloom` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    heirloom_cli::main()
}
