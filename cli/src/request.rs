//! The options of requests that both flows share, and the files of handles.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
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
    /// Your own reference for the job. Shown in e-mail to the sender, so it must not contain personal data
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<Reference>,
    /// The minimum security level of the signers' login. Defaults to that of the service
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// The signature type. Defaults to that of the service
    #[arg(long, value_enum)]
    signature_type: Option<SignatureKind>,
    /// The identifier of signers in the signed documents. Defaults to that of the service
    #[arg(long, value_enum, value_name = "NAMING")]
    naming: Option<SignerNaming>,
    /// A new file for the handle, with which the job is resumed. Defaults to job-NUMBER.json
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
enum SignatureKind {
    Advanced,
    Authenticated,
}

#[derive(Clone, Copy, ValueEnum)]
enum SignerNaming {
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

    /// The signers of the command line and of the file.
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
            SignatureKind::Advanced => SignatureType::Advanced,
            SignatureKind::Authenticated => SignatureType::Authenticated,
        })
    }

    pub fn naming(&self) -> Option<IdentifierInSignedDocuments> {
        self.naming.map(|naming| match naming {
            SignerNaming::NumberAndName => IdentifierInSignedDocuments::PersonalIdentificationNumberAndName,
            SignerNaming::BirthDateAndName => IdentifierInSignedDocuments::DateOfBirthAndName,
            SignerNaming::Name => IdentifierInSignedDocuments::Name,
        })
    }

    /// Checks that the handle of a job can be stored, before the job is created.
    pub fn reserve(&self) -> Result<ReservedFile, Failure> {
        let file = match &self.handle {
            Some(path) => Some((create(path)?, path.clone())),
            None => {
                // The name has the job's number, which is not known yet, so another name is tried.
                let probe = PathBuf::from(format!(".job-{}.part", std::process::id()));
                drop(create(&probe)?);
                std::fs::remove_file(&probe).map_err(cannot(FileAction::Write, &probe))?;
                None
            }
        };
        Ok(ReservedFile { file })
    }
}

/// The file for the handle of a job.
pub struct ReservedFile {
    /// The file of `--handle`: empty so far, and removed if no job is created.
    file: Option<(File, PathBuf)>,
}

impl ReservedFile {
    /// Stores the handle of the created job, and returns the path. A handle that cannot be stored is in the error:
    /// without it, the job is hard to find.
    pub fn keep(mut self, id: JobId, handle: &impl Serialize) -> Result<PathBuf, Failure> {
        let text = serde_json::to_string(handle).map_err(|error| Failure::Other(error.to_string()))?;
        let (file, path) = match self.file.take() {
            Some((file, path)) => (Ok(file), path),
            None => numbered(id),
        };
        let written = file.map_err(|failure| failure.to_string()).and_then(|mut file| {
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| error.to_string())
        });
        match written {
            Ok(()) => Ok(path),
            Err(error) => {
                let path = path.display();
                let message =
                    format!("job {id} was created, but its handle cannot be stored in {path} ({error}): {text}");
                Err(Failure::Other(message))
            }
        }
    }
}

impl Drop for ReservedFile {
    fn drop(&mut self) {
        if let Some((_, path)) = self.file.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// `job-NUMBER.json`, or `job-NUMBER-2.json` and so on: another environment may have a job with the same number.
fn numbered(id: JobId) -> (Result<File, Failure>, PathBuf) {
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = PathBuf::from(format!("job-{id}{suffix}.json"));
        number += 1;
        match create(&path) {
            Err(Failure::Library(Error::File { source, .. })) if source.kind() == io::ErrorKind::AlreadyExists => {}
            file => return (file, path),
        }
    }
}

/// Creates a file that only its owner can read.
fn create(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::new(error.kind(), "it already exists, and is not overwritten"),
        _ => error,
    });
    Ok(file.map_err(cannot(FileAction::Write, path))?)
}

/// The text about a job that was created before another step failed.
pub fn created(id: JobId, handle: &Path) -> String {
    format!("job {id} was created, and its handle is stored in {}", handle.display())
}

/// The maximum size of a file with signers, a token or a handle, in bytes.
const MAX_TEXT: u64 = 1024 * 1024;

/// Reads the text of a file, or of standard input (`-`).
pub fn text(path: &Path) -> Result<String, Failure> {
    let text = match path.to_str() {
        Some("-") => bounded(io::stdin()),
        _ => File::open(path).and_then(bounded),
    };
    Ok(text.map_err(cannot(FileAction::Read, path))?)
}

/// Reads to the end, at most [`MAX_TEXT`] bytes.
fn bounded(reader: impl Read) -> io::Result<String> {
    let text = io::read_to_string(reader.take(MAX_TEXT + 1))?;
    match text.len() as u64 > MAX_TEXT {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MAX_TEXT} bytes"))),
        false => Ok(text),
    }
}

/// Whether a signer is identified by a personal identification number.
pub fn is_number(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Reads a stored handle.
pub fn handle<H: serde::de::DeserializeOwned>(path: &Path) -> Result<H, Failure> {
    let regular = std::fs::metadata(path).and_then(|found| match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    });
    let text = regular.and_then(|()| File::open(path)).and_then(bounded).map_err(cannot(FileAction::Read, path))?;
    serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}
