//! Flags that override `[gate]` of perfgate.toml, for every command that compares.

use crate::policy::{FailOn, Policy, parse_alpha, parse_threshold};
use clap::{Args, ValueEnum};

/// Flags that override `[gate]` of the config.
#[derive(Debug, Default, Args)]
pub struct GateArgs {
    /// Change that fails the gate, such as 10%; `[[benchmark]]` entries keep theirs [default: that of perfgate.toml, or 20%]
    #[arg(long, value_name = "PERCENT", value_parser = parse_threshold, allow_hyphen_values = true)]
    threshold: Option<f64>,
    /// Accepted false discovery rate [default: 0.05]
    #[arg(long, value_name = "SHARE", value_parser = parse_alpha, allow_hyphen_values = true)]
    alpha: Option<f64>,
    /// Outcomes that fail the gate, separated by commas; replaces the default [default: regressed,budget,failed]
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum)]
    fail_on: Vec<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reason {
    Regressed,
    Budget,
    Failed,
    Inconclusive,
    Removed,
    Added,
    Environment,
}

impl From<Reason> for FailOn {
    fn from(reason: Reason) -> FailOn {
        match reason {
            Reason::Regressed => FailOn::Regressed,
            Reason::Budget => FailOn::Budget,
            Reason::Failed => FailOn::Failed,
            Reason::Inconclusive => FailOn::Inconclusive,
            Reason::Removed => FailOn::Removed,
            Reason::Added => FailOn::Added,
            Reason::Environment => FailOn::Environment,
        }
    }
}

impl GateArgs {
    /// The policy with these flags applied.
    pub fn apply(&self, mut policy: Policy) -> Policy {
        if let Some(threshold) = self.threshold {
            policy = policy.with_threshold(threshold);
        }
        if let Some(alpha) = self.alpha {
            policy = policy.with_alpha(alpha);
        }
        if !self.fail_on.is_empty() {
            policy = policy.with_fail_on(self.fail_on.iter().map(|reason| FailOn::from(*reason)));
        }
        policy
    }

    /// These flags as they are written, for a command that repeats the comparison.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let percent = |share: f64| format!("{}%", (share * 1e8).round() / 1e6);
        let reasons: Vec<&str> = self.fail_on.iter().map(|reason| FailOn::from(*reason).name()).collect();
        [
            self.threshold.map(|threshold| ("--threshold", percent(threshold))),
            self.alpha.map(|alpha| ("--alpha", alpha.to_string())),
            (!reasons.is_empty()).then(|| ("--fail-on", reasons.join(","))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Parses the inputs of the action; the error lists every invalid one.
    pub fn of_words(threshold: Option<&str>, fail_on: Option<&str>) -> Result<GateArgs, Vec<String>> {
        let mut invalid = Vec::new();
        let threshold = threshold
            .and_then(|text| parse_threshold(text).map_err(|error| invalid.push(format!("threshold: {error}"))).ok());
        let known: Vec<String> = Reason::value_variants()
            .iter()
            .filter_map(|reason| Some(reason.to_possible_value()?.get_name().to_owned()))
            .collect();
        let mut reasons = Vec::new();
        let words = fail_on.unwrap_or_default().split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
        for word in words {
            match Reason::from_str(word, false) {
                Ok(reason) => reasons.push(reason),
                Err(_) => invalid.push(format!("fail-on: {word:?} is not one of {}", known.join(", "))),
            }
        }
        if invalid.is_empty() { Ok(GateArgs { threshold, alpha: None, fail_on: reasons }) } else { Err(invalid) }
    }
}
