//! Object identifiers that more than one format knows.

use der::asn1::ObjectIdentifier;

/// An object identifier in the usual notation.
pub(crate) const fn oid(number: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(number)
}

/// RFC 5652, section 4.
pub(crate) const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
pub(crate) const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
pub(crate) const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
pub(crate) const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
/// `rsaEncryption` (RFC 8017, appendix A.1): a key for any use.
#[cfg(feature = "verify")]
pub(crate) const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
/// `id-kp-timeStamping` (RFC 5280, section 4.2.1.12).
#[cfg(feature = "verify")]
pub(crate) const TIME_STAMPING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.8");
