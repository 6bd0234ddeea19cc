//! The gate's settings and how it is made.

use super::config::Config;
use super::error::Error;
use crate::policy::Policy;
use std::path::PathBuf;

/// A performance-regression gate: compares benchmark results and decides. Made by [`Gate::builder`].
#[derive(Debug, Clone)]
pub struct Gate {
    pub(crate) config: Config,
    pub(super) store: Option<String>,
    pub(super) input_format: Option<String>,
    /// Where the git repository is searched from.
    pub(super) directory: PathBuf,
    /// Options of the command line that change the verdict, and their values.
    given: Vec<(&'static str, String)>,
}

impl Gate {
    /// Starts building a gate.
    pub fn builder() -> GateBuilder {
        GateBuilder { config: Source::Default, store: None, input_format: None, directory: PathBuf::from(".") }
    }

    /// A gate for the command line, which reads the config itself.
    pub(crate) fn new(config: Config, store: Option<&str>, input_format: Option<&str>) -> Gate {
        let (store, input_format) = (store.map(str::to_owned), input_format.map(str::to_owned));
        Gate { config, store, input_format, directory: PathBuf::from("."), given: Vec::new() }
    }

    /// Adds options of the command line that change the verdict: a report repeats them in the command that reproduces it.
    pub(crate) fn with_given(mut self, options: impl IntoIterator<Item = (&'static str, String)>) -> Gate {
        self.given.extend(options);
        self
    }

    /// Options of the command line that change the verdict.
    pub(crate) fn given(&self) -> &[(&'static str, String)] {
        &self.given
    }

    /// The store, where it is not that of the config.
    pub(crate) fn given_store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// The input format, where it is not detected.
    pub(crate) fn given_input_format(&self) -> Option<&str> {
        self.input_format.as_deref()
    }

    /// The policy of the config.
    pub(crate) fn policy(&self) -> &Policy {
        &self.config.policy
    }
}

/// Settings of a [`Gate`].
#[derive(Debug, Clone)]
pub struct GateBuilder {
    config: Source,
    store: Option<String>,
    input_format: Option<String>,
    directory: PathBuf,
}

#[derive(Debug, Clone)]
enum Source {
    Default,
    File(PathBuf),
    Text(String),
}

impl GateBuilder {
    /// Reads the config from a file. Without a config the defaults apply.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config = Source::File(path.into());
        self
    }

    /// Reads the config from text, in the format of `perfgate.toml`.
    pub fn config_text(mut self, text: impl Into<String>) -> Self {
        self.config = Source::Text(text.into());
        self
    }

    /// The URL of the store, as `git:REF`, `dir:PATH` or `s3://BUCKET/PREFIX`. Default: that of the config, or
    /// `git:refs/perfgate/baselines`.
    pub fn store(mut self, url: impl Into<String>) -> Self {
        self.store = Some(url.into());
        self
    }

    /// The input format of all results, as `perfgate formats` lists them. Default: recognized by content.
    pub fn input_format(mut self, name: impl Into<String>) -> Self {
        self.input_format = Some(name.into());
        self
    }

    /// A directory inside the git repository. Default: the working directory.
    pub fn repository(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Builds the gate.
    ///
    /// # Errors
    ///
    /// Returns an error if the config cannot be read or has problems; [`Error::Config`] has all of them.
    pub fn build(self) -> Result<Gate, Error> {
        let GateBuilder { config, store, input_format, directory } = self;
        let config = match config {
            Source::Default => Config::at(&directory),
            Source::File(path) => Config::read(&path)?,
            Source::Text(text) => Config::parse(text.as_bytes(), "perfgate.toml", &directory)?,
        };
        Ok(Gate { config, store, input_format, directory, given: Vec::new() })
    }
}
