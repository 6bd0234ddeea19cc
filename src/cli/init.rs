//! `perfgate init`: what perfgate ships, written out to be changed.

use super::output;
use crate::render::template::SHIPPED;
use anyhow::{Context, bail};
use clap::Args;
use std::fs;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  perfgate init --templates                       into .github/perfgate
  perfgate init --templates docs/perf             into a directory of your own";

/// Write out what perfgate ships, to be changed
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArgs {
    /// The templates, into this directory; files that are there stay as they are
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".github/perfgate", required = true)]
    templates: Option<PathBuf>,
}

/// Writes what is not there yet.
pub fn run(args: InitArgs) -> anyhow::Result<u8> {
    let Some(directory) = args.templates else { bail!("say what to write: perfgate init --templates") };
    fs::create_dir_all(&directory).with_context(|| format!("{}: cannot make the directory", directory.display()))?;
    for (name, text) in SHIPPED {
        let path = directory.join(format!("{name}.md.j2"));
        match fs::File::create_new(&path) {
            Ok(mut file) => {
                std::io::Write::write_all(&mut file, text.as_bytes())
                    .with_context(|| format!("{}: cannot write the template", path.display()))?;
                output::note(&format!("wrote {}", path.display()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                output::note(&format!("{} is there already and stays", path.display()));
            }
            Err(error) => return Err(error).with_context(|| format!("{}: cannot write the template", path.display())),
        }
    }
    Ok(0)
}
