//! Usage errors: those of clap, with tips that are right for perfgate's commands.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use std::ffi::OsString;

/// The error with the commands that have an unknown option, or with the ways to pass a benchmark name that starts with a dash.
/// clap's own advice, to pass it after `--`, is wrong for most commands: there, a benchmark command follows `--`.
pub fn with_suggestions(mut error: Error, whole: &Command, words: impl Iterator<Item = OsString>) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    error.remove(ContextKind::Suggested);
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = argument.split('=').next().unwrap_or_default();
    let owners = owners(whole, name.trim_start_matches('-'));
    let tip = if name.starts_with("--") && !owners.is_empty() {
        let owners: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
        let tip = format!("`{name}` is an option of {}", owners.join(", "));
        error.remove(ContextKind::SuggestedArg); // only similar
        Some(tip)
    } else {
        let command = words.fold(whole, |command, word| command.find_subcommand(word).unwrap_or(command));
        name_with_dash(command)
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

/// How to pass a benchmark name that starts with a dash; `None` for a command without such a name.
fn name_with_dash(command: &Command) -> Option<String> {
    let has_name = command.get_arguments().any(|argument| argument.get_long() == Some("benchmark"));
    let has_command = command.get_positionals().any(clap::Arg::is_last_set);
    let after_dashes = if has_command { String::new() } else { " or `-- -NAME`".to_owned() };
    has_name.then(|| format!("to pass a benchmark name that starts with a dash, use `--benchmark=-NAME`{after_dashes}"))
}

/// The commands that have a long option, with all their words.
fn owners(command: &Command, option: &str) -> Vec<String> {
    let mut found = Vec::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let has_option = sub.get_arguments().any(|argument| argument.get_long() == Some(option));
        let names = has_option.then(|| sub.get_name().to_owned()).into_iter();
        let below = owners(sub, option).into_iter().map(|below| {
            let below = below.split_once(' ').map_or(below.as_str(), |(_, words)| words);
            format!("{} {below}", sub.get_name())
        });
        found.extend(names.chain(below).map(|words| format!("{} {words}", command.get_name())));
    }
    found
}
