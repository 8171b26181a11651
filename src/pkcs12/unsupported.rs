//! The names of unsupported algorithms.

use der::ErrorKind;
use der::asn1::ObjectIdentifier;

use crate::error::IdentityError;

/// The error of a structure that cannot be read: an unknown algorithm, or damaged data.
pub(super) fn unreadable(error: der::Error) -> IdentityError {
    match error.kind() {
        ErrorKind::OidUnknown { oid } => unsupported(oid),
        // Not the library's message, which has a position but no cause.
        _ => IdentityError::NotPkcs12,
    }
}

/// The error of an algorithm or content type that is not supported.
pub(super) fn unsupported(oid: ObjectIdentifier) -> IdentityError {
    let number = oid.to_string();
    let name = NAMES.iter().find(|(known, _)| *known == number);
    let what = name.map_or_else(|| format!("the algorithm {number}"), |(_, name)| format!("{name} ({number})"));
    IdentityError::UnsupportedPkcs12 { what }
}

/// The names in the standards.
const NAMES: [(&str, &str); 32] = [
    // RFC 7292, appendix C.
    ("1.2.840.113549.1.12.1.1", "pbeWithSHAAnd128BitRC4"),
    ("1.2.840.113549.1.12.1.2", "pbeWithSHAAnd40BitRC4"),
    ("1.2.840.113549.1.12.1.4", "pbeWithSHAAnd2-KeyTripleDES-CBC"),
    // RFC 8018, appendices A and B; RFC 7914, section 7.
    ("1.2.840.113549.1.5.1", "pbeWithMD2AndDES-CBC"),
    ("1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC"),
    ("1.2.840.113549.1.5.4", "pbeWithMD2AndRC2-CBC"),
    ("1.2.840.113549.1.5.6", "pbeWithMD5AndRC2-CBC"),
    ("1.2.840.113549.1.5.10", "pbeWithSHA1AndDES-CBC"),
    ("1.2.840.113549.1.5.11", "pbeWithSHA1AndRC2-CBC"),
    ("1.2.840.113549.2.2", "MD2"),
    ("1.2.840.113549.2.5", "MD5"),
    ("1.2.840.113549.2.8", "hmacWithSHA224"),
    ("1.2.840.113549.2.12", "hmacWithSHA512-224"),
    ("1.2.840.113549.2.13", "hmacWithSHA512-256"),
    ("1.2.840.113549.3.2", "rc2CBC"),
    ("1.3.14.3.2.7", "desCBC"),
    ("1.3.6.1.4.1.11591.4.11", "scrypt"),
    // NIST, Computer Security Objects Register.
    ("2.16.840.1.101.3.4.1.6", "aes128-GCM"),
    ("2.16.840.1.101.3.4.1.26", "aes192-GCM"),
    ("2.16.840.1.101.3.4.1.46", "aes256-GCM"),
    ("2.16.840.1.101.3.4.2.5", "SHA-512/224"),
    ("2.16.840.1.101.3.4.2.6", "SHA-512/256"),
    ("2.16.840.1.101.3.4.2.7", "SHA3-224"),
    ("2.16.840.1.101.3.4.2.8", "SHA3-256"),
    ("2.16.840.1.101.3.4.2.9", "SHA3-384"),
    ("2.16.840.1.101.3.4.2.10", "SHA3-512"),
    // RFC 3657, section 3.1.
    ("1.2.392.200011.61.1.1.1.2", "camellia128-CBC"),
    ("1.2.392.200011.61.1.1.1.3", "camellia192-CBC"),
    ("1.2.392.200011.61.1.1.1.4", "camellia256-CBC"),
    // RFC 5652, sections 5 and 6: with certificates in place of a password.
    ("1.2.840.113549.1.7.2", "signedData"),
    ("1.2.840.113549.1.7.3", "envelopedData"),
    ("1.2.840.113549.1.7.4", "signedAndEnvelopedData"),
];
