//! A budget or goal that is on nothing that was measured is an error of the config, framed under its line.

use super::config::Config;
use crate::policy::Problems;
use crate::verdict::Unmatched;
use anyhow::bail;

/// Refuses what matches nothing.
pub fn refuse_unmatched(config: &Config, unmatched: &[Unmatched]) -> anyhow::Result<()> {
    let mut loose = Vec::new();
    for one in unmatched {
        match (one.line, &config.text) {
            (Some(line), Some((name, text))) => {
                let framed = Problems::on_line(name, text, line, "matches-nothing", &one.message, &one.help);
                let coloured = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
                anstream::eprintln!("{}", framed.render(coloured));
            }
            _ => loose.push(format!("{}; {}", one.message, one.help)),
        }
    }
    if let Some(first) = loose.first() {
        bail!("{first}");
    }
    match unmatched {
        [] => Ok(()),
        [one] => bail!("{}: {}", config.policy.place(one.line.unwrap_or(1)), one.message),
        [first, rest @ ..] => {
            bail!("{}: {}; and {} more", config.policy.place(first.line.unwrap_or(1)), first.message, rest.len())
        }
    }
}
