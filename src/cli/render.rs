//! `perfgate render`: fills a template from a saved comparison.

use super::{facts, output, plots};
use crate::io::project::is_package;
use crate::io::regular;
use crate::io::replace;
use crate::io::repository::Repository;
use crate::policy::Problems;
use crate::render::template::{BUILT_IN, Parts, Template, of_service};
use crate::render::{counted, report_page};
use crate::verdict::{FORMAT, Report, VERSION};
use anyhow::{Context, bail};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  perfgate compare old new --save comparison.json
  perfgate render comparison.json --template pr > body.md
      text for the pull request
  perfgate render comparison.json --template pr --into body.md
      update only perfgate's sections
  perfgate render comparison.json --template .github/perf.md.j2
      a template of your own
  perfgate render comparison.json --plots pictures
      SVG charts
  perfgate render comparison.json --html report.html
      the page with all findings";

/// Fill a template from a saved comparison
///
/// The built-in templates are pr, library, issue, report, comment and summary; any other name is a file in Jinja syntax. `pr`
/// has sections for a service (database, cache, deployment); `library` is a pull request of a package. `perfgate init
/// --templates` writes copies of the built-in ones, and docs/templates.md lists the fields of a template.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RenderArgs {
    /// File that `perfgate compare --save` wrote
    #[arg(value_name = "COMPARISON")]
    comparison: PathBuf,
    /// Template: pr, library, issue, report, comment, summary, or your own file [default: library in the repository of a
    /// package without load tests, database or deployment, else pr]
    #[arg(long, value_name = "NAME|FILE")]
    template: Option<String>,
    /// Update perfgate's sections in this file and keep all other text
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Write charts to a directory, as SVG: all changes, and the samples of each benchmark
    #[arg(long, value_name = "DIR")]
    plots: Option<plots::Directory>,
    /// Write the report to a file, as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Renders; the exit code does not depend on the verdict.
pub fn run(args: RenderArgs) -> anyhow::Result<u8> {
    let template = args.template.as_deref().map(template).transpose()?;
    let report = read(&args.comparison)?;
    if let Some(directory) = &args.plots {
        plots::write_report(directory, &report)?;
    }
    if let Some(path) = &args.html {
        output::file(path, report_page(&report).as_bytes())?;
    }
    let template = match template {
        Some(template) => template,
        None if (args.plots.is_some() || args.html.is_some()) && args.into.is_none() => return Ok(0),
        None => fitting(&report)?,
    };
    let document = fill(&template, &report)?;
    match &args.into {
        None => output::print(document.as_bytes())?,
        Some(path) => into(&template, &document, path)?,
    }
    Ok(0)
}

/// The pull request template that fits the results and the repository.
fn fitting(report: &Report) -> anyhow::Result<Template> {
    let repository = Repository::discover(Path::new(".")).ok();
    let root = repository.as_ref().and_then(Repository::root).unwrap_or(Path::new("."));
    let (name, other) = if !of_service(report) && is_package(root) { ("library", "pr") } else { ("pr", "library") };
    output::note(&format!("using the template `{name}`; --template {other} selects the other one for pull requests"));
    template(name)
}

/// A built-in template, or one from a file.
pub fn template(word: &str) -> anyhow::Result<Template> {
    if let Some(template) = Template::built_in(word) {
        return Ok(template);
    }
    let names = BUILT_IN.map(|(name, _)| name).join(", ");
    let path = Path::new(word);
    if !path.exists() && !word.contains(['/', '.']) {
        bail!("{word}: no such template or file; the built-in templates are {names}");
    }
    let text = regular::read_text(path).with_context(|| format!("{word}: cannot read the template"))?;
    Ok(Template { name: word.to_owned(), text })
}

/// The filled template; errors in it are printed framed under their lines.
pub fn fill(template: &Template, report: &Report) -> anyhow::Result<String> {
    template.render(report).map_err(|problems| {
        output::frame(&problems);
        anyhow::anyhow!("{}: the template cannot be filled", template.name)
    })
}

/// Checks that a template can be filled; errors in it are printed framed under their lines.
pub fn check(template: &Template, fields: &BTreeMap<String, String>) -> anyhow::Result<()> {
    template.check(fields).map_err(|problems| {
        output::frame(&problems);
        anyhow::anyhow!("{}; the template cannot be filled", problems.first_line())
    })
}

/// Reads a saved comparison.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let name = path.display();
    let unreadable = || format!("{name}: cannot read the comparison");
    let bytes = regular::read(path).with_context(unreadable)?;
    let bytes = regular::without_mark(&bytes).with_context(unreadable)?;
    let head: FormatHeader = serde_json::from_slice(bytes)
        .ok()
        .filter(|head: &FormatHeader| head.format == FORMAT)
        .with_context(|| format!("{name} is not a comparison file; `perfgate compare … --save FILE` writes one"))?;
    if head.version > VERSION {
        bail!(
            "{name} is a comparison of version {}, and this perfgate reads up to version {VERSION}; use a newer perfgate",
            head.version
        );
    }
    let mut report: Report =
        serde_json::from_slice(bytes).with_context(|| format!("{name}: the comparison is damaged; create it again"))?;
    facts::complete_saved(&mut report);
    Ok(report)
}

#[derive(serde::Deserialize)]
struct FormatHeader {
    format: String,
    version: u32,
}

fn into(template: &Template, document: &str, path: &Path) -> anyhow::Result<()> {
    let name = path.display().to_string();
    if !path.exists() {
        bail!("{name}: no such file; write it first, with `perfgate render … > {name}`");
    }
    let body = regular::read_to_string(path).with_context(|| format!("{name}: cannot read the document"))?;
    let framed = |name: &str, text: &str, error: crate::render::template::PartError| {
        output::frame(&Problems::on_line(name, text, error.line, "part", &error.message, &error.help));
        anyhow::anyhow!("{name}:{}: {}; nothing was written", error.line, error.message)
    };
    let parts = Parts::of(document).map_err(|error| framed(&template.name, document, error))?;
    let updated = parts.update_in(&body).map_err(|error| framed(&name, &body, error))?;
    if updated.text != body {
        replace::write(path, updated.text.as_bytes())
            .with_context(|| format!("{name}: cannot write the document; it is unchanged"))?;
    }
    let absent = match updated.absent.as_slice() {
        [] => String::new(),
        names => format!("; it has no section for {}", names.join(", ")),
    };
    output::note(&format!("{name}: {} updated{absent}", counted(updated.updated, "section")));
    Ok(())
}
