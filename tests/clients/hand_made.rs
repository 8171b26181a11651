//! Clients that somebody wrote by hand, as seen in production: the package first or last, a queue of their own, prefixes of
//! their own, ZIPs of common tools, and any `Accept` for a PAdES.

use zip::CompressionMethod;

use super::package::{Namespaces, Style};
use super::raw::multipart;
use super::walk::{self, Profile};

const XML: &str = "Content-Type: application/xml";
const PACKAGE: &str = "Content-Type: application/octet-stream";

fn profile() -> Profile {
    Profile {
        style: Style {
            namespaces: Namespaces::Prefixes(["asic", "ds", "xades"]),
            certificates: usize::MAX,
            order: [0, 1, 2],
            method: CompressionMethod::Deflated,
            streamed: false,
            tool: true,
            issuer: |certificate| certificate.as_java_prints_it(),
        },
        documents: &[("document.pdf", "document.pdf")],
        prefix: "sig:",
        common: "User-Agent: Fagsystem/1.0\r\n",
        multipart: |request, package| ("multipart/mixed; boundary=x", multipart(&[(XML, request), (PACKAGE, package)])),
        accept: ["application/xml", "application/octet-stream, application/pdf", "application/xml"],
        renewal: (
            "Content-Type: application/xml\r\n",
            "<s:direct-signer-update-request xmlns:s=\"http://signering.posten.no/schema/v1\"><s:redirect-url/>\
             </s:direct-signer-update-request>",
        ),
        queue: ("?polling_queue=K%C3%B8%201.2%3A%2Favtaler", "<polling-queue>Kø 1.2:/avtaler</polling-queue>"),
    }
}

/// With everything the other way round that can be.
fn reversed() -> Profile {
    let own = profile();
    Profile {
        style: Style { order: [2, 1, 0], method: CompressionMethod::Stored, ..own.style },
        multipart: |request, package| ("multipart/mixed; boundary=x", multipart(&[(PACKAGE, package), (XML, request)])),
        accept: ["*/*", "application/octet-stream", "*/*"],
        ..profile()
    }
}

#[tokio::test]
async fn a_hand_made_client_walks_through_the_direct_flow() {
    walk::direct(profile()).await;
    walk::direct(reversed()).await;
}

#[tokio::test]
async fn a_hand_made_client_walks_through_the_portal_flow() {
    walk::portal(profile()).await;
    walk::portal(reversed()).await;
}
