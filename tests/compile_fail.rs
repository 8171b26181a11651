//! What must not compile, and what the compiler says about it.
//!
//! The cases are compiled against the library that this test was built with, so nothing is built for them.
//! `COMPILE_FAIL=overwrite` writes the messages anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread::{self, available_parallelism};

use serde_json::Value;

/// The messages are those of this compiler. Others say the same in other words.
const RUSTC: &str = "rustc 1.95.";

/// Where the cases are.
const CASES: &str = "tests/compile_fail";

/// The features of the library, and whether this test was built with them.
const FEATURES: [(&str, bool); 8] = [
    ("default", cfg!(feature = "default")),
    ("blocking", cfg!(feature = "blocking")),
    ("metrics", cfg!(feature = "metrics")),
    ("sandbox", cfg!(feature = "sandbox")),
    ("testing", cfg!(feature = "testing")),
    ("verify", cfg!(feature = "verify")),
    ("__bench", cfg!(feature = "__bench")),
    ("__test", cfg!(feature = "__test")),
];

/// The crates that a case can name.
const CRATES: [&str; 5] = ["posten_signering", "secrecy", "serde", "serde_json", "tokio"];

/// Compiles only if every crate is there, and is the one that the library was built with.
const CONTROL: &str = "
    use posten_signering::{Identity, direct::JobHandle};
    fn stored<T: serde::Serialize>(handle: &T) -> String { serde_json::to_string(handle).unwrap() }
    fn identity(password: &secrecy::SecretString) { let _ = Identity::from_pkcs12(&[], password); }
    fn main() { let _ = (stored::<JobHandle>, identity, tokio::time::sleep); }
";

