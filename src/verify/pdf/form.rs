//! The signature fields of a form, and what their signatures cover and permit (ISO 32000-2, sections 12.7 and 12.8).

use std::collections::HashSet;

use jiff::Timestamp;

use crate::error::VerificationError::{self, Malformed, TooComplex, Unsupported};
use crate::pdf::{Dictionary, Id, MAX_DEPTH, Object, View, unhex};

/// The maximum number of signatures and timestamps of a document.
const MAX_SIGNATURES: usize = 64;

/// The maximum number of fields of a form.
const MAX_FIELDS: usize = 10_000;

/// A signature as it stands in the file.
pub(in crate::verify) struct RawSignature<'b> {
    pub(in crate::verify) kind: Kind,
    /// The covered bytes: before the signature value, and after it up to `end`.
    pub(in crate::verify) covered: [&'b [u8]; 2],
    pub(in crate::verify) end: usize,
    /// The CMS, with the zeros that fill its place.
    pub(in crate::verify) contents: Vec<u8>,
    /// The signing time that its signer claims.
    pub(in crate::verify) claimed: Option<Timestamp>,
    /// The object that is the signature, if it is one of its own.
    pub(in crate::verify) value: Option<Id>,
    pub(in crate::verify) permits: Permits,
}

/// The kind of a signature, as it claims (ISO 32000-2, table 260; ETSI EN 319 142-1, 5.4.3 and 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Kind {
    /// `ETSI.CAdES.detached`.
    Pades,
    /// `adbe.pkcs7.detached`.
    Pkcs7,
    /// `ETSI.RFC3161`: a document timestamp.
    Timestamp,
}

/// The changes that a signature permits after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct Permits {
    /// It certifies the document: with 1 nothing, with 2 and 3 further signatures, and more that is not accepted here.
    pub(in crate::verify) certification: Option<i64>,
    /// Fields that it locks.
    locks: Vec<Lock>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lock {
    All,
    These(Vec<Box<[u8]>>),
    AllBut(Vec<Box<[u8]>>),
}

impl Permits {
    /// Whether a field of this name may be signed afterwards.
    pub(super) fn signing(&self, field: &[u8]) -> bool {
        let is_locked = |lock: &Lock| match lock {
            Lock::All => true,
            Lock::These(names) => names.iter().any(|name| **name == *field),
            Lock::AllBut(names) => !names.iter().any(|name| **name == *field),
        };
        self.certification != Some(1) && !self.locks.iter().any(is_locked)
    }
}

