//! Errors in the use of the command line: those of clap, with suggestions that can work.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// The error with the commands that have an unknown option, and without the advice to pass it as a value: no command of perfgate
/// takes one that begins with a dash, except after `--` or `=`.
pub fn with_suggestions(mut error: Error, whole: &Command) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    error.remove(ContextKind::Suggested);
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = argument.split('=').next().unwrap_or_default();
    let owners = owners(whole, name.trim_start_matches('-'));
    if name.starts_with("--") && !owners.is_empty() {
        let owners: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
        let tip = StyledStr::from(format!("`{name}` is an option of {}", owners.join(", ")));
        error.remove(ContextKind::SuggestedArg); // only similar
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
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
