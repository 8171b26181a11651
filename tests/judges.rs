//! Signed documents of three groups (good, bad, hostile), judged by the EU's DSS, by pyHanko, by pdfsig and by us.
//!
//! `tests/judges/verdicts.md` lists the verdicts on each file, with the reasons where we differ. The files are made at
//! each run, with new keys. `JUDGES=overwrite` writes the table again: it keeps the reasons, and new differences get
//! none, so that the test fails until they have one.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use jiff::Timestamp;
use posten_signering::direct::{JobRequest, JobStatus, Signers};
use posten_signering::sandbox::{Sandbox, TechnicalSignature};
use posten_signering::verify::{EvidenceForm, FailedVerification, SealTrust, Sealer, Verified};
use posten_signering::{Document, Documents, Pades, TrustAnchors, Xades};

use self::support::java::dss_under;
use self::support::tempfile;
use self::support::{exit_urls, kari, ola, pdf};

/// Whether each judge accepts a file, and its verdict in a few words. `None` if the judge does not read such files.
type Verdicts = BTreeMap<&'static str, Option<(bool, String)>>;

/// What bare technical signatures are about.
const FILE: &str = "avtale.txt";

const JUDGES: [&str; 3] = ["DSS", "pyHanko", "pdfsig"];

#[tokio::test]
#[ignore = "outside tool: needs mvn, java, pyHanko, openssl, qpdf and pdfsig"]
async fn outside_dss_pyhanko_pdfsig_and_we_agree_or_say_why_not() {
    let made = tempfile::tempdir().unwrap();
    let directory = made.path();
    python("make", directory);
    let trust = trust(directory).or(sandbox_documents(directory).await);
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for line in fs::read_to_string(directory.join("groups.txt")).unwrap().lines() {
        let (group, name) = line.split_once(' ').unwrap();
        groups.insert(name.to_owned(), group.to_owned());
    }

    let dss = of_dss(directory);
    let names: Vec<_> = dss.keys().cloned().collect();
    let (pyhanko, pdfsig) = thread::scope(|scope| {
        let pyhanko = scope.spawn(|| of_pyhanko(directory));
        let pdfsig = of_pdfsig(directory, &names);
        (pyhanko.join().unwrap(), pdfsig)
    });

    let mut rows = Vec::new();
    for (name, verdict) in dss {
        // What the sandbox and DSS made themselves is good.
        let group = groups.get(&name).cloned().unwrap_or_else(|| "good".to_owned());
        let ours = ours(directory, &name, &trust);
        let said =
            [("DSS", Some(verdict)), ("pyHanko", pyhanko.get(&name).cloned()), ("pdfsig", pdfsig.get(&name).cloned())];
        rows.push(Row { name, group, said: said.into_iter().collect(), ours });
    }
    rows.sort_by_key(|row| (["good", "bad", "hostile"].iter().position(|group| row.group == *group), row.name.clone()));

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/verdicts.md");
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let reasons = Reasons::read(&committed);
    let table = table(&rows, &reasons);
    let (before, _) = committed.split_once(TABLE).unwrap_or((&committed, ""));
    let written = format!("{before}{TABLE}{table}");
    if std::env::var_os("JUDGES").is_some_and(|value| value == "overwrite") {
        fs::write(&file, &written).unwrap();
    }
    let faults: Vec<String> = rows.iter().flat_map(|row| reasons.faults(row)).chain(reasons.unused(&rows)).collect();
    counts(&rows);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let differing = written.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(written == committed, "tests/judges/verdicts.md is not what was judged (JUDGES=overwrite): {differing:?}");
    assert!(rows.len() >= 200);
}

struct Row {
    name: String,
    group: String,
    said: Verdicts,
    ours: (bool, String),
}

impl Row {
    /// The judges that say something else than we do, and whether they refuse what we accept.
    fn differing(&self) -> impl Iterator<Item = (&'static str, Direction)> {
        JUDGES.into_iter().filter_map(|judge| match &self.said[judge] {
            Some((accepts, _)) if *accepts != self.ours.0 => {
                Some((judge, if self.ours.0 { Direction::Laxer } else { Direction::Stricter }))
            }
            _ => None,
        })
    }
}

