//! A CMS signature as PAdES wants it (baseline profile B, ETSI EN 319 142-1; CAdES attributes, ETSI EN 319 122-1).

use aws_lc_rs::digest::{SHA256, digest};
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{Any, OctetString, SetOfVec};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::identity::Identity;
use crate::oid::{DATA, SHA256 as SHA256_OID};
use crate::signed_data::{
    CONTENT_TYPE, EssCertIdV2, MESSAGE_DIGEST, RSA_SHA256, SIGNED_DATA, SIGNING_CERTIFICATE_V2, SigningCertificateV2,
};

/// Signs content that stands elsewhere: the bytes of the PDF around the signature.
pub(super) fn detached(content: &[&[u8]], identity: &Identity) -> Result<Vec<u8>, String> {
    signed(content, identity).map_err(|error| format!("the CMS signature cannot be made: {error}"))
}

fn signed(content: &[&[u8]], identity: &Identity) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let chain = identity.chain().iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
    let leaf = chain.first().ok_or("there is no certificate")?;
    let mut whole = aws_lc_rs::digest::Context::new(&SHA256);
    content.iter().for_each(|part| whole.update(part));

    let digest = OctetString::new(digest(&SHA256, &leaf.to_der()?).as_ref())?;
    let signing_certificate = SigningCertificateV2 {
        certificates: vec![EssCertIdV2 { algorithm: None, digest, issuer_serial: None }],
        policies: None,
    };
    let mut attributes = SetOfVec::new();
    for (oid, value) in [
        (CONTENT_TYPE, Any::encode_from(&DATA)?),
        (MESSAGE_DIGEST, Any::encode_from(&OctetString::new(whole.finish().as_ref())?)?),
        (SIGNING_CERTIFICATE_V2, Any::encode_from(&signing_certificate)?),
    ] {
        attributes.insert(Attribute { oid, values: SetOfVec::from_iter([value])? })?;
    }
    // What is signed is the attributes as a SET OF (RFC 5652, section 5.4).
    let signature = identity.sign(&attributes.to_der()?)?;

    let sha256 = AlgorithmIdentifierOwned { oid: SHA256_OID, parameters: None };
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: leaf.tbs_certificate().issuer().clone(),
            serial_number: leaf.tbs_certificate().serial_number().clone(),
        }),
        digest_alg: sha256.clone(),
        signed_attrs: Some(attributes),
        signature_algorithm: AlgorithmIdentifierOwned { oid: RSA_SHA256, parameters: Some(Any::null()) },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates = chain.into_iter().map(CertificateChoices::Certificate);
    let data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::from_iter([sha256])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent: None },
        certificates: Some(CertificateSet(SetOfVec::from_iter(certificates)?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::from_iter([signer])?),
    };
    Ok(ContentInfo { content_type: SIGNED_DATA, content: Any::encode_from(&data)? }.to_der()?)
}
