//! What requests of both flows have in common, and handles.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use posten_signering::{
    AuthenticationLevel, Description, Document, Documents, Error, FileAction, IdentifierInSignedDocuments, JobId,
    Reference, SignatureType, Title,
};
use serde::Serialize;

use super::failure::{Failure, cannot};

#[derive(Args)]
#[command(next_help_heading = "Job")]
pub struct Request {
    /// The title of the job, which is shown to the signers
    #[arg(long)]
    pub title: Title,
    /// A PDF to be signed, with its title: TITLE=FILE. The title defaults to the file name. Can be repeated
    #[arg(long = "document", value_name = "[TITLE=]FILE", required = true)]
    documents: Vec<String>,
    /// A file with more signers, one per line ("-": standard input). Other users can see command lines: in production,
    /// put personal identification numbers here
    #[arg(long, value_name = "FILE")]
    signers: Option<PathBuf>,
    /// A message to the signers
    #[arg(long, value_name = "TEXT")]
    pub description: Option<Description>,
    /// Your own reference, which the service puts into e-mail to the sender
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<Reference>,
    /// The minimum security level at which signers must log in
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// The signature type
    #[arg(long, value_enum)]
    signature_type: Option<Kind>,
    /// How signers are identified in the signed documents
    #[arg(long, value_enum, value_name = "NAMING")]
    naming: Option<Naming>,
    /// The file in which to store the handle, with which the job is resumed. Defaults to job-NUMBER.json
    #[arg(long, value_name = "FILE")]
    handle: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    #[value(name = "3")]
    Three,
    #[value(name = "4")]
    Four,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Advanced,
    Authenticated,
}

#[derive(Clone, Copy, ValueEnum)]
enum Naming {
    NumberAndName,
    BirthDateAndName,
    Name,
}

impl Request {
    pub fn documents(&self) -> Result<Documents, Failure> {
        let documents = self.documents.iter().map(|text| {
            let (title, path) = text.split_once('=').map_or((None, text.as_str()), |(title, path)| (Some(title), path));
            let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            Document::pdf_from_file(title.map_or(stem, str::to_owned), path)
        });
        Ok(Documents::new(documents.collect::<Result<Vec<_>, Error>>()?)?)
    }

    /// The signers of the command line, and those of the file.
    pub fn signers(&self, on_command_line: &[String]) -> Result<Vec<String>, Failure> {
        let mut signers = on_command_line.to_vec();
        if let Some(path) = &self.signers {
            signers.extend(text(path)?.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        Ok(signers)
    }

    pub fn level(&self) -> Option<AuthenticationLevel> {
        self.level.map(|level| match level {
            Level::Three => AuthenticationLevel::Three,
            Level::Four => AuthenticationLevel::Four,
        })
    }

    pub fn signature_type(&self) -> Option<SignatureType> {
        self.signature_type.map(|kind| match kind {
            Kind::Advanced => SignatureType::Advanced,
            Kind::Authenticated => SignatureType::Authenticated,
        })
    }

    pub fn naming(&self) -> Option<IdentifierInSignedDocuments> {
        self.naming.map(|naming| match naming {
            Naming::NumberAndName => IdentifierInSignedDocuments::PersonalIdentificationNumberAndName,
            Naming::BirthDateAndName => IdentifierInSignedDocuments::DateOfBirthAndName,
            Naming::Name => IdentifierInSignedDocuments::Name,
        })
    }

    /// Keeps the handle of the job that was created, and tells where. It is printed when it cannot be kept: without it,
    /// the job is hard to find again.
    pub fn keep(&self, id: JobId, handle: &impl Serialize) -> Result<PathBuf, Failure> {
        let text = serde_json::to_string(handle).map_err(|error| Failure::Other(error.to_string()))?;
        let path = self.handle.clone().unwrap_or_else(|| PathBuf::from(format!("job-{id}.json")));
        match std::fs::write(&path, &text) {
            Ok(()) => Ok(path),
            Err(error) => {
                let path = path.display();
                Err(Failure::Other(format!(
                    "job {id} is created, but its handle is not kept in {path} ({error}): {text}"
                )))
            }
        }
    }
}

/// What to say of a job that was created, when something else failed.
pub fn created(id: JobId, handle: &Path) -> String {
    format!("job {id} is created, and its handle is in {}", handle.display())
}

/// What stands in a file, or comes from standard input (`-`).
pub fn text(path: &Path) -> Result<String, Failure> {
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    Ok(text.map_err(cannot(FileAction::Read, path))?)
}

/// Whether a signer is said by their personal identification number.
pub fn is_number(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A handle that was kept.
pub fn handle<H: serde::de::DeserializeOwned>(path: &Path) -> Result<H, Failure> {
    let text = std::fs::read_to_string(path).map_err(cannot(FileAction::Read, path))?;
    serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}