/// How we differ from a judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Laxer,
    Stricter,
}

/// The head of the table. The text before it is not generated.
const TABLE: &str = "\n| file | group | DSS | pyHanko | pdfsig | ours | reasons |\n|---|---|---|---|---|---|---|\n";

/// Why we differ: the reasons in the list, and the files in the table that name them.
struct Reasons {
    /// By name: the judge, and the direction.
    known: BTreeMap<String, (String, Direction)>,
    given: BTreeMap<String, Vec<String>>,
}

impl Reasons {
    fn read(text: &str) -> Self {
        let (mut known, mut given) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            // * `name` (DSS, stricter): why
            if let Some((name, rest)) = line.strip_prefix("* `").and_then(|rest| rest.split_once("` (")) {
                let (about, _) = rest.split_once("): ").expect(line);
                let (judge, direction) = about.split_once(", ").expect(line);
                assert!(JUDGES.contains(&judge), "{line}");
                let direction = match direction {
                    "laxer" => Direction::Laxer,
                    "stricter" => Direction::Stricter,
                    _ => panic!("{line}"),
                };
                known.insert(name.to_owned(), (judge.to_owned(), direction));
            }
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            if let [name, .., reasons] = cells.as_slice()
                && cells.len() == 7
            {
                given.insert(
                    (*name).to_owned(),
                    reasons.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
                );
            }
        }
        Self { known, given }
    }

    fn of(&self, row: &Row) -> &[String] {
        self.given.get(&row.name).map_or(&[], Vec::as_slice)
    }

    /// What is wrong with a row: a difference without a reason, a reason without a difference, or an accepted file that
    /// is not good.
    fn faults(&self, row: &Row) -> Vec<String> {
        let mut faults = Vec::new();
        let mut open: Vec<_> = row.differing().collect();
        for reason in self.of(row) {
            match self.known.get(reason) {
                None => faults.push(format!("{}: the reason {reason} is not in the list", row.name)),
                Some((judge, direction)) => {
                    let found = open.iter().position(|one| one.0 == judge && one.1 == *direction);
                    match found {
                        Some(at) => drop(open.remove(at)),
                        None => faults.push(format!("{}: {reason} is no reason for any difference", row.name)),
                    }
                }
            }
        }
        for (judge, direction) in open {
            let said = row.said[judge].as_ref().map(|said| said.1.as_str()).unwrap_or_default();
            faults.push(format!("{}: {direction:?} than {judge}, which says {said}; we say {}", row.name, row.ours.1));
        }
        if row.ours.0 && row.group != "good" {
            // Unless the table says why.
            if self.of(row).is_empty() {
                faults.push(format!("{}: it is {}, and accepted", row.name, row.group));
            }
        }
        faults
    }

    fn unused(&self, rows: &[Row]) -> Vec<String> {
        let used: BTreeSet<_> = rows.iter().flat_map(|row| self.of(row)).collect();
        let unused = self.known.keys().filter(|name| !used.contains(name));
        unused.map(|name| format!("the reason {name} is given for no file")).collect()
    }
}

fn table(rows: &[Row], reasons: &Reasons) -> String {
    rows.iter().fold(String::new(), |mut text, row| {
        let _ = write!(text, "| {} | {} |", row.name, row.group);
        for judge in JUDGES {
            let _ = write!(text, " {} |", row.said[judge].as_ref().map_or("", |said| said.1.as_str()));
        }
        let _ = writeln!(text, " {} | {} |", row.ours.1, reasons.of(row).join(" "));
        text
    })
}

fn counts(rows: &[Row]) {
    let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    println!("{} files", rows.len());
    for group in ["good", "bad", "hostile"] {
        let of_group = count(&|row| row.group == group);
        let accepted = count(&|row| row.group == group && row.ours.0);
        println!("{group}: {of_group} files, {accepted} accepted by us");
        for judge in JUDGES {
            let asked = count(&|row| row.group == group && row.said[judge].is_some());
            let accepted = count(&|row| row.group == group && row.said[judge].as_ref().is_some_and(|said| said.0));
            println!("    {accepted} of {asked} by {judge}");
        }
    }
    for judge in JUDGES {
        let differing = |direction| count(&|row| row.differing().any(|one| one == (judge, direction)));
        let (laxer, stricter) = (differing(Direction::Laxer), differing(Direction::Stricter));
        println!("{judge}: {laxer} files where we are laxer, {stricter} where we are stricter");
    }
    println!("{} files judged alike by all", count(&|row| row.differing().next().is_none()));
}

