//! Programs that we did not write, asked about the signature in an unpacked package with `root.pem` beside it.

use std::path::Path;
use std::process::Command;

/// Whether xmlsec1 accepts `META-INF/signatures.xml`, with the root as the only trusted certificate.
pub fn xmlsec1_accepts(directory: &Path) -> bool {
    let id = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties";
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--trusted-pem", "root.pem", "--id-attr:Id", id, "META-INF/signatures.xml"]);
    command.current_dir(directory).output().expect("needs xmlsec1").status.success()
}

/// Whether the JDK's own XML signatures accept it.
pub fn jdk_accepts(directory: &Path) -> bool {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/VerifyPackage.java");
    let output = Command::new("java").arg(program).arg(directory).output().expect("needs java");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("valid") || text.starts_with("INVALID"), "{output:?}");
    output.status.success()
}
