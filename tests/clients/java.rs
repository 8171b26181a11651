//! The official Java client, version 7: metadata first, no disposition, the whole chain, everything deflated, the default
//! queue as a parameter without a value, and a document for a new redirect URL.

use zip::CompressionMethod;

use super::package::{Namespaces, Style};
use super::raw::multipart;
use super::walk::{self, Profile};

fn profile() -> Profile {
    Profile {
        style: Style {
            namespaces: Namespaces::Prefixes(["ns2", "", "ns3"]),
            certificates: usize::MAX,
            order: [0, 1, 2],
            method: CompressionMethod::Deflated,
            streamed: true,
            tool: false,
            issuer: |certificate| certificate.rfc4514(),
        },
        documents: &[("avtale.pdf", "avtale.pdf"), ("vilkaar.pdf", "vilkaar.pdf")],
        prefix: "",
        common: "Connection: keep-alive\r\nUser-Agent: posten-signature-api-client-java/7.0.4 (21.0.2)\r\n",
        multipart: |request, package| {
            let xml = ("Content-Type: application/xml", request);
            ("multipart/mixed; boundary=x", multipart(&[xml, ("Content-Type: application/octet-stream", package)]))
        },
        accept: [
            "application/xml",
            "application/octet-stream, application/xml",
            "application/octet-stream, application/xml",
        ],
        renewal: (
            "Content-Type: application/xml\r\n",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
             <direct-signer-update-request xmlns=\"http://signering.posten.no/schema/v1\"><redirect-url/>\
             </direct-signer-update-request>",
        ),
        queue: ("?polling_queue", ""),
    }
}

#[tokio::test]
async fn a_java_program_walks_through_the_direct_flow() {
    walk::direct(profile()).await;
}

#[tokio::test]
async fn a_java_program_walks_through_the_portal_flow() {
    walk::portal(profile()).await;
}

/// An empty element in the request, and a parameter without a value, are the same queue.
#[tokio::test]
async fn an_empty_name_is_the_default_queue() {
    for query in ["", "?polling_queue", "?polling_queue="] {
        walk::portal(Profile { queue: (query, "<polling-queue></polling-queue>"), ..profile() }).await;
        walk::portal(Profile { queue: (query, ""), ..profile() }).await;
    }
}