fn trust(directory: &Path) -> SealTrust {
    let roots = |name: &str| TrustAnchors::from_pem_file(directory.join(name)).unwrap();
    SealTrust::authorities(roots("seal-root.pem"), Sealer::organization("Sealer AS"))
        .with_timestamps(roots("timestamp-root.pem"))
}

fn python(command: &str, directory: &Path) -> String {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut run = Command::new(python);
    run.args(["-m", "judged", command]).arg(directory);
    run.env("PYTHONDONTWRITEBYTECODE", "1");
    run.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python"));
    succeeded(run.output().expect("needs Python"))
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "needs pyHanko: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes documents of the sandbox, in the service's own form. Returns the trust for them.
async fn sandbox_documents(directory: &Path) -> SealTrust {
    let mut trust: Option<SealTrust> = None;
    let mut roots = String::new();
    let kinds = [
        ("plain", TechnicalSignature::LtvSdo, false),
        ("archived", TechnicalSignature::LtvSdo, true),
        ("bare", TechnicalSignature::Bare, false),
    ];
    for (name, kind, ltv) in kinds {
        let sandbox = Sandbox::builder().technical_signature(kind).ltv(ltv).build();
        let sandbox = Sandbox::start_with(sandbox).await.unwrap();
        for (signers, count) in [(vec![kari()], 1), (vec![kari(), ola()], 2)] {
            let documents = (0..count).map(|at| Document::pdf(format!("Side {at}"), pdf::page("Avtale")).unwrap());
            let request = JobRequest::builder()
                .title("Avtale".parse().unwrap())
                .document(Documents::new(documents).unwrap())
                .signer(Signers::new(signers.clone()).unwrap())
                .exit_urls(exit_urls())
                .build();
            let job = sandbox.client().direct().create(&request).await.unwrap();
            let back = signers
                .iter()
                .map(|signer| sandbox.sign(job.id(), signer.name()).unwrap())
                .collect::<Vec<_>>()
                .pop()
                .unwrap();
            let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!("not completed") };
            let write = |suffix: &str, bytes: &[u8]| {
                fs::write(directory.join(format!("sandbox-{name}-{}{suffix}", signers.len())), bytes).unwrap();
            };
            write(".pdf", &done.pades().bytes().await.unwrap());
            // A bare one is about the package, which does not stand beside it here.
            if kind == TechnicalSignature::LtvSdo {
                write(".xml", &done.signatures()[0].xades().unwrap().bytes().await.unwrap());
            }
        }
        roots += &sandbox.seal_root_pem();
        let own = support::sealed::seal_trust(&sandbox);
        trust = Some(trust.map_or(own.clone(), |trust| trust.or(own)));
    }
    fs::write(directory.join("sandbox-roots.pem"), roots).unwrap();
    trust.unwrap()
}

fn with_suffix(directory: &Path, suffix: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.to_string_lossy().ends_with(suffix)).collect();
    files.sort();
    files
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_string_lossy().into_owned()
}

