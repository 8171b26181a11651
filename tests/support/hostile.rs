//! Documents that are small, or not large, and cost much to whoever reads them without limits.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A hostile document, and what is hostile about it.
pub struct Hostile {
    pub what: &'static str,
    pub bytes: Vec<u8>,
    /// The root under which it is sealed (PEM), if it is: it may be verified then.
    pub trust: Option<String>,
}

pub const MB: usize = 1_000_000;

/// PDFs of at most 20 MB.
pub fn pdfs() -> Vec<Hostile> {
    let form = |fields: &str| format!("<< /AcroForm << /Fields [{fields}] >> >>").into_bytes();
    let bombs = [
        ("object stream: 2 000 entries on one array", object_stream()),
        ("5 000 inline fields on one signature", inline_fields()),
        ("arrays, 100 000 deep", written(&[form(&"[".repeat(100_000))])),
        ("1 000 000 fields", written(&[form(&"1 0 R ".repeat(1_000_000))])),
        ("predictor: 66 MB in rows of one byte", predictor()),
        ("1 000 000 cross-references in a table", table(1_000_000)),
        ("1 000 000 cross-references in a stream of 2 kB", cross_reference_stream()),
        ("50 streams of cross-references of 66 MB", many_streams()),
        ("100 000 revisions", revisions(100_000)),
        ("DSS: one stream of 1 MB as 1 000 certificates", security_store()),
        ("64 signatures of 4 MB in one place", one_place()),
        ("5 000 pages on one content of 5 MB", shared_content()),
        ("50 pages with two contents of 66 MB each", unpacked_contents()),
        ("2 000 pages with 50 000 names in their resources", shared_resources()),
        ("100 000 cross-references to one stream of 5 MB", shared_stream()),
        ("1 000 pages with 50 000 annotations each", shared_annotations()),
        ("cross-references with fields of 8 bytes", widths("8 8 8")),
        ("cross-references with fields of 4 GB", widths("4294967295 4294967295 4294967295")),
        ("cross-references without fields", widths("0 0 0")),
        ("dictionaries, 30 deep, 60 000 times", deep()),
    ];
    bombs.map(|(what, bytes)| Hostile { what, bytes, trust: None }).into()
}

/// Technical signatures of at most 20 MB.
pub fn xmls() -> Vec<Hostile> {
    const LTV_SDO: &str = "<LtvSdo xmlns=\"https://id.signicat.com/definitions/xsd/LtvSdo-2.5\"";
    let namespaces: String = (0..32_000).map(|at| format!(" xmlns:n{at}=\"u\"")).collect();
    let attributes: String = (0..300_000).map(|at| format!(" a{at}=''")).collect();
    let wide = |content: &str| format!("{LTV_SDO}>{content}</LtvSdo>");
    let bombs = [
        ("32 000 namespaces x 100 000 elements", format!("{LTV_SDO}{namespaces}>{}</LtvSdo>", "<a/>".repeat(100_000))),
        ("elements, 1 000 000 deep", "<a>".repeat(1_000_000)),
        ("300 000 attributes", format!("{LTV_SDO}{attributes}/>")),
        ("4 000 000 elements", wide(&"<a/>".repeat(4_000_000))),
        ("2 000 000 comments", wide(&"<!---->".repeat(2_000_000))),
        ("3 000 000 escaped characters", wide(&"&#x10000;".repeat(2_000_000))),
        ("64 references to 15 MB", references(15 * MB)),
        ("a namespace of 200 kB on each of 90 000 elements", exclusive()),
    ];
    bombs.map(|(what, text)| Hostile { what, bytes: text.into_bytes(), trust: None }).into()
}

pub fn deflated(content: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

/// What unpacks to 66 MB of zeros, which are white space in a PDF.
fn bomb() -> &'static [u8] {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| deflated(&vec![0; 66 * MB]));
    &BOMB
}

pub fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<< {dictionary} /Length {} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

