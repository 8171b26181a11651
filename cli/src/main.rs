//! `signering`: Posten signering on the command line.
//!
//! Commands, exit codes and secrets: the guide `command_line` in the documentation.

mod archive;
mod check;
mod connection;
mod direct;
mod failure;
mod inspect;
mod output;
mod poll;
mod portal;
mod request;
mod sandbox;
mod stop;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::failure::Failure;
use self::output::Output;

/// E-signatures with Posten signering.
#[derive(Parser)]
#[command(name = "signering", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    /// Print only JSON, one document per line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  Success
  1  Any other error
  2  Wrong usage, or an invalid value
  3  Certificate, trust anchors, configuration or file
  4  Connection, timeout or rate limit: retry later
  5  Certificate refused, or no rights
  6  Refused by the service
  7  The job may have been created: look for it before sending it again
  8  The answer breaks the protocol
  9  Invalid document";

#[derive(Subcommand)]
enum Command {
    /// Diagnose the certificate, the environment and the connection
    Check(check::Check),
    /// Direct flow: create jobs whose signers are redirected from your web pages, and fetch their status
    #[command(subcommand)]
    Direct(direct::Direct),
    /// Portal flow: create jobs whose signers the service invites, and receive their changes
    #[command(subcommand)]
    Portal(portal::Portal),
    /// Download a signed document from the archive
    Archive(archive::Archive),
    /// Inspect a document package (.asice, .zip), a signed PDF or a technical signature, and verify it
    Inspect(inspect::Inspect),
    /// Run a local service for tests, which behaves like the real one
    Sandbox(sandbox::Sandbox),
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    match run(arguments.command, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Check(check) => check.run(output).await,
        Command::Direct(direct) => direct.run(output).await,
        Command::Portal(portal) => portal.run(output).await,
        Command::Archive(archive) => archive.run(output).await,
        Command::Inspect(inspect) => inspect.run(output),
        Command::Sandbox(sandbox) => sandbox.run(output).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "signering", &mut script);
            output::print(&script).map_err(|error| Failure::Unprinted { error, done: None })
        }
    }
}
