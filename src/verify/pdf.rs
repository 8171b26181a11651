//! Where the signatures of a PDF are, what they cover, and which files are attached.

use std::collections::HashSet;

use jiff::Timestamp;
use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId};

use crate::asice::xades::{ASIC, DS, SHA256_URI};
use crate::error::VerificationError::{self, Malformed};
use crate::xml::dom::Element;

/// How much a stream may grow when it is unpacked, in bytes.
const MAX_UNPACKED: usize = 32 * 1024 * 1024;

/// How much all attachments may be together, unpacked.
const MAX_ATTACHED: usize = 2 * MAX_UNPACKED;

/// How deep trees of fields and names are followed, and how many nodes are looked at.
const MAX_DEPTH: usize = 16;
const MAX_NODES: usize = 10_000;

/// A PDF that was read.
pub(super) struct Pdf<'b> {
    bytes: &'b [u8],
    document: Document,
}

/// A signature as it stands in the file.
pub(super) struct Found<'b> {
    pub(super) kind: Kind,
    /// What it covers: all before it, and all after it up to `end`.
    pub(super) covered: [&'b [u8]; 2],
    pub(super) end: usize,
    /// The CMS, with the zeros that fill its place.
    pub(super) contents: Vec<u8>,
    /// When it was made, by the clock of who made it.
    pub(super) claimed: Option<Timestamp>,
}

/// What a signature claims to be (ISO 32000-2, table 260; ETSI EN 319 142-1, 5.4.3 and 5.5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `ETSI.CAdES.detached`.
    Pades,
    /// `adbe.pkcs7.detached`.
    Pkcs7,
    /// `ETSI.RFC3161`: a document timestamp.
    Timestamp,
}

