//! The sources of a configuration, laid over each other. Each value remembers where it came from, so that an error can name it.
//!
//! figment does the layering: the `config` crate reads `1.7` as 2 and `true` as 1, and forgets where an unknown key stood.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::error::{Actual, Kind};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::Config;
use super::check::{Clash, NotAllowed, allowed_numbers};
use super::raw::RawConfig;

/// `config.toml` as it was when this program was built.
pub const BUILT_IN: &str = include_str!("../../config.toml");

/// Every variable that begins with this is for runpen, and must be known to it.
const PREFIX: &str = "RUNPEN_";
const PROFILE_VARIABLE: &str = "RUNPEN_PROFILE";

/// Variables with our prefix that are not settings: Kubernetes sets the first two for a service named `runpen`; the third is for
/// tests that bring a worker of their own; the last two tell the tests of the page and of the documentation which program to start.
const NOT_SETTINGS: [&str; 5] =
    ["RUNPEN_SERVICE_", "RUNPEN_PORT", "RUNPEN_WORKER_PROGRAM", "RUNPEN_BIN", "RUNPEN_WEBSOCAT"];

/// Where a configuration is looked for. Nothing else is: no variable is read and no file opened that is not given here, so that
/// tests need no environment.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Must exist.
    pub file: Option<PathBuf>,
    /// Read when `file` is not given, if it exists.
    pub fallback_file: Option<PathBuf>,
    /// From `--profile`; it wins over `RUNPEN_PROFILE`.
    pub profile: Option<String>,
    /// From `--listen`.
    pub listen: Option<String>,
    /// All variables, ours or not.
    pub environment: Vec<(OsString, OsString)>,
}

/// Why a configuration was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("read the configuration file {}", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("parse the configuration file {} at line {line}, column {column}: {message}", .path.display())]
    Parse { path: PathBuf, line: usize, column: usize, message: String },
    #[error("use {origin}: there is no such key; allowed here: {allowed}")]
    UnknownKey { origin: Origin, allowed: String },
    #[error("use {origin}: it must be {allowed}, and is {found}")]
    NotAllowed { origin: Origin, allowed: String, found: String },
    #[error("use {first} with {second}: {rule}")]
    Clash { first: Origin, second: Origin, rule: String },
    #[error(
        "use the variable `{0}`: settings are named RUNPEN_SECTION__KEY, with two underscores, and the profile RUNPEN_PROFILE"
    )]
    UnknownVariable(String),
    #[error("use the variable `{0}`: its value is not UTF-8 text")]
    VariableNotText(String),
    #[error("use the profile {name:?} of {origin}: there are only {known}")]
    UnknownProfile { name: String, origin: Origin, known: String },
    #[error("use `profiles.{0:?}` in the configuration: a profile's name has only letters, digits, `-` and `_`")]
    ProfileName(String),
    /// Nothing that a user can write leads here as far as is known; better said than swallowed.
    #[error("use {origin}: {message}")]
    Other { origin: Origin, message: String },
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    BuiltIn { key: String },
    File { path: PathBuf, key: String },
    Environment { variable: String },
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn { key } => write!(f, "`{key}` in the built-in defaults"),
            Origin::File { path, key } => write!(f, "`{key}` in {}", path.display()),
            Origin::Environment { variable } => write!(f, "`{variable}` in the environment"),
            Origin::Flag(flag) => write!(f, "`{flag}` on the command line"),
        }
    }
}

impl Config {
    /// Reads and checks everything: also the profiles that are not chosen, so that a mistake in one does not wait for its day.
    ///
    /// # Errors
    /// [`ConfigError`] for the first key or value that is wrong, naming it and where it was set.
    pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
        let Sources { file, fallback_file, profile, listen, environment } = sources;
        let mut base = Figment::from(Layer::built_in());
        let layer = match (file, fallback_file) {
            (Some(path), _) => Some(Layer::file(path)?),
            (None, Some(path)) => Layer::file_if_any(path)?,
            (None, None) => None,
        };
        if let Some(layer) = layer {
            base = base.merge(layer);
        }
        let environment = ours(environment)?;

