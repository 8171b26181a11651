//! The parts of CMS that sandbox and verification share: object identifiers, and the structure that names a signer's
//! certificate.

use der::Sequence;
use der::asn1::{Any, ObjectIdentifier, OctetString};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::oid::oid;

/// RFC 5652.
pub(crate) const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
pub(crate) const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
pub(crate) const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
/// RFC 5035: which certificate signed, inside what is signed.
pub(crate) const SIGNING_CERTIFICATE_V2: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");
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
