//! Programs that we did not write, asked about our signatures: in an unpacked package with `root.pem` beside it, or in
//! files of any kind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

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

/// What the EU's DSS says about the signatures of files, under the roots in a PEM file: a line for each signature.
pub fn dss(roots: &Path, files: &[&Path]) -> Vec<serde_json::Value> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let judge = BUILT.get_or_init(|| maven("tests/java/dss", "dss").join("dss-judge.jar"));
    let output = Command::new("java").arg("-jar").arg(judge).arg("--trust").arg(roots).args(files).output();
    let output = output.expect("needs java");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Builds a Maven project of the tree: without the network, if everything was fetched before. Returns where the result is.
pub fn maven(project: &str, name: &str) -> PathBuf {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../java").join(name);
    let build = |offline: &[&str]| {
        let mut command = Command::new("mvn");
        command.args(["-q", "-B", "package"]).args(offline).arg(format!("-Doutput={}", output.display()));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(project)).output().expect("needs mvn (Maven)")
    };
    let built = build(&["-o"]);
    let built = if built.status.success() { built } else { build(&[]) };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stdout));
    output
}