impl<'b> Pdf<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, VerificationError> {
        let options = LoadOptions { max_decompressed_size: Some(MAX_UNPACKED), ..LoadOptions::default() };
        let document = Document::load_mem_with_options(bytes, options).map_err(|_| VerificationError::NotPdf)?;
        if document.xref_recovery.is_some() {
            return Err(VerificationError::Ambiguous);
        }
        if document.trailer.has(b"Encrypt") {
            return Err(VerificationError::Encrypted);
        }
        Ok(Self { bytes, document })
    }

    /// Every signature field that has a value.
    pub(super) fn signatures(&self) -> Result<Vec<Found<'b>>, VerificationError> {
        let mut found = Vec::new();
        let form = self.document.catalog().ok().and_then(|catalog| self.dictionary(catalog, b"AcroForm"));
        let Some(fields) = form.and_then(|form| self.array(form, b"Fields")) else { return Ok(found) };
        let mut seen = HashSet::new();
        let mut waiting: Vec<_> = fields.iter().map(|field| (field, false, 0)).collect();
        while let Some((field, inherited, depth)) = waiting.pop() {
            if depth > MAX_DEPTH || seen.len() > MAX_NODES {
                return Err(Malformed("the form has too many fields"));
            }
            let Some((id, field)) = self.resolved(field) else { continue };
            if id.is_some_and(|id| !seen.insert(id)) {
                continue;
            }
            let own = field.get(b"FT").ok().and_then(|kind| self.follow(kind)?.as_name().ok());
            let is_signature = own.map_or(inherited, |kind| kind == b"Sig");
            for kid in self.array(field, b"Kids").into_iter().flatten() {
                waiting.push((kid, is_signature, depth + 1));
            }
            if is_signature && let Some(value) = self.dictionary(field, b"V") {
                found.push(self.signature(value)?);
            }
        }
        Ok(found)
    }

    fn signature(&self, value: &Dictionary) -> Result<Found<'b>, VerificationError> {
        let name = value.get(b"SubFilter").ok().and_then(|name| self.follow(name)?.as_name().ok());
        let kind = match name {
            Some(b"ETSI.CAdES.detached") => Kind::Pades,
            Some(b"adbe.pkcs7.detached") => Kind::Pkcs7,
            Some(b"ETSI.RFC3161") => Kind::Timestamp,
            _ => return Err(VerificationError::Unsupported("its SubFilter")),
        };
        let range = self.array(value, b"ByteRange").ok_or(Malformed("it has no ByteRange"))?;
        let numbers: Vec<usize> =
            range.iter().filter_map(|number| number.as_i64().ok().and_then(|n| usize::try_from(n).ok())).collect();
        let [0, before, start, length] = numbers[..] else { return Err(Malformed("its ByteRange")) };
        let end = start.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Malformed("its ByteRange"))?;
        // Between the two ranges stands the signature in hexadecimal, and nothing else: no room for anything that no
        // signature covers.
        let gap = self.bytes.get(before..start).ok_or(Malformed("its ByteRange"))?;
        let [b'<', hex @ .., b'>'] = gap else { return Err(Malformed("its ByteRange leaves more out than it")) };
        let contents = unhex(hex).ok_or(Malformed("its ByteRange leaves more out than it"))?;
        let own = value.get(b"Contents").ok().and_then(|own| self.follow(own)?.as_str().ok());
        if own != Some(&contents) {
            return Err(Malformed("its ByteRange belongs to another signature"));
        }
        let claimed = value.get(b"M").ok().and_then(|time| date(self.follow(time)?.as_str().ok()?));
        Ok(Found { kind, covered: [&self.bytes[..before], &self.bytes[start..end]], end, contents, claimed })
    }

    /// The attached files, as far as they can be unpacked within the limits.
    pub(super) fn attachments(&self) -> Vec<Vec<u8>> {
        let mut room = MAX_ATTACHED;
        let files = self.specifications().into_iter().filter_map(|specification| {
            let versions = self.dictionary(specification, b"EF")?;
            let file = [b"UF".as_slice(), b"F"].iter().find_map(|key| versions.get(key).ok())?;
            let stream = self.follow(file)?.as_stream().ok()?;
            // Without a filter, unpacking is refused, and the content is what it is.
            let content = match stream.dict.has(b"Filter") {
                true => stream.decompressed_content_with_limit(room.min(MAX_UNPACKED)).ok()?,
                false => stream.content.clone(),
            };
            room = room.checked_sub(content.len())?;
            Some(content)
        });
        files.collect()
    }

    /// The file specifications in the tree of names (ISO 32000-1, 7.7.4 and 7.9.6).
    fn specifications(&self) -> Vec<&Dictionary> {
        let names = self.document.catalog().ok().and_then(|catalog| self.dictionary(catalog, b"Names"));
        let Some(root) = names.and_then(|names| names.get(b"EmbeddedFiles").ok()) else { return Vec::new() };
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut waiting = vec![(root, 0)];
        while let Some((node, depth)) = waiting.pop() {
            if depth > MAX_DEPTH || seen.len() > MAX_NODES || found.len() > MAX_NODES {
                break;
            }
            let Some((id, node)) = self.resolved(node) else { continue };
            if id.is_some_and(|id| !seen.insert(id)) {
                continue;
            }
            waiting.extend(self.array(node, b"Kids").into_iter().flatten().map(|kid| (kid, depth + 1)));
            let pairs = self.array(node, b"Names").map(|names| names.as_chunks::<2>().0).unwrap_or_default();
            found.extend(pairs.iter().filter_map(|[_, value]| self.resolved(value).map(|(_, value)| value)));
        }
        found
    }

    /// The object behind a reference, or the object itself.
    fn follow<'o>(&'o self, object: &'o Object) -> Option<&'o Object> {
        self.document.dereference(object).ok().map(|(_, object)| object)
    }

    fn resolved<'o>(&'o self, object: &'o Object) -> Option<(Option<ObjectId>, &'o Dictionary)> {
        let (id, object) = self.document.dereference(object).ok()?;
        Some((id, object.as_dict().ok()?))
    }

    fn dictionary<'o>(&'o self, of: &'o Dictionary, key: &[u8]) -> Option<&'o Dictionary> {
        self.follow(of.get(key).ok()?)?.as_dict().ok()
    }

    fn array<'o>(&'o self, of: &'o Dictionary, key: &[u8]) -> Option<&'o Vec<Object>> {
        self.follow(of.get(key).ok()?)?.as_array().ok()
    }
}

/// A date with its time and offset (ISO 32000-1, 7.9.4): `D:20261125120000+01'00'`.
fn date(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix("D:")?.replace('\'', "");
    let text = text.strip_suffix('Z').map_or_else(|| text.clone(), |before| format!("{before}+0000"));
    jiff::fmt::strtime::parse("%Y%m%d%H%M%S%z", text).ok()?.to_timestamp().ok()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The SHA-256 of the files that a XAdES signs. Of anything else, nothing.
pub(super) fn referenced(file: &[u8]) -> Vec<Vec<u8>> {
    let read = || {
        let root = Element::parse(std::str::from_utf8(file).ok()?).ok()?;
        let signature = match root.is(ASIC, "XAdESSignatures") {
            true => root.one(DS, "Signature").ok()?,
            false => root.is(DS, "Signature").then_some(&root)?,
        };
        let info = signature.one(DS, "SignedInfo").ok()?;
        Some(info.all(DS, "Reference").into_iter().filter_map(file_digest).collect())
    };
    read().unwrap_or_default()
}

fn file_digest(reference: &Element) -> Option<Vec<u8>> {
    let method = reference.one(DS, "DigestMethod").ok()?.attribute("Algorithm")?;
    let is_file = reference.attribute("Type").is_none() && reference.all(DS, "Transforms").is_empty();
    let digest = (is_file && method == SHA256_URI).then(|| reference.one(DS, "DigestValue").ok())??;
    let digest: String = digest.text().split_ascii_whitespace().collect();
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, digest).ok()
}
