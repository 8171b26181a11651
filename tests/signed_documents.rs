//! The sandbox's signed documents, and what programs that we did not write say about them.

mod support;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output};

use posten_signering::bytes::Bytes;
use posten_signering::direct::{JobRequest, JobStatus, Signer, Signers};
use posten_signering::sandbox::{Sandbox, TechnicalSignature};
use posten_signering::{Document, Documents, JobId};
use serde_json::json;

use self::support::java::{dss, has_maven, verapdf};
use self::support::judges::{jdk_accepts, xmlsec1_accepts};
use self::support::pdfa::{Device, pdfa};
use self::support::tempfile;
use self::support::{exit_urls, pdf};

/// The signed documents of a job.
struct Signed {
    job: JobId,
    pades: Bytes,
    xades: Vec<Bytes>,
}

async fn signed(sandbox: &Sandbox, signers: usize, documents: impl Iterator<Item = Document>) -> Signed {
    let names = (0..signers).map(|at| match at {
        0 => Signer::national_id("01010012345".parse().unwrap()),
        at => Signer::identified_by(format!("Ærlig Ås & <{at}> 😀").parse().unwrap()),
    });
    let request = JobRequest::builder()
        .title("Avtale (æøå) \\ \"1\" 😀".parse().unwrap())
        .document(Documents::new(documents).unwrap())
        .signer(Signers::new(names).unwrap())
        .exit_urls(exit_urls())
        .build();
    let job = sandbox.client().direct().create(&request).await.unwrap();
    let mut token = None;
    for signer in job.signers() {
        token = Some(sandbox.sign(job.id(), signer.name()).unwrap().token().clone());
    }
    let JobStatus::Completed(done) = job.status(&token.unwrap()).await.unwrap() else { panic!() };
    let pades = done.pades().bytes().await.unwrap();
    let mut xades = Vec::new();
    for signature in done.signatures() {
        xades.push(signature.xades().unwrap().bytes().await.unwrap());
    }
    Signed { job: job.id(), pades, xades }
}

fn pages(count: usize) -> impl Iterator<Item = Document> {
    (1..=count).map(|at| Document::pdf(format!("Dokument {at}"), pdf::page(&format!("Side {at}"))).unwrap())
}

fn run(program: &str, arguments: &[&Path], options: &[&str]) -> Output {
    let output = Command::new(program).args(options).args(arguments).output();
    output.unwrap_or_else(|error| panic!("needs {program}: {error}"))
}