        let stage = Stage { figment: &base, profile: None };
        stage.checked()?;
        let profiles = stage.raw()?.profiles;
        for (name, sections) in &profiles {
            if sections.contains_key("profiles") {
                let origin = stage.origin_of(&format!("profiles.{name}.profiles"));
                return Err(ConfigError::UnknownKey { origin, allowed: "the other sections".to_owned() });
            }
            Stage { figment: &overlaid(&base, name)?, profile: Some(name) }.checked()?;
        }

        let chosen = chosen_profile(profile.as_deref(), &environment)?;
        if let Some((name, origin)) = &chosen
            && !profiles.contains_key(name)
        {
            let known: Vec<String> = profiles.keys().map(|name| format!("{name:?}")).collect();
            return Err(ConfigError::UnknownProfile {
                name: name.clone(),
                origin: origin.clone(),
                known: known.join(", "),
            });
        }

        let chosen = chosen.map(|(name, _)| name);
        let mut all = match &chosen {
            Some(name) => overlaid(&base, name)?,
            None => base,
        };
        all = all.merge(Layer::environment(&environment)?);
        if let Some(listen) = listen {
            all = all.merge(Layer::listen(listen));
        }
        let stage = Stage { figment: &all, profile: chosen.as_deref() };
        let config = stage.checked()?;
        config.agree().map_err(|Clash { first, second, rule }| ConfigError::Clash {
            first: stage.origin_of(first),
            second: stage.origin_of(second),
            rule,
        })?;
        Ok(config)
    }

    /// The built-in defaults alone.
    pub fn built_in() -> Config {
        Config::load(&Sources::default()).expect("a test loads the built-in config.toml")
    }

    /// The whole configuration as TOML; what loads again as the same.
    pub fn to_toml(&self) -> String {
        toml::to_string(&RawConfig::from(self)).expect("sections of numbers and strings are always TOML")
    }
}

/// Some layers, and the profile among them.
struct Stage<'a> {
    figment: &'a Figment,
    profile: Option<&'a str>,
}

impl Stage<'_> {
    fn raw(&self) -> Result<RawConfig, ConfigError> {
        self.figment.extract().map_err(|error| self.explain(error))
    }

    fn checked(&self) -> Result<Config, ConfigError> {
        self.raw()?.check().map_err(|NotAllowed { key, allowed, found }| ConfigError::NotAllowed {
            origin: self.origin_of(key),
            allowed,
            found,
        })
    }

    fn origin_of(&self, key: &str) -> Origin {
        self.origin(key, self.figment.find_metadata(key))
    }

    /// `key` as [`RawConfig`] has it. In a file it stands elsewhere when a profile has put it there.
    fn origin(&self, key: &str, metadata: Option<&Metadata>) -> Origin {
        let written = || {
            let in_profile = self.profile.map(|name| format!("profiles.{name}.{key}"));
            in_profile.filter(|key| self.figment.contains(key)).unwrap_or_else(|| key.to_owned())
        };
        let source = metadata.and_then(|metadata| metadata.source.as_ref());
        match source {
            Some(figment::Source::File(path)) => Origin::File { path: path.clone(), key: written() },
            Some(figment::Source::Custom(layer)) if layer == ENVIRONMENT => {
                Origin::Environment { variable: variable_of(key) }
            }
            Some(figment::Source::Custom(layer)) if layer == LISTEN_FLAG => Origin::Flag(LISTEN_FLAG),
            Some(_) | None => Origin::BuiltIn { key: written() },
        }
    }

    /// Says what figment found in our own words: its message has its own names for types and tells no range.
    fn explain(&self, error: figment::Error) -> ConfigError {
        let key = error.path.join(".");
        let origin = self.origin(&key, error.metadata.as_ref());
        match error.kind {
            Kind::UnknownField(_, expected) => ConfigError::UnknownKey { origin, allowed: expected.join(", ") },
            Kind::InvalidType(found, _) | Kind::InvalidValue(found, _) => {
                let allowed = allowed_numbers(&key).unwrap_or_else(|| {
                    let depth = if key.starts_with("profiles") { 3 } else { 1 };
                    let is_section = error.path.len() <= depth;
                    let is_list = LISTS.iter().any(|list| key.ends_with(list));
                    match (is_section, is_list) {
                        (true, _) => "a section of keys",
                        (false, true) => "a list of strings",
                        (false, false) => "a string",
                    }
                    .to_owned()
                });
                ConfigError::NotAllowed { origin, allowed, found: in_words(&found) }
            }
            other => ConfigError::Other { origin, message: other.to_string() },
        }
    }
}