/// A PDF of these objects, the first being the catalog.
pub fn written(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", out.len());
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let start = out.len();
    out.extend(table.bytes());
    out.extend(format!("trailer\n<< /Root 1 0 R /Size {} >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes());
    out
}

/// A PDF that ends with a stream of cross-references of this content, which stands right behind the catalog.
fn with_cross_references(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec();
    let start = out.len();
    out.extend(b"2 0 obj\n");
    out.extend(stream(&format!("/Type /XRef /Root 1 0 R {dictionary}"), content));
    out.extend(format!("\nendobj\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}

fn object_stream() -> Vec<u8> {
    let index: String = (10..2010).map(|number| format!("{number} 0 ")).collect();
    let many = format!("{index}[{}]", "1 ".repeat(100_000));
    let kids: String = (10..2010).map(|number| format!("{number} 0 R ")).collect();
    let catalog = format!(
        "<< /Type /Catalog /AcroForm << /Fields [{kids}] >> /Pages << /Type /Pages /Count 1 /Kids [{kids}] >> >>"
    );
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut rows = vec![0; 7];
    let dictionary = format!("/Type /ObjStm /N 2000 /First {}", index.len());
    for (number, object) in [(1, catalog.into_bytes()), (2, stream(&dictionary, many.as_bytes()))] {
        rows.push(1);
        rows.extend(u32::try_from(out.len()).unwrap().to_be_bytes());
        rows.extend([0, 0]);
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    for at in 0..2000_u16 {
        rows.extend([2, 0, 0, 0, 2]);
        rows.extend(at.to_be_bytes());
    }
    let start = out.len();
    out.extend(b"3 0 obj\n");
    out.extend(stream("/Type /XRef /W [1 4 2] /Index [0 3 10 2000] /Size 2010 /Root 1 0 R", &rows));
    out.extend(format!("\nendobj\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}

/// Fills in what a signature covers: all but its digits.
fn with_range(mut pdf: Vec<u8>, digits: usize, lengths: impl Fn(usize) -> usize) -> Vec<u8> {
    let zeros = pdf.windows(1000).position(|window| window.iter().all(|byte| *byte == b'0')).unwrap();
    let (start, end) = (zeros - 1, zeros + digits + 1);
    let range = b"[0 9999999 9999999 9999999]";
    let mut from = 0;
    for at in 0.. {
        let Some(found) = pdf[from..].windows(range.len()).position(|window| window == range) else { break };
        let length = pdf.len() - end - lengths(at);
        let filled = format!("{:<width$}", format!("[0 {start} {end} {length}]"), width = range.len());
        pdf[from + found..from + found + range.len()].copy_from_slice(filled.as_bytes());
        from += found + range.len();
    }
    pdf
}

fn inline_fields() -> Vec<u8> {
    let fields = "<< /FT /Sig /V 2 0 R >> ".repeat(5_000);
    let contents = "0".repeat(20_000);
    let signature =
        format!("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 9999999 9999999 9999999] /Contents <{contents}> >>");
    let catalog = format!("<< /AcroForm << /Fields [{fields}] >> >>");
    with_range(written(&[catalog.into_bytes(), signature.into_bytes()]), 20_000, |_| 0)
}

/// Signatures that end at different places, and share their digits as an object of its own.
fn one_place() -> Vec<u8> {
    let digits = 8 * MB;
    let fields: String = (0..64).map(|at| format!("<< /FT /Sig /V {} 0 R >> ", at + 3)).collect();
    let mut objects = vec![format!("<< /AcroForm << /Fields [{fields}] >> >>").into_bytes()];
    objects.push(format!("<{}>", "0".repeat(digits)).into_bytes());
    let signature = "<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 9999999 9999999 9999999] /Contents 2 0 R >>";
    objects.extend((0..64).map(|_| signature.as_bytes().to_vec()));
    with_range(written(&objects), digits, |at| at)
}

fn predictor() -> Vec<u8> {
    let content = bomb();
    let parameters = "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 1 >>";
    with_cross_references(&format!("/W [1 1 1] /Index [] /Size 3 {parameters}"), content)
}

fn cross_reference_stream() -> Vec<u8> {
    let content = deflated(&vec![0; 2 * MB]);
    with_cross_references("/W [1 1 0] /Size 1000000 /Filter /FlateDecode", &content)
}

fn widths(widths: &str) -> Vec<u8> {
    let content = deflated(&vec![1; 24 * MB]);
    with_cross_references(&format!("/W [{widths}] /Size 1000000 /Filter /FlateDecode"), &content)
}

fn deep() -> Vec<u8> {
    let one = format!("{}{}", "<< /Kids [".repeat(15), "] >>".repeat(15));
    written(&[format!("<< /AcroForm << /Fields [{}] >> >>", one.repeat(60_000)).into_bytes()])
}

fn many_streams() -> Vec<u8> {
    let content = bomb();
    let mut out = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec();
    let mut last = None;
    for number in 2..52 {
        let previous = last.map_or_else(String::new, |at| format!("/Prev {at}"));
        last = Some(out.len());
        out.extend(format!("{number} 0 obj\n").bytes());
        let dictionary =
            format!("/Type /XRef /Root 1 0 R /W [1 2 1] /Index [] /Size 52 /Filter /FlateDecode {previous}");
        out.extend(stream(&dictionary, content));
        out.extend(b"\nendobj\n");
    }
    out.extend(format!("startxref\n{}\n%%EOF\n", last.unwrap()).bytes());
    out
}

fn table(entries: usize) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec();
    let start = out.len();
    out.extend(format!("xref\n0 {entries}\n0000000000 65535 f \n").bytes());
    (1..entries).for_each(|_| out.extend(b"0000000009 00000 n \n"));
    out.extend(format!("trailer\n<< /Root 1 0 R /Size {entries} >>\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}

fn revisions(count: usize) -> Vec<u8> {
    let mut out = written(&[b"<< /Type /Catalog >>".to_vec()]);
    let mut last = out.windows(4).rposition(|window| window == b"xref").unwrap();
    last = out[..last].windows(5).rposition(|window| window == b"\nxref").unwrap() + 1;
    for _ in 0..count {
        let at = out.len();
        out.extend(
            format!("xref\n0 0\ntrailer\n<< /Root 1 0 R /Size 2 /Prev {last} >>\nstartxref\n{at}\n%%EOF\n").bytes(),
        );
        last = at;
    }
    out
}

fn security_store() -> Vec<u8> {
    let catalog = format!("<< /Type /Catalog /DSS << /Certs [{}] >> >>", "2 0 R ".repeat(1_000));
    written(&[catalog.into_bytes(), stream("/Filter /FlateDecode", &deflated(&vec![0; MB]))])
}

/// Pages that have all of this, from the node above them.
fn pages(count: usize, shared: &str, page: &str, others: &[Vec<u8>]) -> Vec<u8> {
    let first = others.len() + 3;
    let kids: String = (first..first + count).map(|number| format!("{number} 0 R ")).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Count {count} /Kids [{kids}] /MediaBox [0 0 595 842] {shared} >>").into_bytes(),
    ];
    objects.extend(others.iter().cloned());
    objects.extend((0..count).map(|_| format!("<< /Type /Page /Parent 2 0 R {page} >>").into_bytes()));
    written(&objects)
}

fn shared_content() -> Vec<u8> {
    pages(5_000, "", "/Contents 3 0 R", &[stream("", &vec![b' '; 5 * MB])])
}

fn unpacked_contents() -> Vec<u8> {
    let content = stream("/Filter /FlateDecode", bomb());
    pages(50, "", "/Contents [3 0 R 3 0 R]", &[content])
}

fn shared_resources() -> Vec<u8> {
    let names: String = (0..50_000).map(|at| format!("/N{at} 1 ")).collect();
    let shared = format!("/Resources << /Properties << {names} >> >>");
    pages(2_000, &shared, "/Contents 3 0 R", &[stream("", b"q Q")])
}

fn shared_annotations() -> Vec<u8> {
    let look = stream("/Subtype /Form /BBox [0 0 9 9]", b"0 0 9 9 re f");
    let annotation = b"<< /Type /Annot /Subtype /Stamp /Rect [0 0 9 9] /AP << /N 3 0 R >> >>".to_vec();
    let list = format!("[{}]", "4 0 R ".repeat(50_000)).into_bytes();
    let content = stream("", b"q Q");
    pages(1_000, "", "/Contents 6 0 R /Annots 5 0 R", &[look, annotation, list, content])
}

fn shared_stream() -> Vec<u8> {
    let mut out = pages(1, "", "/Contents 3 0 R", &[stream("", &vec![b' '; 5 * MB])]);
    let text = String::from_utf8_lossy(&out).into_owned();
    let first: usize = text.rsplit("startxref\n").next().unwrap().split('\n').next().unwrap().parse().unwrap();
    let at = text.find("3 0 obj").unwrap();
    let start = out.len();
    out.extend(b"xref\n100 100000\n");
    (0..100_000).for_each(|_| out.extend(format!("{at:010} 00000 n \n").bytes()));
    let trailer = format!("trailer\n<< /Root 1 0 R /Size 100100 /Prev {first} >>\nstartxref\n{start}\n%%EOF\n");
    out.extend(trailer.bytes());
    out
}

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// References to the whole document, each with the right digest: nobody needs a key for these.
fn references(length: usize) -> String {
    let open = format!(
        "<LtvSdo xmlns=\"https://id.signicat.com/definitions/xsd/LtvSdo-2.5\" xmlns:ds=\"{DS}\"><Filler>{}</Filler>",
        "x".repeat(length)
    );
    let value = STANDARD.encode(digest(&SHA256, format!("{open}</LtvSdo>").as_bytes()));
    let reference = format!(
        "<ds:Reference URI=\"\"><ds:Transforms><ds:Transform Algorithm=\"{DS}enveloped-signature\"></ds:Transform>\
         </ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{value}</ds:DigestValue></ds:Reference>"
    );
    format!("{open}{}</LtvSdo>", signature(&reference.repeat(64)))
}

/// Exclusive canonicalization writes a namespace on each element that uses it.
fn exclusive() -> String {
    let reference = "<ds:Reference URI=\"\"><ds:Transforms><ds:Transform \
                     Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
                     <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
                     <ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>";
    format!(
        "<LtvSdo xmlns=\"https://id.signicat.com/definitions/xsd/LtvSdo-2.5\" xmlns:ds=\"{DS}\" xmlns:a=\"u:{}\">{}{}\
         </LtvSdo>",
        "x".repeat(200_000),
        "<a:b></a:b>".repeat(90_000),
        signature(reference)
    )
}

fn signature(references: &str) -> String {
    format!(
        "<ds:Signature><ds:SignedInfo><ds:CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"></ds:CanonicalizationMethod><ds:SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>{references}\
         </ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"
    )
}