fn pdfsig_accepts(file: &Path) -> bool {
    let output = run("pdfsig", &[file], &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    let valid = text.matches("Signature Validation: Signature is Valid.").count();
    valid == 1 && text.matches("Total document signed").count() == 1
}

fn pyhanko_accepts(file: &Path, root: &Path) -> bool {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/verify_pades.py");
    let output = run(&python, &[&script, file, root], &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!error.contains("ModuleNotFoundError"), "needs pyHanko: {error}");
    output.status.success()
}

#[tokio::test]
#[ignore = "outside tool: needs pdfsig, qpdf and pyHanko"]
async fn outside_a_pades_is_valid_covers_everything_and_suffers_no_change() {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root.pem");
    fs::write(&root, sandbox.seal_root_pem()).unwrap();
    let file = directory.path().join("signed.pdf");
    for (signers, documents) in [(1, 1), (2, 1), (10, 1), (1, 20), (2, 20), (10, 20)] {
        let case = format!("{signers} signers, {documents} documents");
        let signed = signed(&sandbox, signers, pages(documents)).await;
        fs::write(&file, &signed.pades).unwrap();
        assert!(pdfsig_accepts(&file), "pdfsig: {case}");
        assert!(pyhanko_accepts(&file, &root), "pyHanko: {case}");
        let qpdf = run("qpdf", &[&file], &["--check"]);
        assert!(qpdf.status.success(), "qpdf: {case}: {qpdf:?}");
        // Ten signers and twenty documents fill more than one front page.
        let front = if signers + documents < 30 { 1 } else { 2 };
        let count = run("qpdf", &[&file], &["--show-npages"]).stdout;
        assert_eq!(String::from_utf8_lossy(&count).trim(), (documents + front).to_string(), "{case}");
        let start = String::from_utf8_lossy(&signed.pades[..40]);
        assert!(start.contains("1 0 obj\n<</Type/Sig"), "the seal stands first: {start}");
        let attached = run("qpdf", &[&file], &["--list-attachments"]).stdout;
        assert_eq!(String::from_utf8_lossy(&attached).matches("E-Signature-").count(), signers, "{case}");

        // One byte of a page, where nothing but the signature would notice.
        let mut changed = signed.pades.to_vec();
        let at = changed.windows(4).position(|window| window == b"Side").unwrap();
        changed[at] = b's';
        fs::write(&file, &changed).unwrap();
        assert!(!pdfsig_accepts(&file), "pdfsig accepts a change: {case}");
        assert!(!pyhanko_accepts(&file, &root), "pyHanko accepts a change: {case}");
        println!("{case}: accepted by pdfsig, pyHanko and qpdf, and a changed byte refused by both");
    }
    // And under another root it is not trusted.
    let other = Sandbox::start().await.unwrap();
    fs::write(&root, other.seal_root_pem()).unwrap();
    fs::write(&file, signed(&sandbox, 1, pages(1)).await.pades).unwrap();
    assert!(!pyhanko_accepts(&file, &root));
}

/// Whether xmlsec1 accepts an LTV-SDO, with the root as the only trusted certificate.
fn xmlsec1_accepts_ltv_sdo(file: &Path, root: &Path) -> bool {
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--id-attr:Id", "LtvSdo"]);
    command.args(["--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "--trusted-pem"]);
    command.arg(root).arg(file).output().expect("needs xmlsec1").status.success()
}

#[tokio::test]
#[ignore = "outside tool: needs xmlsec1"]
async fn outside_the_ltv_sdo_of_each_signer_is_valid_and_suffers_no_change() {
    let (sandbox, other) = (Sandbox::start().await.unwrap(), Sandbox::start().await.unwrap());
    let directory = tempfile::tempdir().unwrap();
    let [root, api, elsewhere, file] =
        ["root.pem", "api.pem", "other.pem", "xades.xml"].map(|name| directory.path().join(name));
    fs::write(&root, sandbox.seal_root_pem()).unwrap();
    fs::write(&api, sandbox.root_pem()).unwrap();
    fs::write(&elsewhere, other.seal_root_pem()).unwrap();
    for (signers, documents) in [(1, 1), (2, 20)] {
        for xades in signed(&sandbox, signers, pages(documents)).await.xades {
            fs::write(&file, &xades).unwrap();
            assert!(xmlsec1_accepts_ltv_sdo(&file, &root), "{}", String::from_utf8_lossy(&xades));
            assert!(!xmlsec1_accepts_ltv_sdo(&file, &api), "the seal is not under the root of the API");
            assert!(!xmlsec1_accepts_ltv_sdo(&file, &elsewhere), "nor under that of another sandbox");
            let text = String::from_utf8(xades.to_vec()).unwrap();
            for (here, there) in
                [("Testperson", "Tastperson"), (">ID-porten", ">ID-portal"), (":SigningTime>20", ":SigningTime>19")]
            {
                assert!(text.contains(here), "{here}");
                fs::write(&file, text.replace(here, there)).unwrap();
                assert!(!xmlsec1_accepts_ltv_sdo(&file, &root), "{here} may be changed");
            }
        }
    }
}

#[tokio::test]
#[ignore = "outside tool: needs mvn and java"]
async fn outside_the_dss_of_the_eu_passes_what_is_delivered() {
    if !has_maven() {
        return;
    }
    let other = Sandbox::start().await.unwrap();
    for (ltv, level) in [(false, "PAdES-BASELINE-T"), (true, "PAdES-BASELINE-LTA")] {
        let sandbox = Sandbox::start_with(Sandbox::builder().ltv(ltv).build()).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| {
            let file = directory.path().join(name);
            fs::write(&file, content).unwrap();
            file
        };
        let (root, api) =
            (write("root.pem", sandbox.seal_root_pem().as_bytes()), write("api.pem", sandbox.root_pem().as_bytes()));
        let elsewhere = write("other.pem", other.seal_root_pem().as_bytes());
        let signed = signed(&sandbox, 2, pages(2)).await;
        let mut changed = signed.pades.to_vec();
        let at = changed.windows(4).position(|window| window == b"Side").unwrap();
        changed[at] = b's';
        let changed = write("changed.pdf", &changed);
        let files =
            [write("signed.pdf", &signed.pades), write("1.xml", &signed.xades[0]), write("2.xml", &signed.xades[1])];
        let files = files.each_ref().map(std::path::PathBuf::as_path);

        let verdicts = dss(&root, &files);
        let told: Vec<_> = verdicts.iter().map(|verdict| (&verdict["indication"], &verdict["level"])).collect();
        let expected = [level, "XAdES-BASELINE-B", "XAdES-BASELINE-B"].map(|level| json!(["TOTAL_PASSED", level]));
        assert_eq!(json!(told), json!(expected));
        for verdict in &verdicts {
            assert_eq!((&verdict["intact"], &verdict["trusted"]), (&json!(true), &json!(true)), "{verdict}");
            assert_eq!((&verdict["signer"], &verdict["changes"]), (&json!("Posten signering sandkasse"), &json!([])));
        }
        let timestamps = if ltv {
            ["SIGNATURE_TIMESTAMP PASSED", "DOCUMENT_TIMESTAMP PASSED"].as_slice()
        } else {
            &["SIGNATURE_TIMESTAMP PASSED"]
        };
        assert_eq!(verdicts[0]["timestamps"], json!(timestamps));

        for verdict in dss(&api, &files).into_iter().chain(dss(&elsewhere, &files)) {
            assert_eq!((&verdict["intact"], &verdict["trusted"]), (&json!(true), &json!(false)), "{verdict}");
            assert_eq!(verdict["sub_indication"], "NO_CERTIFICATE_CHAIN_FOUND", "{verdict}");
        }
        let verdict = &dss(&root, &[&changed])[0];
        assert_eq!((&verdict["indication"], &verdict["intact"]), (&json!("TOTAL_FAILED"), &json!(false)), "{verdict}");
    }
}

#[tokio::test]
#[ignore = "outside tool: needs mvn and java"]
async fn outside_archival_documents_give_an_archival_signed_pdf_and_others_do_not() {
    if !has_maven() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let file = directory.path().join(name);
        fs::write(&file, content).unwrap();
        file
    };
    let originals: Vec<_> = [1, 2, 3]
        .into_iter()
        .flat_map(|part| [Device::None, Device::Gray, Device::Rgb].map(|device| (part, device)))
        .map(|(part, device)| (part, device, pdfa(part, device)))
        .collect();
    for part in [1, 2, 3] {
        let of_this = originals.iter().filter(|original| original.0 == part);
        let files: Vec<_> = of_this.map(|(_, device, file)| write(&format!("{device:?}.pdf"), file)).collect();
        let files: Vec<_> = files.iter().map(|file| file.as_path()).collect();
        assert_eq!(verapdf(&format!("{part}b"), &files), ["yes"; 3], "the originals are what they say");
    }

    let document = |content: &[u8]| Document::pdf("Dokument æøå", content.to_vec()).unwrap();
    let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
    for options in [Sandbox::builder().build(), Sandbox::builder().ltv(true).build(), bare] {
        let sandbox = Sandbox::start_with(options).await.unwrap();
        let mut made = Vec::new();
        for (part, device, file) in &originals {
            let signed = signed(&sandbox, 2, [document(file)].into_iter()).await;
            made.push(write(&format!("signed-{part}-{device:?}.pdf"), &signed.pades));
        }
        // Several in one job; text, which has no pages of its own; and one with fonts and attachments: a signed PDF.
        let together = originals.iter().filter(|original| !matches!(original.1, Device::Gray));
        let together: Vec<_> = together.map(|(.., file)| document(file)).collect();
        made.push(write("together.pdf", &signed(&sandbox, 1, together.into_iter()).await.pades));
        let text = Document::text("Tekst", "Æ ø å: 1 (én) « 2 » ½ €…\nŋ").unwrap();
        made.push(write("text.pdf", &signed(&sandbox, 1, [text].into_iter()).await.pades));
        let again = fs::read(&made[8]).unwrap();
        made.push(write("again.pdf", &signed(&sandbox, 1, [document(&again)].into_iter()).await.pades));
        let archival = made.len();

        // One that is not archival is enough, and so are colors that do not go together: then nothing is claimed.
        let ordinary = document(&pdf::page("Side"));
        let mixed = [document(&originals[8].2), ordinary];
        let colors = [document(&originals[8].2), document(&originals[7].2)];
        for (name, documents) in [("mixed.pdf", mixed), ("colors.pdf", colors)] {
            let signed = signed(&sandbox, 1, documents.into_iter()).await;
            made.push(write(name, &signed.pades));
            assert!(!String::from_utf8_lossy(&signed.pades).contains("<pdfaid:part>3"));
        }
        let files: Vec<_> = made.iter().map(|file| file.as_path()).collect();
        for (at, verdict) in verapdf("3b", &files).iter().enumerate() {
            assert_eq!(verdict == "yes", at < archival, "{}: {verdict}", files[at].display());
        }
    }
}

/// Read off documents of the service's test environment, without a library that might repair what it reads.
#[tokio::test]
async fn a_signed_pdf_has_the_form_of_the_services() {
    let sandbox = Sandbox::start().await.unwrap();
    let signed = signed(&sandbox, 2, pages(3)).await;
    let text = String::from_utf8_lossy(&signed.pades);
    let count = |words: &str| text.matches(words).count();
    // A certification that permits no change: the first object of the file, in a field with the service's name.
    let first = text.find("1 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite");
    assert!(first.is_some_and(|at| at < 40), "{first:?}");
    for words in [
        "/SubFilter/ETSI.CAdES.detached",
        "/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>",
        "/Perms<</DocMDP 1 0 R>>",
        "/T(Signature1)/V 1 0 R",
        "/Names<</EmbeddedFiles<</Names[(E-Signature-1.xml) ",
    ] {
        assert_eq!(count(words), 1, "{words}");
    }
    // The technical signatures, attached to the document as a whole.
    assert_eq!((count("/Subtype/application#2Fx-ltvsdo"), count("/AFRelationship/Data")), (2, 2));
    let attached = text.split("/AF[").nth(1).unwrap().split(']').next().unwrap();
    assert_eq!(attached.matches(" 0 R").count(), 2, "{attached}");
    // Nothing for the long term, and nothing after the seal.
    assert_eq!((count("/DSS"), count("/Type/DocTimeStamp"), count("%%EOF")), (0, 0, 1));
    // A front page and three more in upright A4, each with a footer, and the letters that it needs.
    let a4 = "/MediaBox[0.0 0.0 595.0 842.0]";
    assert_eq!((count("/Type/Page/"), count(a4), count("(Forseglet av Posten signering sandkasse)")), (4, 4, 4));
    assert_eq!((count("/Subtype/Type3"), count("(Side 4 av 4)")), (2, 1));
    // What is still set in a font of the reader's comes from the originals.
    assert_eq!(count("/BaseFont"), 3);
}

#[tokio::test]
async fn an_ltv_sdo_tells_who_signed_what_and_when() {
    let sandbox = Sandbox::start().await.unwrap();
    let document = Document::pdf("Avtale", pdf::page("Avtale")).unwrap();
    let content = document.bytes().unwrap();
    let signed = signed(&sandbox, 2, [document].into_iter()).await;
    let [first, second] = signed.xades.as_slice() else { panic!() };
    let text = std::str::from_utf8(first).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("Id")), ("LtvSdo", Some("root")));
    let parts: Vec<_> = root.children().map(|part| part.tag_name().name()).collect();
    let expected = [
        "Description",
        "SignaturePolicyIdentifier",
        "Authentication",
        "OriginalDocument",
        "SignatureContext",
        "Consent",
        "AuditTrails",
        "Signature",
    ];
    assert_eq!(parts, expected);
    let text_of =
        |name: &str| root.descendants().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
    assert_eq!(text_of("SignerNationalId"), Some("01010012345"));
    assert_eq!(text_of("DocumentTitle"), Some("Avtale"));
    assert_eq!(text_of("OriginalDocument"), Some(base64(&content).as_str()));
    let time = text_of("SigningTime").unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!((jiff::Timestamp::now() - time).as_secs().abs() < 60);
    // Of the other signer the sender gave no number.
    assert!(!String::from_utf8_lossy(second).contains("SignerNationalId"));
}

