//! `signering inspect`: shows a document package, a signed PDF or a technical signature, and verifies its seal.
//!
//! Names and numbers of signers, and titles, are printed, as table and as JSON: whoever inspects a document asks for
//! them. Errors have none of them.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use jiff::Timestamp;
use posten_signering::sandbox::InspectedPackage;
use posten_signering::verify::{CheckedSignature, Evidence, Inspected, SealTrust, Sealer, VerificationError, Verified};
use posten_signering::{Error, FileAction, Pades, Xades};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::connection::roots;
use super::failure::{Failure, cannot};
use super::output::{Output, plain};

const NOT_VERIFIED: &str =
    "Without --pin, or --roots and one of the --sealer options, everything is shown and nothing is verified.";

#[derive(Args)]
#[command(after_help = NOT_VERIFIED)]
pub struct Inspect {
    /// A document package (.asice, .zip), a signed PDF or a technical signature (XAdES)
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Write the certificate of the seal to this file, to pin it with --pin. First compare it with the certificate that
    /// your PDF reader shows for a document that you know, or ask the service's support
    #[arg(long, value_name = "FILE")]
    write_pin: Option<PathBuf>,
    /// Overwrite the file of --write-pin if it exists
    #[arg(long, requires = "write_pin")]
    force: bool,
}

/// The expected sealer of the document.
#[derive(Args)]
struct Trust {
    /// Certificates of the authorities to which the seal must chain: a file, or a directory of files
    #[arg(long, value_name = "PATH", requires = "sealer")]
    roots: Option<PathBuf>,
    /// The organization number in the certificate of the seal
    #[arg(long, value_name = "NUMBER", group = "sealer")]
    sealer_number: Option<String>,
    /// The organization (O) in the certificate of the seal
    #[arg(long, value_name = "NAME", group = "sealer")]
    sealer_organization: Option<String>,
    /// The common name (CN) in the certificate of the seal
    #[arg(long, value_name = "NAME", group = "sealer")]
    sealer_name: Option<String>,
    /// The certificate of the seal (PEM). No other is accepted
    #[arg(long, value_name = "FILE", conflicts_with_all = ["roots", "sealer"])]
    pin: Option<PathBuf>,
    /// Certificates of the authorities whose timestamps are trusted: a file, or a directory of files
    #[arg(long, value_name = "PATH")]
    timestamp_roots: Option<PathBuf>,
}

impl Trust {
    fn read(&self) -> Result<Option<SealTrust>, Failure> {
        let sealer = match (&self.sealer_number, &self.sealer_organization, &self.sealer_name) {
            (Some(number), ..) => Some(Sealer::organization_number(number.parse().map_err(Error::from)?)),
            (_, Some(name), _) => Some(Sealer::organization(name)),
            (.., Some(name)) => Some(Sealer::common_name(name)),
            _ => None,
        };
        let trust = match (&self.roots, sealer, &self.pin) {
            (Some(path), Some(sealer), _) => SealTrust::authorities(roots(path)?, sealer),
            (_, _, Some(pin)) => SealTrust::pinned_pem_file(pin)?,
            (None, Some(_), None) => {
                return Err(Failure::Usage(
                    "--sealer-number, --sealer-organization and --sealer-name require --roots".to_owned(),
                ));
            }
            _ => return Ok(None),
        };
        Ok(Some(match &self.timestamp_roots {
            Some(path) => trust.with_timestamps(roots(path)?),
            None => trust,
        }))
    }
}

impl Inspect {
    pub fn run(self, output: &Output) -> Result<(), Failure> {
        let bytes = std::fs::read(&self.file).map_err(cannot(FileAction::Read, &self.file))?;
        if bytes.starts_with(b"PK") {
            return package(&bytes, output);
        }
        let trust = self.trust.read()?;
        if bytes.trim_ascii_start().starts_with(b"<") || bytes.starts_with(b"\xef\xbb\xbf") {
            return technical_signature(&bytes, trust.as_ref(), output);
        }
        if !bytes.windows(5).take(1024).any(|window| window == b"%PDF-") {
            let what = "the file is not a document package (ZIP), a PDF or a technical signature (XML)";
            return Err(Failure::Document(what.to_owned()));
        }
        let pin = self.write_pin.as_deref().map(|path| (path, self.force));
        pdf(&bytes, trust.as_ref(), pin, output)
    }
}

