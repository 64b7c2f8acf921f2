//! The commands as a document: the part of `docs/cli.md` that comes from the command line itself.

use clap::{Arg, Command};

/// Every command with its arguments, as Markdown.
#[must_use]
pub fn render_commands() -> String {
    let mut command = crate::command_line();
    command.build();
    let mut text = String::new();
    render(&command, &mut text);
    text
}

fn render(command: &Command, text: &mut String) {
    let mut children: Vec<&Command> = command
        .get_subcommands()
        .filter(|child| child.get_name() != "help")
        .collect();
    if children.is_empty() {
        render_leaf(command, text);
    }
    children.sort_by_key(|child| child.get_display_order());
    for child in children {
        render(child, text);
    }
}

fn render_leaf(command: &Command, text: &mut String) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim().to_owned();
    text.push_str(&format!("### `{usage}`\n\n"));
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        text.push_str(&format!(
            "{}.\n\n",
            escape(&about.to_string()).trim_end_matches('.')
        ));
    }
    let own = |argument: &&Arg| {
        !argument.is_global_set() && !matches!(argument.get_id().as_str(), "help" | "version")
    };
    let mut has_arguments = false;
    for argument in command.get_arguments().filter(own) {
        has_arguments = true;
        let about = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let default = match argument.get_default_values() {
            [value]
                if !argument.is_hide_default_value_set()
                    && argument.get_action().takes_values() =>
            {
                format!(" [{}]", value.to_string_lossy())
            }
            _ => String::new(),
        };
        let about = escape(&about);
        text.push_str(&format!("- `{}`: {about}{default}\n", name(argument)));
    }
    if has_arguments {
        text.push('\n');
    }
}

fn name(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map(|name| name.to_string());
    match (argument.get_long(), value) {
        (Some(long), Some(value)) if argument.get_action().takes_values() => {
            format!("--{long} {value}")
        }
        (Some(long), _) => format!("--{long}"),
        (None, value) => value.unwrap_or_else(|| argument.get_id().to_string()),
    }
}

/// What Markdown would take for something else.
fn escape(text: &str) -> String {
    text.replace('*', "\\*").replace('<', "\\<")
}
