//! `signering inspect`: what is in a document package or a signed PDF, and whether its signatures hold.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use posten_signering::sandbox::InspectedPackage;
use posten_signering::verify::Verified;
use posten_signering::{Error, FileAction, TrustAnchors};
use serde_json::json;

use super::connection::roots;
use super::failure::{Failure, cannot};
use super::output::Output;

#[derive(Args)]
pub struct Inspect {
    /// A document package (.asice, .zip) or a signed PDF
    file: PathBuf,
    /// For a PDF: root certificates that its signatures must end in, as a file or a directory of files
    #[arg(long, value_name = "PATH")]
    roots: Option<PathBuf>,
}

impl Inspect {
    pub fn run(self, output: &Output) -> Result<(), Failure> {
        let bytes = std::fs::read(&self.file).map_err(cannot(FileAction::Read, &self.file))?;
        if bytes.starts_with(b"PK") {
            return package(&bytes, output);
        }
        if !bytes.starts_with(b"%PDF") {
            return Err(Failure::Document("this is neither a package (ZIP) nor a PDF".to_owned()));
        }
        let path = self.roots.ok_or_else(|| Failure::Usage("the signatures of a PDF need --roots".to_owned()))?;
        pdf(bytes, &roots(&path)?, output)
    }
}

fn package(bytes: &[u8], output: &Output) -> Result<(), Failure> {
    let package = InspectedPackage::read(bytes).map_err(|error| Failure::Document(error.to_string()))?;
    let flow = if package.is_portal { "portal" } else { "direct" };
    let mut text = format!(
        "a package for the {flow} flow, with every file signed\ntitle      {}\nsender     {}\nsigned by  {}\nsigned at  {}\n",
        package.title, package.sender, package.signed_by, package.signed_at,
    );
    for document in &package.documents {
        let (name, title, bytes) = (&document.file_name, &document.title, document.content.len());
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

fn pdf(bytes: Vec<u8>, roots: &TrustAnchors, output: &Output) -> Result<(), Failure> {
    let verified = Verified::check(bytes, roots, Timestamp::now()).map_err(Error::from)?;
    let mut text = String::from("a PDF whose signatures all hold\n");
    for signature in verified.signatures() {
        let kind = if signature.is_timestamp() { "timestamp" } else { "signature" };
        let time =
            signature.time().map_or_else(|| "at a time that it does not tell".to_owned(), |time| time.to_string());
        text.push_str(&format!("{kind}  {} {time}\n", signature.subject()));
    }
    let signatures = verified.signatures().iter().map(|signature| {
        json!({
            "is_timestamp": signature.is_timestamp(),
            "subject": signature.subject(),
            "organization": signature.organization_number().map(ToString::to_string),
            "time": signature.time().map(|time| time.to_string()),
        })
    });
    output.result(&text, &json!({ "kind": "pdf", "signatures": signatures.collect::<Vec<_>>() }))
}
