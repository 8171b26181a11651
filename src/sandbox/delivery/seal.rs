//! The seal of a signed PDF: a certification that permits no change (ISO 32000-1, section 12.8), and what keeps it
//! verifiable for the long term.

use jiff::Timestamp;

use super::cms;
use super::sealing::{SEAL_NAME, Sealing};
use crate::pdf::{Entries, Id, Value, Writer, entries};

/// Room for a signature, in bytes: certificates, revocation lists and a timestamp, together about 6 000.
const ROOM: usize = 8 * 1024;

/// The placeholder of offsets until they are known: as wide as any offset in a file below ten gigabytes.
const UNKNOWN: i64 = 9_999_999_999;

type Failure = Box<dyn std::error::Error>;

/// A PDF that is complete but for its signatures.
pub(super) struct Unsealed {
    pub(super) pdf: Writer,
    /// The number of its catalog, which each revision writes again.
    pub(super) root: Id,
    /// The entries of the catalog besides the form.
    pub(super) catalog: Entries,
    /// The fields of the form.
    pub(super) fields: Vec<Id>,
    pub(super) identifier: [u8; 16],
}

impl Unsealed {
    /// Ends a revision.
    pub(super) fn end(&mut self) {
        let mut catalog = self.catalog.clone();
        let fields = Value::array(self.fields.iter().copied());
        catalog.set("AcroForm", entries! { "Fields" => fields, "SigFlags" => 3 });
        self.pdf.put(self.root, catalog);
        self.pdf.end(self.root, &self.identifier);
    }
}

/// The dictionary of the seal, before it is there.
pub(super) fn certification(at: Timestamp) -> Entries {
    let parameters = entries! { "Type" => "TransformParams", "P" => 1, "V" => "1.2" };
    let reference = entries! { "Type" => "SigRef", "TransformMethod" => "DocMDP", "TransformParams" => parameters };
    let mut seal = empty("Sig", "ETSI.CAdES.detached");
    seal.set("M", date(at));
    seal.set("Name", Value::text(SEAL_NAME));
    seal.set("Reference", Value::array([reference]));
    seal
}

fn empty(kind: &str, format: &str) -> Entries {
    entries! {
        "Type" => kind,
        "Filter" => "Adobe.PPKLite",
        "SubFilter" => format,
        "ByteRange" => Value::array([0, UNKNOWN, UNKNOWN, UNKNOWN]),
        "Contents" => Value::hexadecimal(&[0; ROOM]),
    }
}

/// An invisible field with a signature (ISO 32000-1, section 12.7.4.5).
pub(super) fn field(name: &str, signature: Id, page: Option<Id>) -> Entries {
    let mut field = entries! {
        "Type" => "Annot", "Subtype" => "Widget", "FT" => "Sig", "T" => Value::text(name), "V" => signature,
        "F" => 132, "Rect" => Value::array([0, 0, 0, 0]),
    };
    if let Some(page) = page {
        field.set("P", page);
    }
    field
}

/// ISO 32000-1, section 7.9.4.
pub(super) fn date(at: Timestamp) -> Value {
    Value::text(&at.strftime("D:%Y%m%d%H%M%SZ").to_string())
}

/// Fills the seal in.
pub(super) fn seal(unsealed: &mut Unsealed, sealing: &Sealing, at: Timestamp) -> Result<(), Failure> {
    filled(unsealed.pdf.bytes_mut(), 0, |content| cms::seal(content, sealing, at))
}

/// Adds what proves the seal when the certificates have run out (PAdES baseline LTA, ETSI EN 319 142-1, section 6): the
/// certificates and revocation lists, and a timestamp over all.
pub(super) fn for_the_long_term(sealed: &mut Unsealed, sealing: &Sealing, at: Timestamp) -> Result<(), Failure> {
    let mut certificates: Vec<&[u8]> = Vec::new();
    for der in [&sealing.seal, &sealing.timestamps].into_iter().flat_map(|identity| identity.chain()) {
        if !certificates.contains(&der.as_ref()) {
            certificates.push(der);
        }
    }
    let mut stream = |der: &[u8]| sealed.pdf.add_stream(Entries::default(), der);
    let certificates: Vec<_> = certificates.into_iter().map(&mut stream).collect();
    let lists: Vec<_> = sealing.crls().iter().map(|list| stream(list)).collect();
    let store = entries! { "Type" => "DSS", "Certs" => Value::array(certificates), "CRLs" => Value::array(lists) };
    sealed.catalog.set("DSS", store);
    sealed.end();

    let before = sealed.pdf.bytes().len();
    let timestamp = sealed.pdf.add(empty("DocTimeStamp", "ETSI.RFC3161"));
    let field = sealed.pdf.add(field("Timestamp1", timestamp, None));
    sealed.fields.push(field);
    sealed.end();
    filled(sealed.pdf.bytes_mut(), before, |content| {
        let mut whole = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        content.iter().for_each(|part| whole.update(part));
        cms::timestamp(whole.finish().as_ref(), sealing, at)
    })
}

/// Makes a signature over all but its own place, the first that is empty from an offset on.
fn filled(pdf: &mut [u8], from: usize, make: impl FnOnce(&[&[u8]]) -> Result<Vec<u8>, Failure>) -> Result<(), Failure> {
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
    Ok(())
}
