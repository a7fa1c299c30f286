//! The command line, types only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Sources;
use crate::sandbox::Policy;

/// A WebSocket JavaScript sandbox server.
#[derive(Debug, Parser)]
#[command(name = "runpen", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// For `serve`, when no command is given.
    #[command(flatten)]
    pub settings: Settings,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server (what is done when no command is given)
    Serve(Settings),
    /// Print the configuration in effect as TOML, or what is wrong with it
    ///
    /// Exits with 0 when the server could start with it, and with 1 when not. Takes what `serve` takes.
    CheckConfig(Settings),
    /// One sandboxed process of the pool. The server starts it on a socket of its own; it is of no use to people.
    #[command(hide = true)]
    Worker {
        /// The box to enter, as the server writes it.
        policy: Policy,
    },
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// Configuration file; without it, config.toml in the working directory, if there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// IP address and port to serve on, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Profile of the configuration: dev, test, prod, or one of your own
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

impl Settings {
    /// These flags, with this process's environment and working directory.
    pub fn sources(self) -> Sources {
        let Settings { config, listen, profile } = self;
        Sources {
            file: config,
            fallback_file: Some(PathBuf::from("config.toml")),
            profile,
            listen,
            environment: std::env::vars_os().collect(),
        }
    }
}
