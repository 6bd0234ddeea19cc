//! `perfgate ci`: what the Action runs. Depending on the event and the inputs it records results (on a baseline
//! branch), or compares and publishes them.

mod inputs;
mod issues;
mod job_names;
mod notices;
mod packed;
mod plan;
mod publication;
mod reporter;
mod site;
mod work;

use super::{Global, bench_args, output};
use crate::gate::Gate;
use crate::io::github::event::{Event, EventError};
use crate::io::secrets;
use crate::render::escape;
use anyhow::Context;
use clap::Args;
use inputs::Inputs;
use plan::CiPlan;
use reporter::JobReporter;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  perfgate ci
      in a GitHub workflow
  perfgate ci --event pull_request --event-path event.json --dry-run
      try it locally

Each input of the action is an environment variable: `fail-on` is
PERFGATE_FAIL_ON, `working-directory` is PERFGATE_WORKING_DIRECTORY, and so on.
`github-token` is GITHUB_TOKEN. docs/github.md#inputs explains all inputs.";

/// Run the GitHub Action: record, or compare and publish, depending on the event
///
/// The results of a push to a baseline branch are stored, pushed, and compared with the stored runs of the commits before it. A
/// pull request or merge group is compared with its base (with PERFGATE_COMMAND, both are measured), and the report is
/// published.
///
/// With PERFGATE_PUBLISH=false, the results are only packed into a file. Another job reads that file (PERFGATE_ARTIFACT), records
/// or compares the results, and publishes the report. For pull requests from forks, that job is in a workflow on workflow_run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CiArgs {
    /// Name of the event [default: the variable GITHUB_EVENT_NAME]
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// JSON file of the event [default: the variable GITHUB_EVENT_PATH]
    #[arg(long, value_name = "FILE")]
    event_path: Option<PathBuf>,
    /// Print what would be done; do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Handles the event; an error is also reported in the job summary.
pub fn run(args: CiArgs, global: &Global) -> anyhow::Result<u8> {
    bench_args::hide_secrets();
    let job = JobReporter::of(&|name| variable(name));
    handle(args, global, &job).inspect_err(|error| job.failure(error))
}

fn handle(args: CiArgs, global: &Global, reporter: &JobReporter) -> anyhow::Result<u8> {
    let name = args.event.or_else(|| variable("GITHUB_EVENT_NAME")).ok_or(EventError::Unset("GITHUB_EVENT_NAME"))?;
    let path = args.event_path.or_else(|| variable("GITHUB_EVENT_PATH").map(PathBuf::from));
    let path = path.ok_or(EventError::Unset("GITHUB_EVENT_PATH"))?;
    let inputs = Inputs::read(&|name| variable(name))?;
    secrets::use_only(inputs.credentials.clone());
    let event = Event::read(&name, &path, &|name| variable(name))?;
    if let Some(directory) = &inputs.directory {
        std::env::set_current_dir(directory)
            .with_context(|| format!("working-directory: cannot change to {}", directory.display()))?;
    }
    let global = Global { color: global.color, config: inputs.config.clone().or_else(|| global.config.clone()) };
    let mut config = global.config()?;
    config.policy = inputs.apply(config.policy, inputs.counts_instructions);
    let gate = Gate::new(config, inputs.store.as_deref(), None);
    let gate = gate.with_given(inputs.gate.given().into_iter().chain(global.given()));
    let is_bucket = gate.store_url().contains("://");
    let clouds = secrets::clouds_of_environment();
    if is_bucket && !clouds.is_empty() && inputs.credentials.is_empty() {
        output::note(&format!(
            "ignored: {}; pass the credentials of the store in the input store-credentials",
            clouds.join(", ")
        ));
    }
    if let Some(directory) = &inputs.site {
        let job = work::CiJob { event: &event, inputs: &inputs, gate: &gate, reporter };
        return job.write_site(directory, &global, args.dry_run);
    }
    let may_fetch = inputs.token.is_some() && !args.dry_run;
    let plan = CiPlan::make(&event, &inputs, gate.policy(), may_fetch)?;
    if args.dry_run {
        output::print(plan.describe(&event, &inputs, &gate).as_bytes())?;
        return Ok(0);
    }
    let job = work::CiJob { event: &event, inputs: &inputs, gate: &gate, reporter };
    match plan {
        CiPlan::Record { branch } if inputs.artifact.is_some() => job.record_artifact(&branch),
        CiPlan::Record { branch } => job.record(&branch),
        CiPlan::Judge(task) if inputs.artifact.is_some() => job.judge_artifact(&task),
        CiPlan::Judge(task) => job.judge(&task),
        CiPlan::Pack(task) => job.pack_only(&task),
        CiPlan::JudgeWorkflowRun(run) => job.judge_workflow_run(&run),
        CiPlan::Nothing(why) => {
            output::note(&format!("nothing to do: {}", escape::terminal(&why)));
            reporter.outputs(&[("verdict", "neutral".to_owned())]);
            Ok(0)
        }
    }
}

/// An environment variable, unless it is empty.
fn variable(name: &str) -> Option<String> {
    secrets::variable(name).filter(|value| !value.is_empty())
}
