//! The commands of the guide `command_line`, as a reader types them.
#![cfg(unix)]

mod support;

use std::path::Path;
use std::process::Command;

use posten_signering::portal::SignerName;
use posten_signering::{ContactInformation, JobId, direct};

use self::support::desk::{Desk, Run, run};

/// Runs a line of the guide in a shell, after its `export` lines.
fn typed(desk: &Desk, exports: &str, line: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_signering")).parent().unwrap();
    let mut shell = Command::new("sh");
    shell.current_dir(desk.directory.path()).args(["-ec", &format!("{exports}{line}")]);
    shell.env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap()));
    run(&mut shell)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_guide_can_be_typed_one_after_the_other() {
    let desk = Desk::new().await;
    // In place of `signering sandbox`, whose ports are fixed.
    std::fs::create_dir(desk.path("sandbox")).unwrap();
    desk.sandbox.write_client_files(desk.path("sandbox")).unwrap();
    std::fs::copy(desk.path("contract.pdf"), desk.path("avtale.pdf")).unwrap();

    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/guide/command_line.md"));
    let guide = guide.unwrap();
    let section = guide.split_once("\n# Signing\n").unwrap().1.split_once("\n# For scripts").unwrap().0;
    let section = section.replace("\\\n", "");
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    let (mut exports, mut commands, mut out) = (String::new(), 0, String::new());
    let number = |at: &str| serde_json::from_str::<JobId>(at).unwrap();
    let is_typed = |line: &&str| !line.starts_with('#') && !line.starts_with("signering sandbox");
    for line in blocks.flat_map(str::lines).filter(is_typed) {
        if line.starts_with("export ") {
            exports += &line.replace("https://127.0.0.1:8443/api", &desk.environment());
            exports += "\n";
            continue;
        }
        // What people do between the commands, and what a reader replaces.
        let mut line = line.replace("--follow ", "");
        if line.starts_with("signering direct status") {
            let back =
                desk.sandbox.sign(number("1"), &direct::SignerName::Identifier("kari".parse().unwrap())).unwrap();
            line = line.replace("https://me.example/?status_query_token=...", back.url().as_str());
        }
        if line.starts_with("signering portal poll") {
            for address in ["kari@example.com", "ola@example.com", "per@example.com"] {
                let signer = SignerName::from(ContactInformation::email(address.parse().unwrap()));
                desk.sandbox.log_in(number("2"), &signer).unwrap().sign().unwrap();
            }
        }
        if line.starts_with("signering archive") {
            line = line.replace("ID", &desk.sandbox.archive(number("2")).unwrap());
        }
        // All have signed by then.
        let code = if line.starts_with("signering portal cancel") { 6 } else { 0 };
        let run = typed(&desk, &exports, &line);
        assert_eq!(run.code, code, "{line}: {run:?}");
        commands += 1;
        out += &run.out;
    }
    assert!(commands >= 10, "{commands}");
    assert_eq!(out.matches("COMPLETED_SUCCESSFULLY").count(), 2, "{out}");
}