#[test]
fn what_must_not_compile_does_not() {
    let compiler = Compiler::of_this_test();
    let mut cases: Vec<_> = fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(!cases.is_empty(), "no cases in {CASES}");
    let (cases, failures) = (Mutex::new(cases), Mutex::new(Vec::new()));
    let next = || cases.lock().unwrap().pop();
    thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = next() {
                    failures.lock().unwrap().extend(compiler.failure(&case));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} failures:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// The compiler, and the crates that it is given.
struct Compiler {
    rustc: String,
    /// Whether its messages are those that are kept.
    pinned: bool,
    crates: Vec<String>,
    out: PathBuf,
}

impl Compiler {
    fn of_this_test() -> Self {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        let version = Command::new(&rustc).arg("--version").output().expect("there is a compiler").stdout;
        let pinned = version.starts_with(RUSTC.as_bytes());
        if !pinned {
            eprintln!("the messages are not compared: they are those of {RUSTC}x");
        }
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
        fs::create_dir_all(&out).unwrap();
        let control = out.join("control.rs");
        fs::write(&control, CONTROL).unwrap();
        let mut this = Self { rustc, pinned, crates: Vec::new(), out };
        let mut message = String::new();
        for crates in builds() {
            this.crates = crates;
            match this.compile(&control) {
                Ok(()) => return this,
                Err(why) => message = why,
            }
        }
        panic!("what must compile does not, so no case shows anything:\n{message}");
    }

    /// Compiles a program. What the compiler says if it refuses.
    fn compile(&self, program: &Path) -> Result<(), String> {
        let output = Command::new(&self.rustc)
            .args(["--edition=2024", "--crate-type=bin", "--emit=metadata"])
            .args(["--verbose", "--color=never", "--allow=dead_code"])
            .args(&self.crates)
            .arg("--out-dir")
            .args([&self.out, program])
            .output()
            .expect("the compiler runs");
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }

    /// What is wrong with a case, if something is.
    fn failure(&self, case: &Path) -> Option<String> {
        let name = case.display();
        let Err(message) = self.compile(case) else { return Some(format!("{name} compiles")) };
        let found = normalized(&message, &name.to_string());
        let file = case.with_extension("stderr");
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if self.pinned && std::env::var("COMPILE_FAIL").is_ok_and(|how| how == "overwrite") {
            fs::write(&file, found).unwrap();
        } else if self.pinned && found != expected {
            return Some(format!("{name}: expected\n\n{expected}\nbut the compiler says\n\n{found}"));
        } else if !codes(&expected).any(|code| codes(&found).any(|other| other == code)) {
            return Some(format!("{name} fails for another reason:\n\n{found}"));
        }
        None
    }
}

/// The compiler's arguments for the crates, as cargo has built them for this test. Asking builds nothing.
///
/// Build scripts have their own builds of some, so that there can be several: the first of each that go together are
/// the right ones.
fn builds() -> Vec<Vec<String>> {
    let features: Vec<_> = FEATURES.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--no-run", "--frozen", "--message-format=json", "--test=compile_fail"])
        .args(["--no-default-features", "--features", &features.join(",")])
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .output()
        .expect("there is cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut builds = vec![Vec::new()];
    for name in CRATES {
        let of_name = messages
            .iter()
            .filter(|message| message["target"]["name"] == name && message["target"]["kind"][0] == "lib");
        // The files with a hash in their names, which lie beside the crates that they were built with.
        let files = of_name.flat_map(|message| message["filenames"].as_array().unwrap()).filter_map(Value::as_str);
        let files: Vec<_> = files.filter(|file| file.ends_with(".rmeta")).collect();
        builds = builds
            .iter()
            .flat_map(|build| {
                files.iter().map(move |file| {
                    let directory = Path::new(file).parent().unwrap().display();
                    let arguments = [format!("-Ldependency={directory}"), format!("--extern={name}={file}")];
                    build.iter().cloned().chain(arguments).collect()
                })
            })
            .collect();
    }
    builds
}

/// What the errors of a message begin with: `error[E0308]`, or `error` where there is no code.
fn codes(message: &str) -> impl Iterator<Item = &str> {
    message.lines().filter(|line| line.starts_with("error")).filter_map(|line| line.split(':').next())
}

/// A message without what differs between machines, and without the lines of files other than the case.
fn normalized(message: &str, case: &str) -> String {
    message.replace("\r\n", "\n").split("\n\n").filter_map(|part| diagnostic(part, case)).collect::<Vec<_>>().join("\n")
}

/// One paragraph of a message: an error or a warning with all that belongs to it.
fn diagnostic(part: &str, case: &str) -> Option<String> {
    let epilogue = ["error: aborting due to", "Some errors have detailed", "For more information"];
    if part.trim().is_empty() || epilogue.iter().any(|start| part.starts_with(start)) {
        return None;
    }
    let (mut lines, mut width, mut elsewhere, mut types) = (Vec::new(), 1, None, 0);
    for line in part.lines().map(str::trim_end) {
        let start = line.trim_start();
        let margin = line.len() - start.len();
        let mut line = line.to_owned();
        if start.starts_with("--> ") || start.starts_with("::: ") {
            let place = place(&start[4..], case);
            width = margin;
            line.replace_range(margin + 4.., &place);
            elsewhere = (!place.starts_with(case)).then_some(place);
        } else if let Some(place) = &elsewhere
            && start.starts_with(|first: char| "|.".contains(first) || first.is_ascii_digit())
        {
            // The standard library's source is not on every machine.
            if place.starts_with("$RUST") {
                continue;
            }
            let digits = digits(&line);
            line.replace_range(..digits, &" ".repeat(digits));
        } else {
            elsewhere = None;
        }
        // A list of all types that implement a trait is cut after eight.
        types = match types {
            0 if start.starts_with("= help: the following") && start.contains("types implement trait") => 1,
            1.. if margin > 10 => types + 1,
            _ => 0,
        };
        match types {
            ..10 => lines.push(line),
            10 => lines.push(format!("{:1$}and $N others", "", margin - 2)),
            _ => {}
        }
    }
    // Without the numbers of other files, the margin is as wide as those of the case.
    let spare = " ".repeat(width - lines.iter().map(|line| digits(line)).max().unwrap_or_default().max(1));
    for line in &mut lines {
        let digits = digits(line);
        if line[digits..].starts_with(&spare) {
            line.replace_range(digits..digits + spare.len(), "");
        }
        line.push('\n');
    }
    Some(lines.concat())
}

/// How many digits a line begins with.
fn digits(line: &str) -> usize {
    line.bytes().take_while(u8::is_ascii_digit).count()
}

/// A place in a file: in the case with its line, elsewhere without.
fn place(place: &str, case: &str) -> String {
    let place = place.strip_prefix(env!("CARGO_MANIFEST_DIR")).map_or(place, |rest| rest.trim_start_matches('/'));
    if place.starts_with(case) {
        return place.to_owned();
    }
    let file = place.rsplitn(3, ':').last().unwrap_or(place);
    if let Some((_, file)) = file.split_once("/library/") {
        format!("$RUST/{file}")
    } else if let Some((_, file)) = file.split_once("/out/") {
        format!("$OUT_DIR/{file}")
    } else if let Some((_, file)) = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/')) {
        format!("$CARGO/{file}")
    } else {
        file.to_owned()
    }
}
