//! `perfgate init`: writes editable copies of the built-in config, workflows and templates. Existing files stay unchanged.

use super::output;
use crate::gate::{Config, Gate};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::render::template::BUILT_IN;
use anyhow::{Context, bail};
use clap::Args;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  perfgate init                        perfgate.toml with the defaults
  perfgate init --github               also the workflows for GitHub Actions
  perfgate init --github --pages       and one that publishes the history
  perfgate init --templates            the templates, into .github/perfgate
  perfgate init --templates docs/perf  the templates, into another directory";

/// Write editable copies of the built-in config, workflows and templates
///
/// Existing files stay unchanged. `--github` writes two workflows into .github/workflows. In perfgate.yml, one job runs the
/// benchmarks without a secret (in pull requests on base and head in turn), and another one records, compares and comments.
/// perfgate-forks.yml compares and comments for pull requests from forks and Dependabot. Comments in these files explain each
/// permission.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArgs {
    /// Write the workflows for GitHub Actions, and perfgate.toml
    #[arg(long)]
    github: bool,
    /// Also write the workflow that publishes the page of `perfgate history --site` on GitHub Pages
    #[arg(long, requires = "github")]
    pages: bool,
    /// Action that the workflows use [default: the released one, @v1]
    #[arg(long, value_name = "OWNER/NAME@REF", requires = "github", value_parser = action)]
    action: Option<String>,
    /// Write the templates into this directory [default: .github/perfgate]
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".github/perfgate", conflicts_with = "github")]
    templates: Option<PathBuf>,
}

const CONFIG: &str = include_str!("../../templates/perfgate.toml");
const WORKFLOWS: [(&str, &str); 2] = [
    ("perfgate.yml", include_str!("../../templates/github/perfgate.yml")),
    ("perfgate-forks.yml", include_str!("../../templates/github/perfgate-forks.yml")),
];
const PAGES: (&str, &str) = ("perfgate-pages.yml", include_str!("../../templates/github/perfgate-pages.yml"));
/// GitHub's own actions that the workflows use, by commit, because a tag can be moved.
const PINNED: [(&str, &str); 6] = [
    ("CHECKOUT", "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"),
    ("UPLOAD", "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0"),
    ("PAGES_SETUP", "actions/configure-pages@983d7736d9b0ae728b81ab479565c72886d7745b # v5.0.0"),
    ("PAGES_UPLOAD", "actions/upload-pages-artifact@fc324d3547104276b827a68afc52ff2a11cc49c9 # v5.0.0"),
    ("PAGES_DEPLOY", "actions/deploy-pages@cd2ce8fcbc39b97be8ca5fce6e763baed58fa128 # v5.0.0"),
    ("DOWNLOAD", "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0"),
];
/// The repository that this program was released from; unknown in local builds.
const RELEASED_FROM: Option<&str> = option_env!("GITHUB_REPOSITORY");

/// Writes the files that do not exist yet.
pub fn run(args: InitArgs) -> anyhow::Result<u8> {
    if let Some(directory) = args.templates {
        for (name, text) in BUILT_IN {
            write(&directory.join(format!("{name}.md.j2")), text)?;
        }
        return Ok(0);
    }
    let root = Repository::discover(Path::new(".")).ok().and_then(|repository| repository.root().map(Path::to_owned));
    let next = match &root {
        None if args.github => bail!("this is not a git repository, so it cannot have workflows; run `git init` first"),
        Some(root) if args.github => {
            let gate = Gate::new(Config::nearest()?, None, None);
            let branch = gate.repository().and_then(|repository| repository.default_branch());
            let branch = branch.unwrap_or_else(|_| "main".to_owned());
            let action = args.action.unwrap_or_else(|| format!("{}@v1", RELEASED_FROM.unwrap_or("OWNER/perfgate")));
            for (name, text) in WORKFLOWS.into_iter().chain(args.pages.then_some(PAGES)) {
                let text = filled(text, &branch, &action);
                write(&root.join(".github/workflows").join(name), &text)?;
            }
            if action.starts_with("OWNER/") {
                output::note("replace OWNER in the workflows with the owner of the perfgate repository that you use");
            }
            format!(
                "next: if `cargo bench` does not run your benchmarks, change `command` in .github/workflows/perfgate.yml. Then \
                 commit and push these files: each push to {branch} records a baseline, and pull requests measure base and head in turn"
            )
        }
        Some(_) => "next: run the benchmarks and `perfgate record` on the default branch, then run them and `perfgate compare` on \
                    another branch. `perfgate init --github` writes the workflows for GitHub Actions"
            .to_owned(),
        None => {
            "next: `perfgate compare OLD NEW` compares two result files; storing runs needs a git repository".to_owned()
        }
    };
    write(&root.unwrap_or_default().join("perfgate.toml"), CONFIG)?;
    output::note(&next);
    Ok(0)
}

/// A workflow with its placeholders replaced.
fn filled(text: &str, branch: &str, action: &str) -> String {
    // A branch name can be any text that git allows, so in YAML it is quoted unless it is a plain word.
    let plain = branch.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/'));
    let quoted = if plain { branch.to_owned() } else { format!("'{}'", branch.replace('\'', "''")) };
    let text = text.replace("[DEFAULT_BRANCH]", &format!("[{quoted}]"));
    let commit = action.rsplit('@').next().is_some_and(|reference| Commit::parse(reference).is_some());
    let why = if commit { "" } else { " # zizmor: ignore[unpinned-uses] a tag gets fixes; a commit id pins it" };
    let text = text
        .replace("to DEFAULT_BRANCH", "to the default branch")
        .replace("on DEFAULT_BRANCH", "on the default branch")
        .replace(": ACTION", &format!(": {action}{why}"));
    PINNED.iter().fold(text, |text, (place, pin)| {
        let bare = pin.split(" #").next().unwrap_or(pin);
        text.replace(&format!(": {place} #"), &format!(": {bare} #"))
            .replace(&format!(": {place}"), &format!(": {pin}"))
    })
}

fn action(word: &str) -> Result<String, String> {
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    let parts = word.split_once('@').filter(|(name, reference)| plain(name) && name.contains('/') && plain(reference));
    parts.map(|_| word.to_owned()).ok_or_else(|| "write it as OWNER/perfgate@v1".to_owned())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let shown = path.display();
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("{}: cannot create the directory", parent.display()))?;
    }
    match fs::File::create_new(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).with_context(|| format!("{shown}: cannot write the file"))?;
            output::note(&format!("wrote {shown}"));
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            output::note(&format!("{shown} exists and stays unchanged"));
        }
        Err(error) => return Err(error).with_context(|| format!("{shown}: cannot write the file")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_of_a_workflow_is_replaced() {
        for (name, text) in WORKFLOWS.into_iter().chain([PAGES]) {
            let text = filled(text, "main", "octo/perfgate@v1");
            for place in ["DEFAULT_BRANCH", "CHECKOUT", "UPLOAD", "DOWNLOAD", "PAGES", "ACTION"] {
                assert!(!text.contains(place), "{name} has {place}");
            }
            assert!(text.contains("uses: octo/perfgate@v1 #"));
        }
        let text = filled(WORKFLOWS[0].1, "it's: here", "octo/perfgate@v1");
        assert!(text.contains("branches: ['it''s: here']"));
    }

    #[test]
    fn an_action_is_a_repository_and_a_ref() {
        assert!(action("octo/perfgate@v1").is_ok());
        for wrong in ["octo/perfgate", "perfgate@v1", "octo/perfgate@", "o/p@v1\n- run: x", ""] {
            assert!(action(wrong).is_err(), "{wrong:?}");
        }
    }
}