fn package(bytes: &[u8], output: &Output) -> Result<(), Failure> {
    let package = InspectedPackage::read(bytes).map_err(|error| Failure::Document(error.to_string()))?;
    let flow = if package.is_portal { "portal" } else { "direct" };
    let mut text = format!(
        "a document package for the {flow} flow, whose signature covers every file\ntitle      {}\nsender     {}\nsigned by  {}\nsigned at  {}\n",
        plain(&package.title),
        package.sender,
        plain(&package.signed_by),
        package.signed_at,
    );
    for document in &package.documents {
        let (name, title) = (plain(&document.file_name), plain(&document.title));
        let bytes = document.content.len();
        text.push_str(&format!("document   {name} \"{title}\" ({bytes} bytes)\n"));
    }
    let documents = package.documents.iter().map(|document| {
        json!({
            "file_name": document.file_name,
            "title": document.title,
            "media_type": document.media_type.as_str(),
            "bytes": document.content.len(),
        })
    });
    let json = json!({
        "kind": "package",
        "flow": flow,
        "title": package.title,
        "sender": package.sender,
        "signed_by": package.signed_by,
        "signed_at": package.signed_at.to_string(),
        "documents": documents.collect::<Vec<_>>(),
    });
    output.result(&text, &json)
}

/// The warning above results without an expected sealer.
const UNVERIFIED: &str = "nothing is verified: set the expected sealer (--roots and --sealer-number, or --pin)";

fn pdf(bytes: &[u8], trust: Option<&SealTrust>, pin: Option<(&Path, bool)>, output: &Output) -> Result<(), Failure> {
    let inspected = Inspected::read(bytes).map_err(Error::from)?;
    if let Some((path, overwrites)) = pin {
        write_pin(&inspected, path, overwrites)?;
    }
    let Some(trust) = trust else {
        let mut text = format!("a signed PDF; {UNVERIFIED}\n");
        let mut list = Vec::new();
        for (signature, fault) in inspected.signatures() {
            let fault = fault.as_ref().map(VerificationError::to_string);
            show(&mut text, signature, fault.as_deref());
            list.push(described(signature, fault.as_deref()));
        }
        for fault in inspected.broken() {
            let _ = writeln!(text, "\ninvalid signature: {}", plain(fault));
            list.push(json!({ "fault": fault.to_string() }));
        }
        if list.is_empty() {
            text.push_str("no signature\n");
        }
        return output.result(&text, &json!({ "kind": "pdf", "verified": false, "signatures": list }));
    };
    let verified = Verified::<Pades>::check(bytes.to_vec(), trust, Timestamp::now()).map_err(Error::from)?;
    let mut text = String::from("a signed PDF, verified: it is unchanged, and sealed by the expected sealer\n");
    verified.signatures().iter().for_each(|signature| show(&mut text, signature, None));
    let mut evidence = Vec::new();
    for found in verified.evidence() {
        match found {
            Ok(found) => {
                show_evidence(&mut text, found);
                evidence.push(described_evidence(found));
            }
            Err(error) => {
                let _ = writeln!(text, "\ntechnical signature that is not verified: {}", plain(error));
                evidence.push(json!({ "fault": error.to_string() }));
            }
        }
    }
    let signatures: Vec<_> = verified.signatures().iter().map(|signature| described(signature, None)).collect();
    output.result(&text, &json!({ "kind": "pdf", "verified": true, "signatures": signatures, "evidence": evidence }))
}

fn technical_signature(bytes: &[u8], trust: Option<&SealTrust>, output: &Output) -> Result<(), Failure> {
    let Some(trust) = trust else {
        let inspected = Inspected::read_technical_signature(bytes).map_err(Error::from)?;
        let mut text = format!("a technical signature; {UNVERIFIED}\n");
        let evidence = inspected.evidence();
        show_evidence(&mut text, evidence);
        let json = json!({ "kind": "xades", "verified": false, "evidence": described_evidence(evidence) });
        return output.result(&text, &json);
    };
    let verified = Verified::<Xades>::check(bytes.to_vec(), trust, Timestamp::now()).map_err(Error::from)?;
    let mut text =
        String::from("a technical signature, verified: it is unchanged, and sealed by the expected sealer\n");
    show_evidence(&mut text, verified.evidence());
    let evidence = described_evidence(verified.evidence());
    output.result(&text, &json!({ "kind": "xades", "verified": true, "evidence": evidence }))
}