fn base64(content: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, content)
}

#[tokio::test]
#[ignore = "outside tool: needs xmlsec1 and java"]
async fn outside_a_bare_xades_of_each_signer_is_valid_over_the_documents() {
    let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
    let sandbox = Sandbox::start_with(bare).await.unwrap();
    for (signers, documents) in [(1, 1), (2, 20)] {
        let signed = signed(&sandbox, signers, pages(documents)).await;
        for xades in &signed.xades {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            let package = Cursor::new(sandbox.package(signed.job).unwrap());
            zip::ZipArchive::new(package).unwrap().extract(path).unwrap();
            fs::write(path.join("META-INF/signatures.xml"), xades).unwrap();
            fs::write(path.join("root.pem"), sandbox.root_pem()).unwrap();
            assert_eq!((xmlsec1_accepts(path), jdk_accepts(path)), (true, true));
            let document = path.join("01-dokument-1.pdf");
            let mut content = fs::read(&document).unwrap();
            content.push(b'\n');
            fs::write(document, content).unwrap();
            assert_eq!((xmlsec1_accepts(path), jdk_accepts(path)), (false, false));
        }
    }
}

#[tokio::test]
async fn beside_bare_signatures_what_cannot_be_taken_apart_is_attached() {
    let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
    let sandboxes = [(Sandbox::start_with(bare).await.unwrap(), true), (Sandbox::start().await.unwrap(), false)];
    for (sandbox, attached) in sandboxes {
        let documents = [
            Document::pdf("Bare hode", "%PDF-1.4\n").unwrap(),
            Document::text("Tekst", "Hei æøå").unwrap(),
            Document::pdf("Ekte", pdf::page("Ekte")).unwrap(),
        ];
        let signed = signed(&sandbox, 1, documents.into_iter()).await;
        let text = String::from_utf8_lossy(&signed.pades);
        for (name, expected) in
            [("(01-bare-hode.pdf)", attached), ("(02-tekst.txt)", attached), ("(E-Signature-1.xml)", true)]
        {
            assert_eq!(text.contains(name), expected, "{name}");
        }
        assert!(!text.contains("(03-ekte.pdf)"), "this one is pages");
    }
}
