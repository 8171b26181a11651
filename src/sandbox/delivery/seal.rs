//! The seal of a signed PDF: a certification that permits no change (ISO 32000-1, section 12.8), and what keeps it
//! verifiable for the long term.

use jiff::Timestamp;
use lopdf::{Dictionary, Document as Pdf, IncrementalDocument, Object, ObjectId, Stream, StringFormat, dictionary};

use super::cms;
use super::sealing::{SEAL_NAME, Sealing};

/// Room for a signature, in bytes: certificates, revocation lists and a timestamp, together about 6 000.
const ROOM: usize = 8 * 1024;

/// What stands for the offsets until they are known: as wide as any of a file below ten gigabytes.
const UNKNOWN: i64 = 9_999_999_999;

type Failure = Box<dyn std::error::Error>;

/// The dictionary of the seal, before it is there.
pub(super) fn certification(at: Timestamp) -> Dictionary {
    let parameters = dictionary! { "Type" => "TransformParams", "P" => 1, "V" => "1.2" };
    let reference = dictionary! { "Type" => "SigRef", "TransformMethod" => "DocMDP", "TransformParams" => parameters };
    let mut dictionary = empty("Sig", "ETSI.CAdES.detached");
    dictionary.set("M", date(at));
    dictionary.set("Name", Object::string_literal(SEAL_NAME));
    dictionary.set("Reference", vec![reference.into()]);
    dictionary
}

fn empty(kind: &str, format: &str) -> Dictionary {
    dictionary! {
        "Type" => kind,
        "Filter" => "Adobe.PPKLite",
        "SubFilter" => format,
        "ByteRange" => [0, UNKNOWN, UNKNOWN, UNKNOWN].map(Object::from).to_vec(),
        "Contents" => Object::String(vec![0; ROOM], StringFormat::Hexadecimal),
    }
}

/// ISO 32000-1, section 7.9.4.
pub(super) fn date(at: Timestamp) -> Object {
    Object::string_literal(at.strftime("D:%Y%m%d%H%M%SZ").to_string())
}

/// Fills the seal in.
pub(super) fn seal(pdf: Vec<u8>, sealing: &Sealing, at: Timestamp) -> Result<Vec<u8>, Failure> {
    filled(pdf, 0, |content| cms::seal(content, sealing, at))
}

/// Adds what proves the seal when the certificates have run out (PAdES baseline LTA, ETSI EN 319 142-1, section 6): the
/// certificates and revocation lists, and a timestamp over all.
pub(super) fn for_the_long_term(pdf: Vec<u8>, sealing: &Sealing, at: Timestamp) -> Result<Vec<u8>, Failure> {
    let pdf = revised(pdf, |revision, catalog| {
        let mut stream = |der: &[u8]| {
            let stream = Stream::new(Dictionary::new(), der.to_vec());
            Object::from(revision.add_object(stream))
        };
        let mut certificates: Vec<&[u8]> = Vec::new();
        for der in [&sealing.seal, &sealing.timestamps].into_iter().flat_map(|identity| identity.chain()) {
            if !certificates.contains(&der.as_ref()) {
                certificates.push(der);
            }
        }
        let certificates: Vec<Object> = certificates.into_iter().map(&mut stream).collect();
        let lists: Vec<Object> = sealing.crls().iter().map(|list| stream(list)).collect();
        catalog.set("DSS", dictionary! { "Type" => "DSS", "Certs" => certificates, "CRLs" => lists });
        Ok(())
    })?;
    let before = pdf.len();
    let pdf = revised(pdf, |revision, catalog| {
        let timestamp = revision.add_object(empty("DocTimeStamp", "ETSI.RFC3161"));
        let field = revision.add_object(dictionary! {
            "Type" => "Annot", "Subtype" => "Widget", "FT" => "Sig", "T" => Object::string_literal("Timestamp1"),
            "V" => timestamp, "F" => 132, "Rect" => [0, 0, 0, 0].map(Object::from).to_vec(),
        });
        let form = catalog.get_mut(b"AcroForm").and_then(Object::as_dict_mut)?;
        form.get_mut(b"Fields").and_then(Object::as_array_mut)?.push(field.into());
        Ok(())
    })?;
    filled(pdf, before, |content| {
        let mut whole = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        content.iter().for_each(|part| whole.update(part));
        cms::timestamp(whole.finish().as_ref(), sealing, at)
    })
}

/// Appends a revision with another catalog.
fn revised(
    bytes: Vec<u8>,
    change: impl FnOnce(&mut Pdf, &mut Dictionary) -> Result<(), Failure>,
) -> Result<Vec<u8>, Failure> {
    let before = Pdf::load_mem(&bytes)?;
    let root: ObjectId = before.trailer.get(b"Root")?.as_reference()?;
    let mut catalog = before.get_dictionary(root)?.clone();
    let mut revision = IncrementalDocument::create_from(bytes, before);
    change(&mut revision.new_document, &mut catalog)?;
    revision.new_document.set_object(root, catalog);
    let mut bytes = Vec::new();
    revision.save_to(&mut bytes)?;
    Ok(bytes)
}

/// Makes a signature over all but its own place, the first that is empty from an offset on.
fn filled(
    mut pdf: Vec<u8>,
    from: usize,
    make: impl FnOnce(&[&[u8]]) -> Result<Vec<u8>, Failure>,
) -> Result<Vec<u8>, Failure> {
    let missing = "the written PDF has no place for its signature";
    let find = |wanted: &[u8]| {
        let at = pdf[from..].windows(wanted.len()).position(|window| window == wanted);
        at.map(|at| from + at).ok_or(missing)
    };
    let placeholder = format!("[0 {UNKNOWN} {UNKNOWN} {UNKNOWN}]");
    let range = find(placeholder.as_bytes())?;
    let contents = find(&vec![b'0'; 2 * ROOM])?;
    let (start, end) = (contents - 1, contents + 2 * ROOM + 1);
    if pdf.get(start) != Some(&b'<') || pdf.get(end - 1) != Some(&b'>') {
        return Err(missing.into());
    }
    let offsets = format!("[0 {start} {end} {}]", pdf.len() - end);
    let offsets = format!("{offsets:<width$}", width = placeholder.len());
    pdf[range..range + placeholder.len()].copy_from_slice(offsets.as_bytes());

    let signature = make(&[&pdf[..start], &pdf[end..]])?;
    if signature.len() > ROOM {
        return Err("the signature is larger than its place".into());
    }
    for (at, byte) in signature.iter().enumerate() {
        let digit = |value: u8| char::from_digit(value.into(), 16).map_or(b'0', |digit| digit as u8);
        pdf[contents + 2 * at] = digit(byte >> 4);
        pdf[contents + 2 * at + 1] = digit(byte & 15);
    }
    Ok(pdf)
}
