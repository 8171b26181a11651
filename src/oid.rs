//! Object identifiers that more than one place knows, and the structure that names a signer's certificate in CMS.

use der::Sequence;
use der::asn1::{Any, ObjectIdentifier, OctetString};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// An object identifier in the usual notation.
pub(crate) const fn oid(number: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(number)
}

/// RFC 5652.
pub(crate) const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
pub(crate) const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
pub(crate) const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
pub(crate) const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
/// RFC 5035: which certificate signed, inside what is signed.
pub(crate) const SIGNING_CERTIFICATE_V2: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");
pub(crate) const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
pub(crate) const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
pub(crate) const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
/// `rsaEncryption` (RFC 8017, appendix A.1): a key for any use.
pub(crate) const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
pub(crate) const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");

/// `SigningCertificateV2` of RFC 5035.
#[derive(Sequence)]
pub(crate) struct SigningCertificateV2 {
    pub(crate) certificates: Vec<EssCertIdV2>,
    pub(crate) policies: Option<Any>,
}

/// The digest of a certificate. Without an algorithm it is SHA-256.
#[derive(Sequence)]
pub(crate) struct EssCertIdV2 {
    pub(crate) algorithm: Option<AlgorithmIdentifierOwned>,
    pub(crate) digest: OctetString,
    pub(crate) issuer_serial: Option<Any>,
}
