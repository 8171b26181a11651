//! The program of the guide, as a newcomer runs it: in an empty directory, then once more.

use std::fs;
use std::path::Path;
use std::process::Command;

use posten_signering::portal::{JobRequest, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{ContactInformation, Document};

#[test]
fn the_program_of_the_guide_gets_a_signed_pdf_and_can_be_run_again() {
    let directory = tempfile::tempdir().unwrap();
    let first = run(directory.path());
    assert!(first.ends_with("contract 1  COMPLETED_SUCCESSFULLY  signed-1.pdf\n"), "{first}");
    // The sandbox and the database have kept the first job.
    let second = run(directory.path());
    assert!(second.contains("contract 1  COMPLETED_SUCCESSFULLY  signed-1.pdf\n"), "{second}");
    assert!(second.ends_with("contract 2  COMPLETED_SUCCESSFULLY  signed-2.pdf\n"), "{second}");
    for file in ["signed-1.pdf", "signed-2.pdf"] {
        assert!(fs::read(directory.path().join(file)).unwrap().starts_with(b"%PDF-"), "{file}");
    }
}

#[test]
fn a_job_is_found_by_its_reference_when_the_process_that_created_it_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path());
    // What a process leaves behind that ends after it has sent a job, before it has the answer.
    let contracts = rusqlite::Connection::open(directory.path().join("contracts.sqlite")).unwrap();
    contracts.execute("INSERT INTO contract (state) VALUES ('SENDING')", []).unwrap();
    // The runtime ends with the job, and the sandbox with the runtime: its ports are free for the next one.
    tokio::runtime::Runtime::new().unwrap().block_on(signed(&directory.path().join("sandbox"), "contract-2"));

    let printed = run(directory.path());
    assert!(printed.contains("contract 2  COMPLETED_SUCCESSFULLY  signed-2.pdf\n"), "{printed}");
}

/// A signed job in the sandbox of this directory.
async fn signed(directory: &Path, reference: &str) {
    let sandbox = Sandbox::start_with(Sandbox::builder().directory(directory).build()).await.unwrap();
    let kari = Signer::contact(ContactInformation::email("kari@example.com".parse().unwrap())).build();
    let request = JobRequest::builder()
        .title("Arbeidsavtale".parse().unwrap())
        .reference(reference.parse().unwrap())
        .document(Document::text("Avtale", "Hei").unwrap())
        .signer(kari.clone())
        .build();
    let job = sandbox.client().portal().create(&request).await.unwrap();
    sandbox.log_in(job.id(), kari.name()).unwrap().sign().unwrap();
}

/// Runs the program in a directory, and returns what it prints.
fn run(directory: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_first_portal_job")).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_guide_names_the_dependencies_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(root.join("src/guide/first_portal_job.md")).unwrap();
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    // The database as the example has it, line for line.
    let rusqlite = workspace.lines().find(|line| line.starts_with("rusqlite = ")).unwrap();
    assert!(guide.contains(rusqlite), "{rusqlite}");
    let own = fs::read_to_string(root.join("examples/first_portal_job/Cargo.toml")).unwrap();
    let features = own.lines().find(|line| line.starts_with("tokio = ")).unwrap();
    let features = features.split_once("features").unwrap().1;
    assert!(guide.contains(&format!("tokio = {{ version = \"1\", features{features}")), "{features}");
}