/// Writes the certificate of the newest signature that is not a timestamp. The file may be a pin that others verify with,
/// so it is overwritten only if asked for.
fn write_pin(inspected: &Inspected, path: &Path, overwrites: bool) -> Result<(), Failure> {
    let mut signatures = inspected.signatures().iter().map(|(signature, _)| signature).rev();
    let seal = signatures.find(|signature| !signature.is_timestamp());
    let seal = seal.ok_or_else(|| Failure::Document("the document has no seal to pin".to_owned()))?;
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in STANDARD.encode(seal.certificate()).as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    let mut options = OpenOptions::new();
    options.write(true).truncate(overwrites).create(overwrites).create_new(!overwrites);
    let written = options.open(path).and_then(|mut file| file.write_all(pem.as_bytes()));
    let written = written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => io::Error::new(error.kind(), "it already exists; --force overwrites it"),
        _ => error,
    });
    Ok(written.map_err(cannot(FileAction::Write, path))?)
}

fn show(text: &mut String, signature: &CheckedSignature, fault: Option<&str>) {
    let mut row = |name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{name:<16}{}", plain(value));
    };
    let optional = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    row("", &"");
    row(if signature.is_timestamp() { "timestamp by" } else { "sealed by" }, &signature.subject());
    row("issued by", &signature.issuer());
    row("SHA-256", &fingerprint(signature));
    let (start, end) = signature.validity();
    row("certificate", &format_args!("{start} to {end}"));
    row("time", &optional(signature.time()));
    if signature.provable_until().is_some() {
        row("proven at", &optional(signature.proven_at()));
        row("provable until", &optional(signature.provable_until()));
        let missing: Vec<_> = signature.missing().iter().map(ToString::to_string).collect();
        row("missing", &if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") });
    }
    for reason in signature.ignored_timestamps() {
        row("ignored", &format_args!("timestamp: {reason}"));
    }
    if let Some(fault) = fault {
        row("invalid", &fault);
    }
}

fn show_evidence(text: &mut String, evidence: &Evidence) {
    let secret = |value: Option<&SecretString>| value.map_or("-", |value| value.expose_secret()).to_owned();
    let rows = [
        ("signer", secret(evidence.signer_name())),
        ("identifier", secret(evidence.signer_national_id())),
        ("nationality", secret(evidence.signer_nationality())),
        ("method", evidence.method().unwrap_or("-").to_owned()),
        ("signed at", evidence.time().map_or_else(|| "-".to_owned(), |time| time.to_string())),
        ("document", secret(evidence.document_title())),
        ("stated by", evidence.sealed_by().subject().to_owned()),
    ];
    text.push('\n');
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<16}{}", plain(value));
    }
}

fn described(signature: &CheckedSignature, fault: Option<&str>) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let (start, end) = signature.validity();
    json!({
        "is_timestamp": signature.is_timestamp(),
        "subject": signature.subject(),
        "issuer": signature.issuer(),
        "organization": signature.organization_number().map(ToString::to_string),
        "sha256": fingerprint(signature),
        "not_before": start.to_string(),
        "not_after": end.to_string(),
        "time": time(signature.time()),
        "proven_at": time(signature.proven_at()),
        "provable_until": time(signature.provable_until()),
        "missing": signature.missing().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "ignored_timestamps": signature.ignored_timestamps().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "fault": fault,
    })
}

fn described_evidence(evidence: &Evidence) -> Value {
    let secret = |value: Option<&SecretString>| value.map(|value| value.expose_secret().to_owned());
    json!({
        "signer": secret(evidence.signer_name()),
        "identifier": secret(evidence.signer_national_id()),
        "nationality": secret(evidence.signer_nationality()),
        "method": evidence.method(),
        "time": evidence.time().map(|time| time.to_string()),
        "document": secret(evidence.document_title()),
        "sealed_by": described(evidence.sealed_by(), None),
    })
}

fn fingerprint(signature: &CheckedSignature) -> String {
    signature.fingerprint().map(|byte| format!("{byte:02x}")).concat()
}