impl<'b> View<'_, 'b> {
    /// Every signature field that has a value.
    pub(in crate::verify) fn signatures(&self) -> Result<Vec<RawSignature<'b>>, VerificationError> {
        let mut found = Vec::new();
        let Some(form) = self.dictionary(&self.catalog()?, b"AcroForm")? else { return Ok(found) };
        let (mut seen, mut looked_at) = (HashSet::new(), 0);
        let mut waiting: Vec<_> = self.array(&form, b"Fields")?.into_iter().map(|field| (field, None, 0)).collect();
        while let Some((field, inherited, depth)) = waiting.pop() {
            looked_at += 1;
            if depth > MAX_DEPTH || looked_at > MAX_FIELDS {
                return Err(TooComplex("its form has too many fields"));
            }
            if let Some(id) = field.reference()
                && !seen.insert(id)
            {
                continue;
            }
            let Object::Dictionary(field) = self.follow(&field)? else { continue };
            let own = self.value(&field, b"FT")?.name().map(|kind| kind == b"Sig");
            let is_signature = own.or(inherited);
            waiting.extend(self.array(&field, b"Kids")?.into_iter().map(|kid| (kid, is_signature, depth + 1)));
            let Some(value) = field.get(b"V").filter(|_| is_signature == Some(true)) else { continue };
            if let Object::Dictionary(signature) = self.follow(value)? {
                if found.len() == MAX_SIGNATURES {
                    return Err(TooComplex("more than 64 signatures"));
                }
                found.push(self.signature(&signature, value.reference(), &field)?);
            }
        }
        found.sort_by_key(|signature| signature.end);
        // A second field with the same signature shows somebody as a signer who signed nothing else.
        if found.windows(2).any(|pair| pair[0].end == pair[1].end || pair[0].contents == pair[1].contents) {
            return Err(Malformed("one signature is the value of several fields"));
        }
        // Of two signatures the later one covers all of the earlier one: neither could be made before the other else.
        match found.windows(2).any(|pair| pair[0].end > pair[1].covered[0].len()) {
            true => Err(Malformed("its signatures overlap")),
            false => Ok(found),
        }
    }

    fn signature(
        &self,
        signature: &Dictionary,
        id: Option<Id>,
        field: &Dictionary,
    ) -> Result<RawSignature<'b>, VerificationError> {
        let kind = match self.value(signature, b"SubFilter")?.name() {
            Some(b"ETSI.CAdES.detached") => Kind::Pades,
            Some(b"adbe.pkcs7.detached") => Kind::Pkcs7,
            Some(b"ETSI.RFC3161") => Kind::Timestamp,
            Some(b"adbe.pkcs7.sha1") => return Err(Unsupported("its SubFilter adbe.pkcs7.sha1 signs a SHA-1 digest")),
            Some(b"adbe.x509.rsa_sha1") => {
                return Err(Unsupported("its SubFilter adbe.x509.rsa_sha1 has no signed attributes"));
            }
            _ => return Err(Unsupported("its SubFilter is unknown")),
        };
        let range = self.array(signature, b"ByteRange")?;
        let numbers: Vec<usize> = range.iter().filter_map(Object::index).collect();
        let [0, before, start, length] = numbers[..] else { return Err(Malformed("its ByteRange is invalid")) };
        let bytes = self.file.bytes;
        let end =
            start.checked_add(length).filter(|end| *end <= bytes.len()).ok_or(Malformed("its ByteRange is invalid"))?;
        // Between the two ranges stands the signature in hexadecimal, and nothing else: no room for anything that no
        // signature covers.
        let gap = bytes.get(before..start).ok_or(Malformed("its ByteRange is invalid"))?;
        let [b'<', hex @ .., b'>'] = gap else {
            return Err(Malformed("its ByteRange excludes more than the signature value"));
        };
        let is_hex = hex.iter().all(u8::is_ascii_hexdigit);
        let contents =
            unhex(hex).filter(|_| is_hex).ok_or(Malformed("its ByteRange excludes more than the signature value"))?;
        if self.value(signature, b"Contents")?.string() != Some(&contents) {
            return Err(Malformed("its ByteRange belongs to another signature"));
        }
        let claimed = self.value(signature, b"M")?.string().and_then(date);
        let permits = self.permits(signature, field)?;
        Ok(RawSignature {
            kind,
            covered: [&bytes[..before], &bytes[start..end]],
            end,
            contents,
            claimed,
            value: id,
            permits,
        })
    }

    /// The permissions in the signature's references and its field (ISO 32000-2, tables 236, 237, 255 to 259).
    fn permits(&self, signature: &Dictionary, field: &Dictionary) -> Result<Permits, VerificationError> {
        let mut permits = Permits::default();
        for reference in self.array(signature, b"Reference")? {
            let Object::Dictionary(reference) = self.follow(&reference)? else { continue };
            let parameters = self.dictionary(&reference, b"TransformParams")?.unwrap_or_default();
            match self.value(&reference, b"TransformMethod")?.name() {
                Some(b"DocMDP") => {
                    permits.certification = Some(self.value(&parameters, b"P")?.integer().unwrap_or(2));
                }
                Some(b"FieldMDP") => permits.locks.push(self.lock(&parameters)?),
                _ => {}
            }
        }
        if let Some(lock) = self.dictionary(field, b"Lock")? {
            permits.locks.push(self.lock(&lock)?);
            if self.value(&lock, b"P")?.integer() == Some(1) {
                permits.certification = Some(1);
            }
        }
        Ok(permits)
    }

    fn lock(&self, parameters: &Dictionary) -> Result<Lock, VerificationError> {
        let fields = self.array(parameters, b"Fields")?;
        let names = fields.iter().filter_map(|field| field.string().map(Box::from)).collect();
        Ok(match self.value(parameters, b"Action")?.name() {
            Some(b"Include") => Lock::These(names),
            Some(b"Exclude") => Lock::AllBut(names),
            _ => Lock::All,
        })
    }
}

/// A date with its time and offset (ISO 32000-1, 7.9.4): `D:20261125120000+01'00'`.
fn date(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix("D:")?.replace('\'', "");
    let text = text.strip_suffix('Z').map_or_else(|| text.clone(), |before| format!("{before}+0000"));
    jiff::fmt::strtime::parse("%Y%m%d%H%M%S%z", text).ok()?.to_timestamp().ok()
}
