//! The official .NET client, version 9: a quoted boundary, `Content-Disposition` on the parts, the leaf alone, names of
//! documents as given, no `Accept`, and an empty request for a new redirect URL.

use zip::CompressionMethod;

use super::package::{Namespaces, Style};
use super::raw::multipart;
use super::walk::{self, Profile};

/// The order of the entries differs between its flows.
fn profile(order: [usize; 3]) -> Profile {
    Profile {
        style: Style {
            namespaces: Namespaces::Default,
            certificates: 1,
            order,
            method: CompressionMethod::Deflated,
            streamed: false,
            tool: false,
            issuer: |certificate| certificate.as_java_prints_it(),
        },
        documents: &[("Avtale.pdf", "Avtale.pdf"), ("Vilkår og pris.pdf", "Vilk%C3%A5r%20og%20pris.pdf")],
        prefix: "",
        common: "User-Agent: posten-signature-api-client-dotnet/9.0.0 (netcore/8.0.0)\r\n",
        multipart: |request, package| {
            let xml = ("Content-Type: application/xml\r\nContent-Disposition: attachment", request);
            let zip = ("Content-Type: application/octet-stream\r\nContent-Disposition: attachment", package);
            ("multipart/mixed; boundary=\"x\"", multipart(&[xml, zip]))
        },
        accept: ["", "", ""],
        renewal: ("", ""),
        queue: ("", ""),
    }
}

#[tokio::test]
async fn a_dotnet_program_walks_through_the_direct_flow() {
    walk::direct(profile([0, 2, 1])).await;
}

#[tokio::test]
async fn a_dotnet_program_walks_through_the_portal_flow() {
    walk::portal(profile([0, 1, 2])).await;
}