/// The verdicts of DSS on all files, and on those that it signs itself. It accepts a file if all signatures pass, and
/// nothing was changed but the fields of a form.
fn of_dss(directory: &Path) -> BTreeMap<String, (bool, String)> {
    let files: Vec<_> = [".pdf", ".xml"].into_iter().flat_map(|suffix| with_suffix(directory, suffix)).collect();
    let mut options = Vec::new();
    for (option, suffix) in [("--trust", "roots.pem"), ("--crl", ".crl")] {
        options.extend(with_suffix(directory, suffix).into_iter().flat_map(|file| [PathBuf::from(option), file]));
    }
    options.extend([PathBuf::from("--detached"), directory.join(FILE)]);
    options.extend([PathBuf::from("--sign"), directory.to_owned()]);
    let mut said: BTreeMap<String, (bool, String)> = BTreeMap::new();
    for verdict in dss_under(&options, &files) {
        let name = Path::new(verdict["file"].as_str().unwrap()).to_owned();
        let name = format!("{}{}", stem(&name), if name.extension().unwrap() == "xml" { ".xml" } else { "" });
        let changes: Vec<_> =
            verdict["changes"].as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
        let unaccepted = changes.iter().any(|change| *change != "form");
        let told = match (verdict["error"].as_str(), verdict["indication"].as_str()) {
            (Some("no signature"), _) => (false, "no signature".to_owned()),
            (Some(_), _) => (false, "error".to_owned()),
            (None, Some("TOTAL_PASSED")) if unaccepted => (false, format!("changed: {}", changes.join(" "))),
            (None, Some("TOTAL_PASSED")) => (true, "passed".to_owned()),
            (None, _) => (false, verdict["sub_indication"].as_str().unwrap_or("failed").to_owned()),
        };
        said.entry(name)
            .and_modify(|all| {
                if all.0 {
                    *all = told.clone();
                }
            })
            .or_insert(told);
    }
    said
}

/// The verdicts of pyHanko. It accepts a file with "good".
fn of_pyhanko(directory: &Path) -> BTreeMap<String, (bool, String)> {
    let said = python("judge", directory);
    let lines = said.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(name, said)| (name.to_owned(), (said == "good", said.to_owned()))).collect()
}

/// The verdicts of pdfsig on integrity, without certificates. It accepts a file if all signatures are valid, and the last
/// one covers the file. It does not verify document timestamps.
fn of_pdfsig(directory: &Path, names: &[String]) -> BTreeMap<String, (bool, String)> {
    let mut said = BTreeMap::new();
    for name in names.iter().filter(|name| !name.ends_with(".xml")) {
        let file = directory.join(format!("{name}.pdf"));
        let output = Command::new("pdfsig").arg("-nocert").arg(file).output().expect("needs pdfsig");
        let text = String::from_utf8_lossy(&output.stdout);
        let validations: Vec<_> =
            text.lines().filter_map(|line| line.trim().strip_prefix("- Signature Validation: ")).collect();
        let wrong = validations
            .iter()
            .find(|one| !["Signature is Valid.", "Signature has not yet been verified."].contains(one));
        let is_any_valid = validations.contains(&"Signature is Valid.");
        let is_whole = text.rfind("Total document signed") > text.rfind("Not total document signed");
        let told = match wrong {
            Some(wrong) => (false, wrong.trim_end_matches('.').to_lowercase()),
            None if !is_any_valid => (false, "nothing valid".to_owned()),
            None if is_whole => (true, "valid".to_owned()),
            None => (false, "valid, in part".to_owned()),
        };
        said.insert(name.clone(), told);
    }
    said
}

fn ours(directory: &Path, name: &str, trust: &SealTrust) -> (bool, String) {
    let told = |failed: FailedVerification| {
        let reason = format!("{:?}", failed.reason().unwrap());
        reason.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned()
    };
    let verdict = match name.strip_suffix(".xml") {
        Some(_) => {
            let bytes = fs::read(directory.join(name)).unwrap();
            let document = Document::text("Avtale", fs::read_to_string(directory.join(FILE)).unwrap()).unwrap();
            let concerned = |verified: Verified<Xades>| match verified.evidence().form() {
                EvidenceForm::LtvSdo => Ok(()),
                _ if verified.evidence().concerns(&document) => Ok(()),
                _ => Err("another document".to_owned()),
            };
            Verified::<Xades>::check(bytes, trust, Timestamp::now()).map_err(told).and_then(concerned)
        }
        None => {
            let bytes = fs::read(directory.join(format!("{name}.pdf"))).unwrap();
            Verified::<Pades>::check(bytes, trust, Timestamp::now()).map(drop).map_err(told)
        }
    };
    match verdict {
        Ok(()) => (true, "accepted".to_owned()),
        Err(why) => (false, why),
    }
}
