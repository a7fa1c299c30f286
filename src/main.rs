//! `runpen`, the program: reads the command line and the configuration, and hands over to the library.

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use runpen::cli::{Cli, Command};
use runpen::config::{Config, Log, LogFormat};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("runpen: failed to {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    let Cli { command, settings } = cli;
    match command.unwrap_or(Command::Serve(settings)) {
        Command::Serve(settings) => {
            let config = Config::load(&settings.sources())?;
            log_to_stderr(&config.log);
            Ok(runpen::http::serve(config)?)
        }
        Command::CheckConfig(settings) => {
            let config = Config::load(&settings.sources())?;
            // The first line is a comment, so that the output is a configuration file.
            print_out(&format!("# ok: this is the configuration in effect\n{}", config.to_toml()))
        }
        Command::Worker { policy } => runpen::worker::main(&policy),
    }
}

/// Stdout is for the one line that says where the server listens.
fn log_to_stderr(log: &Log) {
    // Colours are for people: in a file or a journal their codes are in the way of every search.
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    // What it would say of a request that is no HTTP is counted, and said at debug, by the server itself.
    let levels = Targets::new()
        .with_default(log.level)
        .with_target(runpen::http::LIBRARY_LOG, tracing::level_filters::LevelFilter::OFF);
    match log.format {
        LogFormat::Text => tracing_subscriber::registry().with(lines).with(levels).init(),
        LogFormat::Json => tracing_subscriber::registry().with(lines.json()).with(levels).init(),
    }
}

/// `print!` would panic where the reader has gone, as in `runpen check-config | head -1`.
fn print_out(text: &str) -> Result<(), Box<dyn Error>> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("write to stdout: {error}").into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// One line: what failed, then each cause behind it.
fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
