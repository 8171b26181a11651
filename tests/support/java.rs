//! The Java programs of the tree: built with Maven, and asked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Whether the Java programs can be built. CI has Maven, and a test that was skipped there would go unnoticed.
pub fn has_maven() -> bool {
    let has = Command::new("mvn").arg("-version").output().is_ok_and(|output| output.status.success());
    if !has {
        assert!(std::env::var_os("CI").is_none(), "CI needs Maven");
        eprintln!("skipped: needs Maven");
    }
    has
}

/// What the EU's DSS says about the signatures of files, under the roots in a PEM file: a line for each signature.
pub fn dss(roots: &Path, files: &[&Path]) -> Vec<serde_json::Value> {
    dss_under(&[Path::new("--trust"), roots], files)
}

/// The same, with more options.
pub fn dss_under(options: &[impl AsRef<OsStr>], files: &[impl AsRef<OsStr>]) -> Vec<serde_json::Value> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let judge = BUILT.get_or_init(|| maven("tests/java/dss", "dss", "package", &[]).0.join("dss-judge.jar"));
    let output = Command::new("java").arg("-jar").arg(judge).args(options).args(files).output();
    let output = output.expect("needs java");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether files are PDF/A of a kind (`3b`), by veraPDF: "yes", or the rules that a file breaks.
pub fn verapdf(kind: &str, files: &[&Path]) -> Vec<String> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let judge = BUILT.get_or_init(|| maven("tests/java/verapdf", "pdfa", "package", &[]).0.join("pdfa-judge.jar"));
    let output = Command::new("java").arg("-jar").arg(judge).arg(kind).args(files).output().expect("needs java");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Runs a phase of a Maven project of the tree: without the network, if everything was fetched before. Returns where
/// the result is, and what Maven said.
pub fn maven(project: &str, name: &str, phase: &str, properties: &[String]) -> (PathBuf, String) {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../java").join(name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join(project).is_dir()).unwrap();
    let build = |offline: &[&str]| {
        let mut command = Command::new("mvn");
        command.args(["-B", phase]).args(offline).args(properties).arg(format!("-Doutput={}", output.display()));
        command.current_dir(root.join(project)).output().expect("needs mvn (Maven)")
    };
    let built = build(&["-o"]);
    let text = |built: &Output| String::from_utf8_lossy(&built.stdout).into_owned();
    let lacks = !built.status.success() && text(&built).contains("offline");
    let built = if lacks { build(&[]) } else { built };
    assert!(built.status.success(), "{}", text(&built));
    (output, text(&built))
}
