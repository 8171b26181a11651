//! The official Java client, as it is published, against the program `signering sandbox`.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use self::support::java::{has_maven, maven};
use self::support::pdf;
use self::support::process::Running;

/// Its steps are in `tests/clients/java`.
#[test]
#[ignore = "outside tool: needs mvn and java"]
fn outside_the_official_java_client_walks_through_all_flows() {
    if !has_maven() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_signering"));
    command.args(["--json", "sandbox", "--port", "0", "--web-port", "0", "--poll-interval", "2", "--archive", "--dir"]);
    command.arg(directory.path()).stdout(Stdio::piped());
    let mut sandbox = Running(command.spawn().unwrap());
    let mut line = String::new();
    let mut output = BufReader::new(sandbox.0.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    std::fs::write(directory.path().join("document.pdf"), pdf::page("Avtale")).unwrap();

    let start = Instant::now();
    let properties = [
        format!("-Dsandbox.api={}", told["environment"].as_str().unwrap()),
        format!("-Dsandbox.web={}", told["web"].as_str().unwrap()),
        format!("-Dsandbox.files={}", directory.path().display()),
    ];
    let (_, said) = maven("tests/clients/java", "client", "test", &properties);
    let count = said.lines().rfind(|line| line.contains("Tests run:")).unwrap_or_default();
    println!("{} in {} s", count.trim_start_matches("[INFO] "), start.elapsed().as_secs());
    assert!(count.contains("Failures: 0, Errors: 0, Skipped: 0"), "{said}");
}
