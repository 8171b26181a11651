//! Reads certificates and private keys in PEM (RFC 7468), without leaving copies of keys in freed memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::zeroize::Zeroizing;

use crate::error::IdentityError;

/// All certificates in a text, in order. Other sections are not decoded, because they may contain keys.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let sections = sections(pem).ok_or(IdentityError::NotPem)?;
    let certificates = sections.iter().filter(|section| section.label == b"CERTIFICATE");
    certificates
        .map(|section| section.decode().map(|der| CertificateDer::from(der.to_vec())))
        .collect::<Option<_>>()
        .ok_or(IdentityError::NotPem)
}

/// A private key in DER.
pub(super) struct PrivateKey {
    der: Zeroizing<Vec<u8>>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Pkcs8,
    Pkcs1,
    Sec1,
}

impl PrivateKey {
    /// The private keys in a text, in order. An encrypted key is an error.
    pub(super) fn all(pem: &[u8]) -> Vec<Result<Self, IdentityError>> {
        let sections = sections(pem).unwrap_or_default();
        let keys = sections.iter().filter_map(|section| {
            let kind = match section.label {
                b"PRIVATE KEY" => Kind::Pkcs8,
                b"RSA PRIVATE KEY" => Kind::Pkcs1,
                b"EC PRIVATE KEY" => Kind::Sec1,
                b"ENCRYPTED PRIVATE KEY" => return Some(Err(IdentityError::MissingKey)),
                _ => return None,
            };
            // Encryption by RFC 1421 has headers, which are not base64.
            Some(section.decode().map(|der| Self { der, kind }).ok_or(IdentityError::MissingKey))
        });
        keys.collect()
    }

    pub(super) fn der(&self) -> PrivateKeyDer<'_> {
        let der = self.der.as_slice();
        match self.kind {
            Kind::Pkcs8 => PrivateKeyDer::Pkcs8(der.into()),
            Kind::Pkcs1 => PrivateKeyDer::Pkcs1(der.into()),
            Kind::Sec1 => PrivateKeyDer::Sec1(der.into()),
        }
    }
}

/// The text between the lines BEGIN and END.
struct Section<'t> {
    label: &'t [u8],
    body: &'t [u8],
}

impl Section<'_> {
    fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut base64 = Zeroizing::new(Vec::with_capacity(self.body.len()));
        base64.extend(self.body.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(base64.len())]);
        let length = STANDARD.decode_slice(&base64, &mut der).ok()?;
        der.truncate(length);
        Some(der)
    }
}

/// The sections of a text, or `None` if one is not terminated.
fn sections(pem: &[u8]) -> Option<Vec<Section<'_>>> {
    let (mut sections, mut begun, mut at) = (Vec::new(), None, 0);
    for line in pem.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        let start = at;
        at += line.len();
        // Some editors put a byte order mark in front, and some configurations indent.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if let Some(label) = label(line, b"-----BEGIN ") {
            begun = Some((label, at));
        } else if let Some((label, from)) = begun.filter(|(begun, _)| label(line, b"-----END ") == Some(*begun)) {
            sections.push(Section { label, body: &pem[from..start] });
            begun = None;
        }
    }
    begun.is_none().then_some(sections)
}

fn label<'t>(line: &'t [u8], before: &[u8]) -> Option<&'t [u8]> {
    line.strip_prefix(before)?.strip_suffix(b"-----")
}
