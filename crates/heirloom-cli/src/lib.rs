//! The command line of Heirloom.
//!
//! Every command is a request to the API and a way to show the answer. `api` carries requests to
//! a running server through the socket in the data folder, or to the same router within this process
//! when none runs; commands do not know which. `docs/cli.md` has what they print.

mod api;
mod arguments;
mod command;
mod config;
mod docs;
mod log;
mod output;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use heirloom_server::{Code, Problem};

use arguments::{Arguments, Command};
use config::Config;
use output::Output;

pub use docs::render_commands;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was done.
    Done,
    /// Something was done, and some of it failed or needs attention.
    Partly,
}

/// Threads that answer requests. Reading and hashing have threads of their own.
const WORKERS: usize = 2;

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments::prepare(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) => return refuse_usage(&error),
    };
    let output = Output::new(arguments.global.json);
    match run(arguments, &output) {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Partly) => ExitCode::from(1),
        Err(problem) => {
            output.problem(&problem);
            ExitCode::from(2)
        }
    }
}

/// The command line as clap knows it.
#[must_use]
pub fn command_line() -> clap::Command {
    Arguments::command()
}

fn run(arguments: Arguments, output: &Output) -> Result<Ending, Problem> {
    if let Command::Completions { shell } = arguments.command {
        output.completions(shell);
        return Ok(Ending::Done);
    }
    let listen = match &arguments.command {
        Command::Serve { listen } => *listen,
        _ => None,
    };
    let config = Config::load(&arguments.global, listen)?;
    if let Command::Config(arguments::Config::Show) = arguments.command {
        command::config::show(&config, output);
        return Ok(Ending::Done);
    }
    log::start(&config, matches!(arguments.command, Command::Serve { .. }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| {
            Problem::new(
                Code::Internal,
                format!("no thread could be started: {error}"),
            )
        })?;
    let outcome = runtime.block_on(command::run(arguments.command, &config, output));
    // What still blocks, such as a read from a disk that does not answer, must not keep the command.
    runtime.shutdown_background();
    outcome
}

/// Wrong usage, in clap's words; help and version are none.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let _ = error.print();
    if std::env::args_os().any(|argument| argument == "--json") {
        let words = error.render().to_string();
        let first = words.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("error: ").unwrap_or(first);
        let problem = Problem::new(Code::InvalidRequest, sentence).hint("Try `heirloom help`.");
        Output::new(true).json_problem(&problem);
    }
    ExitCode::from(2)
}
