//! The cost of `signering inspect` for hostile documents. Read from `/proc`, so on Linux only.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/cost.rs"]
mod cost;
#[path = "../../tests/support/dear.rs"]
mod dear;
#[path = "../../tests/support/hostile.rs"]
mod hostile;

use std::path::Path;

#[test]
fn inspecting_a_hostile_document_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hostile");
    let mut over = Vec::new();
    let roots = directory.path().join("roots.pem");
    let dear = dear::pdfs().into_iter().chain(dear::xmls());
    for document in hostile::pdfs().into_iter().chain(hostile::xmls()).chain(dear) {
        std::fs::write(&file, &document.bytes).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_signering"));
        let mut arguments = vec!["inspect", file.to_str().unwrap()];
        if let Some(root) = &document.trust {
            std::fs::write(&roots, root).unwrap();
            arguments.extend(["--roots", roots.to_str().unwrap(), "--sealer-organization", dear::SEALER]);
        }
        let cost = cost::of_a_program(program, &arguments, document.bytes.len());
        let line = format!("| {} | {:.1} MB | inspect | {cost} |", document.what, document.bytes.len() as f64 / 1e6);
        println!("{line}");
        assert!(cost.outcome.starts_with("exit status"), "{line}");
        if !cost.is_within_limits() {
            over.push(line);
        }
    }
    assert!(over.is_empty(), "more than {} s or {} MB:\n{}", cost::MOST_SECONDS, cost::MOST_MB, over.join("\n"));
}
