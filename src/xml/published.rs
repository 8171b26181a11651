//! The published example documents, read and written again.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::generated::*;
use super::{Document, Strictness, read, write};

/// The published schemas and examples, which are not part of the crate.
fn spec() -> Option<PathBuf> {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/spec");
    if !spec.is_dir() {
        eprintln!("skipped: needs ../shared/spec");
        return None;
    }
    Some(spec)
}

fn rewritten<T: Document + PartialEq>(name: &str, text: &str) -> String {
    let first = read::<T>(text, Strictness::Strict).unwrap_or_else(|error| panic!("{name}: {error}"));
    let tolerant = read::<T>(text, Strictness::Tolerant).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written = write(&first).unwrap_or_else(|error| panic!("{name}: {error}"));
    let second = read::<T>(&written, Strictness::Strict).unwrap_or_else(|error| panic!("{name}: {error}"));
    // `==` because wire types have no `Debug`.
    assert!(first == second && first == tolerant, "{name} came back different: {written}");
    written
}

/// Every published document of the API, written again by us.
fn all() -> Option<Vec<(String, String)>> {
    let examples = spec()?.join("examples");
    let mut done = Vec::new();
    let mut waiting = vec![examples.join("direct"), examples.join("portal")];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(&examples).unwrap().display().to_string().replace('\\', "/");
            let text = std::fs::read_to_string(&path).unwrap();
            let flow = name.split('/').next().unwrap();
            let kind = path.file_stem().unwrap().to_str().unwrap();
            let written = match (flow, kind) {
                ("direct", "request") => rewritten::<DirectSignatureJobRequest>(&name, &text),
                ("direct", "response") => rewritten::<DirectSignatureJobResponse>(&name, &text),
                ("direct", "signer-response") => rewritten::<DirectSignerResponse>(&name, &text),
                ("direct", "signer-update-request") => rewritten::<DirectSignerUpdateRequest>(&name, &text),
                ("direct", "status-response") => rewritten::<DirectSignatureJobStatusResponse>(&name, &text),
                ("direct", manifest) if manifest.starts_with("manifest") => {
                    rewritten::<DirectSignatureJobManifest>(&name, &text)
                }
                ("portal", "request") => rewritten::<PortalSignatureJobRequest>(&name, &text),
                ("portal", "response") => rewritten::<PortalSignatureJobResponse>(&name, &text),
                ("portal", status) if status.starts_with("status-change-response") => {
                    rewritten::<PortalSignatureJobStatusChangeResponse>(&name, &text)
                }
                ("portal", manifest) if manifest.starts_with("manifest") => {
                    rewritten::<PortalSignatureJobManifest>(&name, &text)
                }
                _ => panic!("{name}: an example that this test does not know"),
            };
            done.push((name, written));
        }
    }
    Some(done)
}

#[test]
fn every_published_example_is_read_and_written_again() {
    if let Some(documents) = all() {
        assert!(documents.len() >= 21, "only {} examples", documents.len());
    }
}

#[test]
#[ignore = "outside tool: needs xmllint"]
fn outside_every_rewritten_example_is_valid_by_the_published_and_by_our_schemas() {
    let (Some(spec), Some(documents)) = (spec(), all()) else { return };
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let directory = std::env::temp_dir().join(format!("posten-signering-examples-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for (name, text) in &documents {
        let file = directory.join("document.xml");
        std::fs::write(&file, text).unwrap();
        let flow = name.split('/').next().unwrap();
        for schema in [spec.join("xsd/direct-and-portal.xsd"), ours.join(format!("{flow}.xsd"))] {
            let output = Command::new("xmllint").arg("--noout").arg("--schema").arg(&schema).arg(&file).output();
            let output = output.expect("needs xmllint");
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name} by {}: {message}\n{text}", schema.display());
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
    println!("{} documents valid by the published schemas and by ours", documents.len());
}
