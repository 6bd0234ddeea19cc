//! Variables of a job that code under test must not read: tokens, credentials of clouds, and the files through which a step
//! sends values to the runner.
//!
//! They are removed from the environment of benchmark commands. That is not enough: on Linux, a child can read the environment
//! that its parent was started with in `/proc`. So a command that runs benchmarks starts perfgate again without these variables.
//! The new process gets them through a pipe, and keeps them in memory that other processes of the same user cannot read.
//!
//! In the Action, an earlier step can set variables for this one (GITHUB_ENV). So credentials of clouds are read only from an
//! input there, and other variables cannot change where secrets are read from.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Single variables.
const NAMES: [&str; 6] =
    ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "PERFGATE_STORE_CREDENTIALS"];
/// Ends of names: tokens of registries and other services.
const ENDS: [&str; 3] = ["_TOKEN", "_SECRET", "_PASSWORD"];
/// Beginning of the names of the runner's own services and OIDC.
const RUNNER: &str = "ACTIONS_";
/// Beginnings of the names of clouds.
const CLOUDS: [&str; 6] = ["AWS_", "AZURE_", "ARM_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_"];

/// The secrets of the environment that perfgate was started with.
static SECRETS_AT_START: OnceLock<BTreeMap<String, String>> = OnceLock::new();
/// The cloud variables of the action's input. If set, they replace those of the environment.
static CLOUD_VARIABLES_OF_INPUT: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// True for a variable that code under test must not read.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase(); // Windows ignores case
    NAMES.contains(&name.as_str())
        || name.starts_with(RUNNER)
        || is_of_cloud(&name)
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// True for a variable of a cloud: a key, an endpoint, a setting.
pub fn is_of_cloud(name: &str) -> bool {
    CLOUDS.iter().any(|prefix| name.starts_with(prefix))
}

/// The names of the variables of clouds in the environment that perfgate was started with.
pub fn clouds_of_environment() -> Vec<String> {
    let kept = SECRETS_AT_START.get().into_iter().flatten().map(|(name, _)| name.clone());
    kept.chain(in_environment()).filter(|name| is_of_cloud(name)).collect()
}

/// From now on, uses only these cloud variables and ignores those of the environment.
pub fn use_only(given: BTreeMap<String, String>) {
    let _ = CLOUD_VARIABLES_OF_INPUT.set(given);
}

/// False if the cloud variables of the environment are ignored.
pub fn is_environment_used() -> bool {
    CLOUD_VARIABLES_OF_INPUT.get().is_none()
}

/// A variable of the environment that perfgate was started with.
pub fn variable(name: &str) -> Option<String> {
    if let Some(given) = CLOUD_VARIABLES_OF_INPUT.get().filter(|_| is_of_cloud(name)) {
        return given.get(name).cloned();
    }
    SECRETS_AT_START.get().and_then(|kept| kept.get(name).cloned()).or_else(|| std::env::var(name).ok())
}

/// The variables of a cloud, by its prefix, that are not in the environment any more.
pub fn starting_with(prefix: &str) -> impl Iterator<Item = (&str, &str)> {
    let kept = CLOUD_VARIABLES_OF_INPUT.get().or_else(|| SECRETS_AT_START.get());
    let kept = kept.into_iter().flatten().filter(move |(name, _)| name.starts_with(prefix));
    kept.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The names of secret variables in the environment of this process, to be removed from a child's.
pub fn in_environment() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| is_secret(name)).collect()
}

/// Moves the secret variables out of the environment of this process, by starting it again in place. Returns only in the
/// process that has none, or with the system's error.
#[cfg(unix)]
pub fn hide() -> std::io::Result<()> {
    use std::io::{Read, Write};
    use std::os::unix::process::CommandExt;
    /// The program's own name for the process that gets the variables on its standard input. Not a variable, which an earlier
    /// step could set and a benchmark would inherit.
    const STARTED_AGAIN: &str = "secrets-on-stdin/perfgate";
    /// Capacity of a pipe on Linux: the writer has to wait for a reader after this many bytes.
    const PIPE: usize = 64 << 10;

    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    if std::env::args_os().next().is_some_and(|name| name == STARTED_AGAIN) {
        let mut text = Vec::new();
        std::io::stdin().take(PIPE as u64).read_to_end(&mut text)?;
        kept = serde_json::from_slice(&text).unwrap_or_default();
    }
    let names = in_environment();
    if names.is_empty() {
        #[cfg(target_os = "linux")]
        if !kept.is_empty() {
            let _ = nix::sys::prctl::set_dumpable(false);
        }
        let _ = SECRETS_AT_START.set(kept);
        return Ok(());
    }
    for name in &names {
        kept.extend(std::env::var(name).ok().map(|value| (name.clone(), value)));
    }
    let text = serde_json::to_vec(&kept)?;
    if text.len() >= PIPE {
        return Err(std::io::Error::other("tokens and credentials in the environment are larger than 64 KiB"));
    }
    let (reader, mut writer) = std::io::pipe()?;
    writer.write_all(&text)?;
    drop(writer);
    let mut command = std::process::Command::new(std::env::current_exe()?);
    for name in &names {
        command.env_remove(name);
    }
    Err(command.args(std::env::args_os().skip(1)).arg0(STARTED_AGAIN).stdin(reader).exec())
}

/// Windows has no `/proc`, and cannot start a process in place of another.
#[cfg(not(unix))]
pub fn hide() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_clouds_and_files_of_the_runner_are_secret() {
        for name in ["GITHUB_TOKEN", "gh_token", "AWS_SECRET_ACCESS_KEY", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_ENV"]
        {
            assert!(is_secret(name), "{name}");
        }
        assert!(is_secret("PERFGATE_STORE_CREDENTIALS"));
        for name in ["GITHUB_SHA", "PATH", "CARGO_HOME", "RUSTFLAGS", "CI", "PERFGATE_KEY"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