fn in_words(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => format!("{value:?}"),
        Actual::Str(value) => format!("the string {value:?}"),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a section".to_owned(),
        other => other.to_string(),
    }
}

/// The layers below, with one profile's tables on top.
fn overlaid(base: &Figment, profile: &str) -> Result<Figment, ConfigError> {
    // A dot would be taken for the end of a table's name.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if profile.is_empty() || !profile.chars().all(plain) {
        return Err(ConfigError::ProfileName(profile.to_owned()));
    }
    Ok(base.clone().merge(base.focus(&format!("profiles.{profile}"))))
}

fn chosen_profile(
    flag: Option<&str>,
    environment: &BTreeMap<String, String>,
) -> Result<Option<(String, Origin)>, ConfigError> {
    if let Some(name) = flag {
        return Ok(Some((name.to_owned(), Origin::Flag("--profile"))));
    }
    let name = environment.get(PROFILE_VARIABLE);
    Ok(name.map(|name| (name.clone(), Origin::Environment { variable: PROFILE_VARIABLE.to_owned() })))
}

/// The variables that are meant for us, as text.
fn ours(environment: &[(OsString, OsString)]) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut ours = BTreeMap::new();
    for (name, value) in environment {
        let Some(name) = name.to_str() else { continue };
        if !name.starts_with(PREFIX) || NOT_SETTINGS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let value = value.to_str().ok_or_else(|| ConfigError::VariableNotText(name.to_owned()))?;
        ours.insert(name.to_owned(), value.to_owned());
    }
    Ok(ours)
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// The value of a variable. Every key is a whole number, a string or a list of strings, so this is all the parsing that is needed.
fn of_variable(key: &str, value: &str) -> Value {
    if LISTS.contains(&key) {
        let items = value.split([',', ' ']).filter(|item| !item.is_empty());
        return Value::from(items.map(Value::from).collect::<Vec<_>>());
    }
    value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from)
}

/// The keys that have lists of strings. In a variable, commas or spaces stand between the strings.
const LISTS: [&str; 1] = ["server.origins"];

const ENVIRONMENT: &str = "environment";
const LISTEN_FLAG: &str = "--listen";

/// One source, as figment wants it: what it says, and its name.
struct Layer {
    metadata: Metadata,
    values: Dict,
}

impl Layer {
    fn built_in() -> Layer {
        let values = toml::from_str(BUILT_IN).expect("a test loads the built-in config.toml");
        Layer { metadata: Metadata::named("built-in"), values }
    }

    fn file(path: &Path) -> Result<Layer, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let values = toml::from_str(&text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let before = text.get(..offset).unwrap_or_default();
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            ConfigError::Parse {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                message: error.message().to_owned(),
            }
        })?;
        Ok(Layer { metadata: Metadata::from("file", path), values })
    }

    fn file_if_any(path: &Path) -> Result<Option<Layer>, ConfigError> {
        match Layer::file(path) {
            Err(ConfigError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    fn environment(variables: &BTreeMap<String, String>) -> Result<Layer, ConfigError> {
        let mut sections: BTreeMap<String, Dict> = BTreeMap::new();
        for (name, value) in variables.iter().filter(|(name, _)| *name != PROFILE_VARIABLE) {
            let unknown = || ConfigError::UnknownVariable(name.clone());
            let setting = name.strip_prefix(PREFIX).ok_or_else(unknown)?;
            let (section, key) = setting.split_once("__").ok_or_else(unknown)?;
            // Profiles are deeper than a section and a key, and may only stand in a file.
            if section.is_empty() || key.is_empty() || key.contains("__") || setting != setting.to_uppercase() {
                return Err(unknown());
            }
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            let value = of_variable(&format!("{section}.{key}"), value);
            sections.entry(section).or_default().insert(key, value);
        }
        let values = sections.into_iter().map(|(name, section)| (name, Value::from(section))).collect();
        Ok(Layer { metadata: Metadata::from("environment", ENVIRONMENT), values })
    }

    fn listen(address: &str) -> Layer {
        let server = Dict::from([("listen".to_owned(), Value::from(address))]);
        let values = Dict::from([("server".to_owned(), Value::from(server))]);
        Layer { metadata: Metadata::from("flag", LISTEN_FLAG), values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
