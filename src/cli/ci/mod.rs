//! `perfgate ci`: what the Action runs. The event and the inputs choose among what the other commands do: record on the
//! default branch, judge and publish elsewhere. Here is the story; what each step is, is for the files beside this one.

mod fork;
mod inputs;
mod plan;
mod tell;
mod work;

use super::{Global, output};
use crate::gate::Gate;
use crate::io::github::event::{Event, EventError};
use anyhow::Context;
use clap::Args;
use inputs::Inputs;
use plan::Plan;
use std::path::PathBuf;
use tell::Told;

const EXAMPLES: &str = "\
Examples:
  perfgate ci                                                          in a workflow: the event is GitHub's
  perfgate ci --event pull_request --event-path event.json --dry-run   what it would do, on a laptop

The action's inputs come through the environment: PERFGATE_RESULTS, PERFGATE_COMMAND, PERFGATE_BASE, PERFGATE_THRESHOLD,
PERFGATE_FAIL_ON, PERFGATE_CONFIG, PERFGATE_TEMPLATE, PERFGATE_COMMENT, PERFGATE_CHECK, PERFGATE_BODY, PERFGATE_KEY,
PERFGATE_SHARD, PERFGATE_STORE, PERFGATE_MISSING_BASELINE, PERFGATE_WORKING_DIRECTORY, PERFGATE_ARTIFACT, GITHUB_TOKEN.";

/// What the GitHub Action runs: records, or judges and publishes, as the event asks
///
/// A push to the default branch is recorded and shared; a pull request or a merge group is compared with its merge base (or
/// measured beside it, with PERFGATE_COMMAND) and published; a workflow_run publishes what a fork's job measured.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CiArgs {
    /// The event's name [default: GITHUB_EVENT_NAME]
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// The event's file [default: GITHUB_EVENT_PATH]
    #[arg(long, value_name = "FILE")]
    event_path: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does what the event asks; an error is told to the job as well.
pub fn run(args: CiArgs, global: &Global) -> anyhow::Result<u8> {
    let told = Told::of(&|name| variable(name));
    work(args, global, &told).inspect_err(|error| told.failure(error))
}

fn work(args: CiArgs, global: &Global, told: &Told) -> anyhow::Result<u8> {
    let name = args.event.or_else(|| variable("GITHUB_EVENT_NAME")).ok_or(EventError::Unset("GITHUB_EVENT_NAME"))?;
    let path = args.event_path.or_else(|| variable("GITHUB_EVENT_PATH").map(PathBuf::from));
    let path = path.ok_or(EventError::Unset("GITHUB_EVENT_PATH"))?;
    let inputs = Inputs::read(&|name| variable(name))?;
    let event = Event::read(&name, &path, &|name| variable(name))?;
    if let Some(directory) = &inputs.directory {
        std::env::set_current_dir(directory)
            .with_context(|| format!("working-directory: cannot work in {}", directory.display()))?;
    }
    let global = Global { color: global.color, config: inputs.config.clone().or_else(|| global.config.clone()) };
    let mut config = global.config()?;
    config.policy = inputs.gate.overrule(config.policy);
    let gate = Gate::new(config, inputs.store.as_deref(), None);
    let plan = Plan::make(&event, &inputs)?;
    if args.dry_run {
        output::print(plan.describe(&event, &inputs, &gate).as_bytes())?;
        return Ok(0);
    }
    let job = work::Work { event: &event, inputs: &inputs, gate: &gate, told };
    match plan {
        Plan::Record { branch } => job.record(&branch),
        Plan::Judge(judging) => job.judge(&judging),
        Plan::Trusted(run) => job.judge_fork(&run),
    }
}

/// A variable of the environment, unless it is empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
