//! What was typed, before clap reads it.

use std::ffi::OsString;

use clap::CommandFactory as _;

use super::Arguments;

/// What was typed, in the form in which clap takes it.
///
/// A word of a search that begins with a minus looks like an option to clap. It is given the minus sign
/// of mathematics, which the query language reads as well, so that options keep their meaning before and
/// after it.
pub(crate) fn prepare(typed: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let command = Arguments::command();
    let search = command.find_subcommand("search");
    let options: Vec<&clap::Arg> = command
        .get_arguments()
        .chain(search.into_iter().flat_map(clap::Command::get_arguments))
        .collect();
    let takes_value = |word: &str| {
        let name = word.strip_prefix("--");
        name.is_some_and(|name| {
            options
                .iter()
                .any(|it| it.get_long() == Some(name) && it.get_action().takes_values())
        })
    };
    let (mut is_value, mut is_search, mut is_over) = (true, false, false);
    let mut prepared = Vec::new();
    for word in typed {
        let text = word.to_str().unwrap_or_default();
        let was_value = std::mem::replace(&mut is_value, takes_value(text));
        match text.strip_prefix('-') {
            // The program's own name, what belongs to the option before, what follows a `--`.
            _ if was_value || is_over => is_value = false,
            Some("-") => is_over = true,
            Some(rest)
                if is_search && !rest.is_empty() && rest != "h" && !rest.starts_with('-') =>
            {
                prepared.push(format!("\u{2212}{rest}").into());
                continue;
            }
            Some(_) => {}
            None if is_search => {}
            None if text == "search" => is_search = true,
            None => is_over = true,
        }
        prepared.push(word);
    }
    prepared
}
