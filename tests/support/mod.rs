//! What several tests need. The tests of the other members take single files of it.

#![allow(dead_code, reason = "each test binary uses its own part")]

#[macro_use]
#[allow(unused_macros, reason = "two test binaries run the flows")]
mod flows;
pub mod archive;
pub mod cost;
#[cfg(feature = "sandbox")]
pub mod dear;
#[cfg(feature = "sandbox")]
pub mod hostile;
pub mod java;
pub mod judges;
#[path = "../../examples/support/pdf.rs"]
pub mod pdf;
pub mod pdfa;
pub mod process;
#[cfg(feature = "sandbox")]
pub mod queue;
#[cfg(feature = "sandbox")]
pub mod raw;
#[cfg(feature = "metrics")]
pub mod recorder;
#[cfg(all(feature = "sandbox", feature = "verify"))]
pub mod sealed;
pub mod server;
pub mod tempfile;
pub mod traced;

use std::path::Path;
use std::process::Command;

use posten_signering::direct::{JobRequest, Signer, Signers};
use posten_signering::{Document, ExitUrls};

/// What is a PDF by its header and trailer, and not much more.
pub fn tiny_pdf() -> &'static str {
    "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
}

/// A signer by personal number, and one by identifier.
pub fn kari() -> Signer {
    Signer::national_id("01010012345".parse().unwrap())
}

pub fn ola() -> Signer {
    Signer::identified_by("Ola Nordmann <ola@example.com>".parse().unwrap())
}

pub fn exit_urls() -> ExitUrls {
    ExitUrls::builder()
        .completion("https://me.example/done?case=1")
        .rejection("https://me.example/no")
        .error("https://me.example/oops")
        .build()
        .unwrap()
}

/// A request with these signers and nothing optional.
pub fn request(signers: impl IntoIterator<Item = Signer>) -> JobRequest {
    JobRequest::builder()
        .title("Avtale med æøå & <tegn>".parse().unwrap())
        .document(Document::pdf("Dokument \"1\"", tiny_pdf()).unwrap())
        .signer(Signers::new(signers).unwrap())
        .exit_urls(exit_urls())
        .build()
}

/// Asks xmllint whether each document is valid by our own schema and by the published ones, if they are there.
pub fn valid_by_the_schemas(ours: &str, documents: &[String], at_least: usize) {
    assert!(documents.len() >= at_least, "only {}", documents.len());
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut schemas = vec![here.join("schemas").join(ours)];
    let published = here.join("../shared/spec/xsd/direct-and-portal.xsd");
    if published.is_file() {
        schemas.push(published);
    } else {
        eprintln!("skipped in part: needs ../shared/spec");
    }
    let directory = tempfile::tempdir().unwrap();
    for (at, document) in documents.iter().enumerate() {
        let file = directory.path().join(format!("{at}.xml"));
        std::fs::write(&file, document).unwrap();
        for schema in &schemas {
            let output =
                Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(schema).arg(&file).output();
            let output = output.expect("needs xmllint");
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "by {}: {message}\n{document}", schema.display());
        }
    }
    println!("{} documents valid by {} schemas", documents.len(), schemas.len());
}
