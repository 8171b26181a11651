//! What several tests need.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod judges;
#[path = "../../examples/support/pdf.rs"]
pub mod pdf;
pub mod server;

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
    ExitUrls::new("https://me.example/done?case=1", "https://me.example/no", "https://me.example/oops").unwrap()
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
