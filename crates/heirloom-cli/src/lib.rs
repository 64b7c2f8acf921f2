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
    /// Nothing of it was done; why was said.
    Refused,
}

/// Threads that answer requests. Reading and hashing have threads of their own.
const WORKERS: usize = 2;

/// Does what a confined child of this program is there for; `None` where this is no such child.
pub fn enter_confinement() -> Option<ExitCode> {
    heirloom_pipeline::confinement::enter(heirloom_pipeline::jobs())
}

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
        Ok(Ending::Refused) => ExitCode::from(2),
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
    if let Command::Manual { folder } = &arguments.command {
        return command::manual::write(folder, output);
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

/// Wrong usage, in clap's words and in the form of every refusal; help and version are none.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let is_json = std::env::args_os().any(|argument| argument == "--json");
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        // Whoever types `heirloom asset` asks what can follow.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !is_json => {
            let _ = error.print();
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let problem = Problem::new(Code::InvalidRequest, "a command is missing");
            Output::new(is_json).problem(&problem.hint("Try `heirloom help`."));
        }
        _ => Output::new(is_json).problem(&explain_usage(&error.render().to_string())),
    }
    ExitCode::from(2)
}

/// What clap says, as a sentence and a hint. It is given as paragraphs: what is wrong, tips, the usage,
/// where to find more.
fn explain_usage(words: &str) -> Problem {
    let paragraphs = words.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    let (mut sentence, mut hints) = (String::new(), Vec::new());
    for paragraph in paragraphs {
        if let Some(what) = paragraph.strip_prefix("error: ") {
            what.clone_into(&mut sentence);
        } else if let Some(tip) = paragraph.strip_prefix("tip: ") {
            hints.push(format!("{tip}."));
        } else if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            hints.push(format!("Usage: {usage}"));
        }
    }
    if hints.is_empty() {
        hints.push("Try `heirloom help`.".to_owned());
    }
    Problem::new(Code::InvalidRequest, sentence).hint(hints.join(" "))
}
